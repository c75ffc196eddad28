"""The storage process: single owner of every stored byte.

It lends the blocks of the arena, takes them back filled, keeps the threshold counter, trips the
switch, and completes or removes every output. One thread, one wait; the supervisor's instructions
and the downloaders' records are all that it hears. Where bytes are kept is decided in
`store.segments`, how many may wait in the arena in `lending`.

Ends when it is told to, or when the supervisor is gone: in both cases nothing of an unfinished
download stays.
"""

import os
import selectors
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import HlspipeError, InternalError, StorageError, to_wire
from pipeline.options import MergeMode
from pipeline.processes import messages
from pipeline.processes.arena import Arena, Partitions
from pipeline.processes.channel import Receiver, Sender
from pipeline.processes.heart import start_heart
from pipeline.processes.lending import Lender
from pipeline.processes.records import NO_BLOCK, Mark, Record, RecordReader
from pipeline.store.care import Care
from pipeline.store.output import Output, open_output
from pipeline.store.part import kept_bytes
from pipeline.store.room import check_room, place_for
from pipeline.store.segments import SegmentStore
from pipeline.store.spill import SpillArea
from pipeline.store.stream_output import StreamOutput
from pipeline.store.sweep import likely_places, sweep
from pipeline.store.threshold import Threshold

#: How often figures are reported while they change, in seconds. Eye speed.
_REPORT_SECONDS = 0.1


#: Items that are gathered before the supervisor hears of them, and for how long at the most. One
#: message for each would wake it for each, and that costs more than storing a small segment does.
_GATHER_ITEMS = 8
_GATHER_SECONDS = 0.001


class _StopNow(Exception):
    """The supervisor wants an end, or is gone."""


@dataclass(frozen=True, slots=True)
class StorageSetup:
    """What storage is started with."""

    reports: int
    instructions: int
    arena: int
    records: list[int]
    credits: list[int]
    partition_size: int
    threads: int
    stream: int | None
    threshold: int | None
    temp_dir: str | None
    merge: str
    keep_segments: bool
    parent: int


def run(setup: dict[str, Any], reports: Sender) -> None:
    """The process's whole life."""
    Storage(StorageSetup(**setup), reports).serve()


