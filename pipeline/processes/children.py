"""The supervisor's handles of its children: how each is started, spoken to and ended.

A downloader's pipes to storage belong to the partition, not to the process: when it dies its
successor takes them over, and storage notices nothing but the order to forget the dead.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

from pipeline.errors import HlspipeError, InternalError, from_wire
from pipeline.options import StorageOptions
from pipeline.processes.arena import Partitions
from pipeline.processes.channel import Receiver, Sender, instruction_pipe
from pipeline.processes.errands import Errand
from pipeline.processes.launch import kill, launch, reap, reap_within
from pipeline.processes.messages import Crashed, LimitConnections, Message, ReturnTasks
from pipeline.processes.records import drain_credits
from pipeline.processes.scarcity import needed_to


class Ground(NamedTuple):
    """What all children of a run stand on."""

    arena: int  # descriptor
    partitions: Partitions
    threads: int  # connections of a downloader at the most
    tokens: int | None = None  # descriptor: where leave to read is given, at `rate`
    rate: int | None = None


class Child:
    """One process with its instruction pipe and its report pipe.

    The end of the report pipe is the end of the process: nobody else holds its writing end.
    """

    role = ""

    def __init__(self) -> None:
        self.pid = 0
        self.last_heard = 0.0
        self.reports: Receiver | None = None
        self._instructions: Sender | None = None
        self.crash: str | None = None  # what it said before it ended
        self.failure: HlspipeError | None = None  # the same, if it is no bug
        self.ended: str | None = None  # how, if it did not end by itself
        self._killed = False

    @property
    def running(self) -> bool:
        """Whether there is a process that has not been reaped."""
        return self.pid != 0

    def _launch(self, setup: dict[str, Any], descriptors: list[int], now: float) -> None:
        with needed_to(f"start a {self.role} process"):
            down_reading, down_writing = instruction_pipe()
            up_reading, up_writing = os.pipe()
            setup |= {"instructions": down_reading, "reports": up_writing}
            try:
                self.pid = launch(self.role, setup, [*descriptors, down_reading, up_writing])
            finally:
                os.close(down_reading)
                os.close(up_writing)
        self._instructions = Sender(down_writing)
        self.reports = Receiver(up_reading)
        self.last_heard = now

    def crashed(self, report: Crashed) -> None:
        """It has said why it ends."""
        self.crash = f"{report.error}: {report.message}\n{report.traceback}"
        error = from_wire(report.error, report.message)
        self.failure = None if isinstance(error, InternalError) else error

    def tell(self, *messages: Message) -> None:
        """Send instructions. A child that has died meanwhile is noticed by its reports' end."""
        if self._instructions is not None:
            with suppress(BrokenPipeError):
                self._instructions.send(*messages)

    def kill(self) -> None:
        """Have the process killed, if it is there; `end` reaps it."""
        if self.pid and not self._killed:
            self._killed = True
            kill(self.pid)

    def end(self, grace: float = 0.0, force: Callable[[], bool] = lambda: False) -> None:
        """Reap the process, killing it if it is still there after `grace` seconds.

        `ended` says afterwards how, unless it ended by itself in time. `force` cuts the grace
        short.
        """
        if self.pid and not (grace and reap_within(self.pid, grace, force)):
            self.kill()
            self.ended = reap(self.pid)
        self.pid, self._killed = 0, False
        for end in (self._instructions, self.reports):
            if end is not None:
                end.close()
        self._instructions = self.reports = None


class DownloaderChild(Child):
    """A downloader process, and the pipes between its partition and storage."""

    role = "downloader"

    def __init__(self, partition: int, threads: int) -> None:
        super().__init__()
        self.partition = partition
        self.threads = threads  # connections at the most
        self.limit = threads  # connections now
        self.record_ends = os.pipe()  # (reading: storage, writing: downloader)
        self.credit_ends = os.pipe()  # (reading: downloader, writing: storage)
        self.leases: dict[int, Errand] = {}  # in the order in which they were given
        self.ending: set[int] = set()  # leases, and some that have ended
        self._asked_back = 0  # the newest lease when that was done last
        self.early = 0  # connections on which something was asked for that nobody may have yet
        self.received = 0  # bytes that have come in, as far as it has said
        self.way = ("", 0.0)  # where it has connected to last, and the seconds there and back
        self.awaits_storage = False  # dead, and storage has not forgotten it yet

    @property
    def available(self) -> bool:
        """Whether it can be given work."""
        return self.running and self.limit > 0 and not self.awaits_storage

    @property
    def load(self) -> int:
        """Errands in hand, and answers that nobody may have yet, less the connections."""
        return len(self.leases) + self.early - self.limit

    @property
    def load_soon(self) -> int:
        """The same, without what is about to end."""
        return self.load - len(self.ending & self.leases.keys())

    def ask_back(self) -> None:
        """Have it give back what it has not begun: once, as long as it is given nothing more."""
        newest = max(self.leases, default=0)
        if newest > self._asked_back:
            self._asked_back = newest
            self.tell(ReturnTasks())

    def ends(self, lease: int) -> None:
        """What it has under `lease` is about to end."""
        self.ending = {lease, *(self.ending & self.leases.keys())}

    def start(self, ground: Ground, now: float) -> None:
        """Start the process, or the successor of one that died."""
        self.crash = None
        records, credit = self.record_ends[1], self.credit_ends[0]
        setup = {
            "arena": ground.arena,
            "arena_bytes": ground.partitions.total_bytes,
            "records": records,
            "credits": credit,
            "threads": self.threads,
            "limit": self.limit,
            "tokens": ground.tokens,
            "rate": ground.rate,
        }
        tokens = [] if ground.tokens is None else [ground.tokens]
        self._launch(setup, [ground.arena, records, credit, *tokens], now)

    def limit_to(self, connections: int) -> None:
        """Have the process use no more than so many connections.

        With none, nobody would ever come to what it has in hand: it gives that back.
        """
        if connections != self.limit:
            self.limit = connections
            self.tell(LimitConnections(connections), *([] if connections else [ReturnTasks()]))

    def take_leases(self) -> list[Errand]:
        """The errands that it had; it has them no more."""
        errands = list(self.leases.values())
        self.leases.clear()
        self.ending.clear()
        self.early = 0
        return errands

    def forget_credits(self) -> None:
        """Empty the pipe of blocks lent to the dead, so that its successor starts afresh."""
        drain_credits(self.credit_ends[0])

    def close(self) -> None:
        """End the process and close the partition's pipes."""
        self.end()
        for number in (*self.record_ends, *self.credit_ends):
            os.close(number)


class StorageChild(Child):
    """The storage process."""

    role = "storage"

    def start(
        self,
        ground: Ground,
        downloaders: list[DownloaderChild],
        options: StorageOptions,
        stream: int | None,
        now: float,
    ) -> None:
        """Start the process; `stream` is the descriptor of an output without a name."""
        records = [child.record_ends[0] for child in downloaders]
        credit = [child.credit_ends[1] for child in downloaders]
        setup = {
            "arena": ground.arena,
            "records": records,
            "credits": credit,
            "partition_size": ground.partitions.size,
            "threads": ground.threads,
            "stream": stream,
            "threshold": options.effective_threshold,
            "temp_dir": str(options.temp_dir.absolute()) if options.temp_dir else None,
            "merge": options.effective_merge.value,
            "keep_segments": options.keep_segments,
        }
        extra = [] if stream is None else [stream]
        self._launch(setup, [ground.arena, *records, *credit, *extra], now)
