"""All children of one run: started together, replaced one by one, ended together.

Knows processes, not downloads: what a death means for the work is the supervisor's business.
"""

import os
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from pipeline.machine import memory_limit, usable_cpus
from pipeline.options import StorageOptions
from pipeline.processes.arena import Partitions, create_arena
from pipeline.processes.children import Child, DownloaderChild, Ground, StorageChild
from pipeline.processes.launch import fill_standard_descriptors
from pipeline.processes.messages import Stop
from pipeline.processes.rate import RateSource
from pipeline.store.part import remove_part
from pipeline.store.sweep import likely_places, sweep

#: Descriptors that the supervisor needs for each downloader, and for all else together.
_DESCRIPTORS_EACH, _DESCRIPTORS_BASE = 8, 24

#: A child that has not even said that it is alive for so long is stopped or stuck. It says so
#: once a second: fifteen in a row are not missed for want of a CPU.
SILENCE_SECONDS = 15.0

#: Seconds that storage gets to remove files before it is killed and they are removed for it.
#: Unlinking 4,000 segment files took 0.07 s; a Ctrl-C is to end within 2 s in all.
STORAGE_GRACE = 1.2


class CrewSize(NamedTuple):
    """How many downloaders, and how many connections in all."""

    processes: int
    connections: int

    @property
    def threads(self) -> int:
        """Connections of each downloader, or one less."""
        return -(-self.connections // self.processes)

    def share_of(self, downloader: int, connections: int) -> int:
        """How many of `connections` are one downloader's."""
        return connections // self.processes + (downloader < connections % self.processes)


def crew_size(processes: int | None, connections: int) -> CrewSize:
    """The size asked for, within what CPUs, connections and descriptors allow."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    affordable = max(1, (min(soft, 1 << 16) - _DESCRIPTORS_BASE) // _DESCRIPTORS_EACH)
    wanted = processes if processes is not None else usable_cpus()
    return CrewSize(max(1, min(wanted, connections, affordable)), connections)


class Crew:
    """The storage process and the downloaders."""

    def __init__(
        self, size: CrewSize, options: StorageOptions, stream: int | None, rate: int | None = None
    ) -> None:
        """Start all of them; `stream` is the descriptor of an output without a name.

        The downloaders together read at `rate` bytes per second at the most.
        """
        fill_standard_descriptors()
        self.size = size
        self._options = options
        partitions = Partitions.for_downloaders(size.processes, size.connections, memory_limit())
        self._rate = RateSource(rate) if rate is not None else None
        self._ground = Ground(
            create_arena(partitions.total_bytes),
            partitions,
            size.threads,
            self._rate.reading_end if self._rate else None,
            rate,
        )
        self.downloaders: list[DownloaderChild] = []
        self.storage = StorageChild()
        self._closed = False
        try:
            for number in range(size.processes):
                share = size.share_of(number, size.connections)
                self.downloaders.append(DownloaderChild(number, share))
            self._start(stream)
        except BaseException:
            self.close([])
            raise

    def _start(self, stream: int | None) -> None:
        now = time.monotonic()
        # The downloaders have more to import: they go first.
        for child in self.downloaders:
            child.start(self._ground, now)
        # A number of its own: the child's standard output is /dev/null.
        own = None if stream is None else os.dup(stream)
        try:
            self.storage.start(self._ground, self.downloaders, self._options, own, now)
        finally:
            if own is not None:
                os.close(own)
        if self._rate is not None:  # a thread: with it there, none of them could be a fork
            self._rate.start()

    @property
    def pids(self) -> list[int]:
        """The processes that are there."""
        return [child.pid for child in (self.storage, *self.downloaders) if child.running]

    def limit_connections(self, connections: int) -> None:
        """Have all downloaders together use no more than so many connections."""
        for child in self.downloaders:
            child.limit_to(self.size.share_of(child.partition, connections))

    def silent(self, now: float) -> list[Child]:
        """Children that should have said something by now."""
        children: list[Child] = [self.storage, *self.downloaders]
        return [
            child
            for child in children
            if child.running and now - child.last_heard > SILENCE_SECONDS
        ]

    def excuse_silence(self, now: float) -> None:
        """Begin to wait for signs of life anew."""
        for child in (self.storage, *self.downloaders):
            child.last_heard = now

    def restart(self, child: DownloaderChild, now: float) -> None:
        """Start the successor of a dead downloader."""
        child.start(self._ground, now)

    def close(self, outputs: list[Path], force: Callable[[], bool] = lambda: False) -> None:
        """End everything; what storage cannot remove any more is removed here.

        `outputs` are all that were written. Storage is not waited for once `force` says so.
        """
        if self._closed:
            return
        self._closed = True
        self.storage.tell(Stop())
        for child in self.downloaders:  # side by side: each takes some milliseconds to be gone
            child.kill()
        for child in self.downloaders:
            child.close()
        if self._rate is not None:
            self._rate.close()
        self.storage.end(STORAGE_GRACE, force)
        if self.storage.ended:
            self._clean_up_after_storage(outputs)
        os.close(self._ground.arena)

    def _clean_up_after_storage(self, outputs: list[Path]) -> None:
        for output in outputs:
            remove_part(output)
        folders: list[Path | None] = [None, *outputs]
        for folder in folders:
            sweep(likely_places(self._options.temp_dir, folder))