class Storage:
    """The storage process: see the module's docstring."""

    def __init__(self, setup: StorageSetup, reports: Sender) -> None:
        """Map the arena and lend the first blocks."""
        self._setup = setup
        self._reports = reports
        partitions = Partitions(len(setup.records), setup.partition_size)
        arena = Arena(setup.arena, partitions.total_bytes)
        self._lender = Lender(arena, partitions, setup.credits, setup.threads)
        self._instructions = Receiver(setup.instructions)
        self._inbox: deque[Any] = deque()
        self._records = [RecordReader(number) for number in setup.records]
        self._threshold = Threshold(setup.threshold)
        self._stores: dict[int, SegmentStore] = {}
        self._area = SpillArea(self._choose_place, self._on_temp_directory)
        self._beside: Path | None = None
        self._expected_bytes: int | None = None
        self._state: messages.StorageState | None = None
        self._reported_at = 0.0
        # By job: items that the supervisor is to hear of, and whether their length is unverified.
        self._stored: dict[int, dict[int, bool]] = {}

    def serve(self) -> None:
        """Work until told to stop; leave nothing unfinished behind."""
        start_heart(self._reports)
        try:
            with selectors.DefaultSelector() as selector:
                self._loop(selector)
        except _StopNow:
            pass
        finally:
            self._clean_up()
        with suppress(OSError):
            self._reports.send(messages.Stopped())

    def _loop(self, selector: selectors.BaseSelector) -> None:
        selector.register(self._instructions, selectors.EVENT_READ, self._hear)
        for reader in self._records:
            selector.register(reader, selectors.EVENT_READ, reader)
        while True:
            ready = selector.select(_GATHER_SECONDS if self._stored else _REPORT_SECONDS)
            for key, _ in ready:
                if key.data == self._hear:
                    self._hear()
                else:
                    self._take(key.data)
            if not ready or sum(map(len, self._stored.values())) >= _GATHER_ITEMS:
                self._report_stored()
            while self._inbox:
                self._obey(self._inbox.popleft())
            self._report_state()

    # -- what the supervisor says ------------------------------------------------------------

    def _hear(self) -> None:
        """Collect instructions; an order to stop does not wait behind others."""
        for message in self._instructions.receive():
            if isinstance(message, messages.Stop):
                raise _StopNow
            self._inbox.append(message)
        if self._instructions.closed:
            raise _StopNow

    def _obey(self, message: messages.ToStorage) -> None:
        match message:
            case messages.OpenOutput():
                self._open(message)
            case messages.SkipItem(job, index):
                self._with_store(job, lambda store: store.skip(index))
            case messages.Publish(jobs):
                self._publish(jobs)
            case messages.Abandon(job):
                self._abandon(job)
            case messages.ForgetDownloader(partition):
                self._forget(partition)
            case messages.ServeDownloader(partition):
                self._lender.lend_again(partition)
            case messages.Stop():
                raise _StopNow

    def _open(self, order: messages.OpenOutput) -> None:
        path = Path(order.path) if order.path is not None else None
        sweep(likely_places(self._asked_place, path))
        try:
            if path is not None:
                self._beside = path.parent
                check_room(self._beside, _still_needed(order, path))
            output = self._output(order)
        except HlspipeError as error:
            self._reports.send(messages.JobFailed(order.job, *to_wire(error)))
            return
        self._expected_bytes = order.known_bytes
        merge = MergeMode(self._setup.merge)
        store = SegmentStore(order.job, order.items, output, self._area, merge, order.marks)
        self._stores[order.job] = store
        if self._threshold.mode == "disk":
            store.go_to_disk()
        self._reports.send(
            messages.OutputOpened(order.job, output.resumed, output.committed, output.notice)
        )

    def _output(self, order: messages.OpenOutput) -> Output:
        care = Care(order.force, order.checksum, order.fsync, order.kept_as)
        if order.path is not None:
            return open_output(Path(order.path), care, self._wait_writable)
        if self._setup.stream is None:
            raise InternalError("Storage was started without an output stream")
        return StreamOutput(os.dup(self._setup.stream), self._wait_writable, care)

    def _publish(self, jobs: list[int]) -> None:
        """Give all outputs their names once every one of them is whole."""
        keep = self._setup.keep_segments
        for job in jobs:
            self._with_store(job, lambda store: store.finish(keep, self._hear))
            if job not in self._stores:
                return
        for place, job in enumerate(jobs):
            self._with_store(job, SegmentStore.publish)
            if job not in self._stores:
                for earlier in jobs[:place]:
                    self._tidy(self._stores[earlier].unpublish)
                return
        for job in jobs:
            self._published(self._stores.pop(job))

    def _published(self, store: SegmentStore) -> None:
        self._threshold.add(store.resumed_bytes - store.bytes)
        self._report_state(now=True)
        output = store.output
        digest = output.digest.hexdigest()
        self._reports.send(
            messages.Published(store.job, output.committed, digest, list(store.offsets))
        )
        self._tidy(store.close)
        if not self._stores:
            self._tidy(lambda: self._close_area(keep=self._setup.keep_segments))

    def _abandon(self, job: int) -> None:
        store = self._stores.pop(job, None)
        if store is not None:
            self._threshold.add(store.resumed_bytes - store.bytes)
            self._tidy(store.discard)

    def _forget(self, partition: int) -> None:
        """Take in what the dead downloader still handed over."""
        self._lender.stop_lending(partition)
        while records := list(self._records[partition].take()):
            for record in records:
                self._store_record(partition, record)
        self._report_stored()
        self._reports.send(messages.DownloaderForgotten(partition))

    # -- what the downloaders hand over ------------------------------------------------------

    def _take(self, reader: RecordReader) -> None:
        partition = self._records.index(reader)
        for record in reader.take():
            self._store_record(partition, record)

    def _store_record(self, partition: int, record: Record) -> None:
        block = None
        if record.block != NO_BLOCK:
            block = self._lender.take_in(record.block, record.length)
        if record.job not in self._stores:
            if block is not None:
                block.release()
            return
        if record.mark == Mark.RETRACT:
            self._with_store(record.job, lambda store: self._retract(store, record))
            return
        self._with_store(record.job, lambda store: self._accept(store, record, block))
        self._relieve(partition)

    def _accept(self, store: SegmentStore, record: Record, block: Any) -> None:
        before = store.bytes
        last = record.mark in (Mark.LAST, Mark.LAST_UNVERIFIED)
        try:
            store.accept(record.index, record.lease, block, last)
        finally:
            tripped = self._threshold.add(store.bytes - before)
        if tripped or (store.starved and self._threshold.trip()):
            self._switch(store.starved)
        # Also for an item that came twice: whoever fetched it again is waiting for a word.
        if last and store.has(record.index):
            unverified = record.mark == Mark.LAST_UNVERIFIED
            self._stored.setdefault(store.job, {})[record.index] = unverified

    def _retract(self, store: SegmentStore, record: Record) -> None:
        before = store.bytes
        store.retract(record.index, record.lease)
        self._threshold.add(store.bytes - before)

    def _switch(self, starved: bool) -> None:
        """Memory -> disk, once and for all downloads."""
        self._reports.send(messages.DiskUsed(self._threshold.stored, starved))
        for job in list(self._stores):
            self._with_store(job, self._go_to_disk)

    def _go_to_disk(self, store: SegmentStore) -> None:
        self._area.open()
        store.go_to_disk()

    def _relieve(self, partition: int) -> None:
        """Move waiting blocks to files, the last needed first, until the downloader has room."""
        excess = self._lender.excess(partition)
        if not excess:
            return
        waiting = [
            (distance, store.job, index)
            for store in self._stores.values()
            for distance, index, home in store.waiting()
            if home == partition
        ]
        target = len(self._lender.held[partition]) - excess
        for _, job, index in sorted(set(waiting), reverse=True):
            if len(self._lender.held[partition]) <= target:
                break
            self._with_store(job, lambda store, index=index: store.spill(index))

    def _with_store(self, job: int, action: Any) -> None:
        """Do something to the store of `job`; an error ends that download and no other."""
        store = self._stores.get(job)
        if store is None:
            return
        try:
            action(store)
        except HlspipeError as error:
            self._abandon(job)
            self._reports.send(messages.JobFailed(job, *to_wire(error)))

    # -- places and figures ------------------------------------------------------------------

    @property
    def _asked_place(self) -> Path | None:
        return Path(self._setup.temp_dir) if self._setup.temp_dir else None

    def _choose_place(self) -> Any:
        return place_for(
            self._asked_place, self._beside, self._expected_bytes, MergeMode(self._setup.merge)
        )

    def _on_temp_directory(self, path: Path, reason: str | None) -> None:
        self._reports.send(messages.TempDirectoryMade(str(path), reason))

    def _close_area(self, keep: bool) -> None:
        path = self._area.close(keep)
        if path is not None:
            self._reports.send(messages.TempDirectoryGone(str(path), keep))

    def _tidy(self, action: Callable[[], None]) -> None:
        """What cannot be removed is told, and does not change how a download ends."""
        try:
            action()
        except StorageError as error:
            self._reports.send(messages.Complained(error.message))

    def _report_stored(self) -> None:
        """Tell which items have come in since the last time, in one message for each job."""
        reports = [
            messages.ItemsStored(
                job,
                list(items),
                self._stores[job].bytes,
                [index for index, unverified in items.items() if unverified],
            )
            for job, items in self._stored.items()
            if job in self._stores
        ]
        self._stored.clear()
        if reports:
            self._reports.send(*reports)

    def _report_state(self, now: bool = False) -> None:
        clock = time.monotonic()
        if not now and clock - self._reported_at < _REPORT_SECONDS:
            return
        state = messages.StorageState(
            [[store.job, store.bytes] for store in self._stores.values()],
            self._area.bytes,
            self._area.peak_bytes,
            self._area.spilled_bytes,
        )
        if state != self._state:
            self._reports.send(state)
            self._state, self._reported_at = state, clock

    def _wait_writable(self, descriptor: int) -> None:
        """Wait until a slow reader of the stream has taken something, or an end is wanted."""
        with selectors.DefaultSelector() as selector:
            selector.register(descriptor, selectors.EVENT_WRITE)
            selector.register(self._instructions, selectors.EVENT_READ)
            ready = {key.fd for key, _ in selector.select()}
        if self._instructions.fileno() in ready:
            self._hear()

    def _clean_up(self) -> None:
        for job in list(self._stores):
            with suppress(OSError):
                self._abandon(job)
        with suppress(OSError):
            self._tidy(lambda: self._close_area(keep=False))


def _still_needed(order: messages.OpenOutput, path: Path) -> int | None:
    """Bytes that an output may yet take; None if nobody knows."""
    if order.known_bytes is None or order.kept_as is None:
        return order.known_bytes
    return max(0, order.known_bytes - kept_bytes(path))
