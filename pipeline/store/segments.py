"""The store of one download: items in any order in, one output in order out.

Owns the payload of every item until it is written: in memory below the threshold, and beyond it
in the output (an item in turn), in arena blocks (out of turn, while there is room) or in segment
files. The order within one item is always: its file, then its memory, then its blocks.

Covers what is kept where. Decided elsewhere: when to leave memory (`threshold`), how many blocks
may wait (the storage process, which knows all downloads).
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pipeline.errors import InternalError
from pipeline.options import MergeMode
from pipeline.store.memory import MemoryPiece, MemoryPool
from pipeline.store.output import Output
from pipeline.store.spill import SpillArea, SpillFile
from pipeline.units import MIB, format_mb

#: Bytes written between two looks at whether the output is still wanted: some milliseconds.
_BETWEEN_LOOKS = 8 * MIB


class Part(Protocol):
    """Payload bytes that the store holds. `release` gives them up; exactly once."""

    @property
    def view(self) -> memoryview: ...

    def release(self) -> None: ...


class Block(Part, Protocol):
    """A part that was lent, out of a partition of the arena."""

    partition: int


@dataclass(slots=True)
class Holding:
    """What the store has of one item."""

    lease: int  # the try that these bytes come from
    complete: bool = False
    size: int = 0
    file: SpillFile | None = None
    memory: deque[MemoryPiece] = field(default_factory=deque)
    blocks: deque[Block] = field(default_factory=deque)

    def take(self) -> Iterator[Part]:
        """Each part in order; a part belongs to the caller from the moment it is handed out."""
        while self.memory:
            yield self.memory.popleft()
        while self.blocks:
            yield self.blocks.popleft()


class SegmentStore:
    """Takes the items of one plan as they come and completes one output."""

    def __init__(
        self,
        job: int,
        items: int,
        output: Output,
        area: SpillArea,
        merge: MergeMode,
        marks: Sequence[int] = (),
    ) -> None:
        """A store for `items` items of a plan, numbered from 0; `output` may have some already.

        Of the items `marks` (in order) it is noted where in the output they begin.
        """
        self.job = job
        self.items = items
        self.output = output
        self._area = area
        self._merge = merge
        self._at_once = output.in_turn
        self.resumed_bytes = output.committed  # of `bytes`: never fetched, never in memory
        self._pool = MemoryPool()
        self._on_disk = False
        self.starved = False  # there was no memory: what is held must go to disk now
        self._cursor = output.resumed  # the item in turn: all before it are in the output
        self._holdings: dict[int, Holding] = {}
        self._skipped: set[int] = set()
        self.bytes = output.committed  # payload, held or written, of whole and partial items
        self._marks = deque(marks)
        self.offsets: list[int] = []  # of those that are written
        while self._marks and self._marks[0] < self._cursor:
            self.offsets.append(output.offset_of(self._marks.popleft()))

    def __repr__(self) -> str:
        where = "disk" if self._on_disk else "memory"
        return f"<SegmentStore [{where}: {len(self._holdings)} held, {format_mb(self.bytes)}]>"

    # -- taking items in ---------------------------------------------------------------------

    def accept(self, index: int, lease: int, block: Block | None, last: bool) -> bool:
        """Take one block of item `index`; True when the item is complete with it.

        A block of a try that has been superseded is given back untouched.
        """
        holding = self._current(index, lease)
        if holding is None:
            if block is not None:
                block.release()
            return False
        if block is not None:
            self._keep(index, holding, block)
        holding.complete = last
        if self._eager:
            self._advance()
        return last

    def retract(self, index: int, lease: int) -> None:
        """Forget what the try `lease` brought of item `index`: it failed."""
        holding = self._holdings.get(index)
        if holding is not None and holding.lease == lease and not holding.complete:
            self._drop(index)

    def skip(self, index: int) -> None:
        """Do without item `index`: the user allows gaps. One that is here after all stays."""
        if self.has(index):
            return
        if index in self._holdings:
            self._drop(index)
        self._skipped.add(index)
        if self._eager:
            self._advance()

    def has(self, index: int) -> bool:
        """Whether item `index` is here as a whole."""
        holding = self._holdings.get(index)
        return index < self._cursor or (holding is not None and holding.complete)

    def _current(self, index: int, lease: int) -> Holding | None:
        """The holding that a block of this try belongs to, or None if the try is superseded."""
        if index < self._cursor or index in self._skipped:
            return None
        holding = self._holdings.get(index)
        if holding is not None and (holding.complete or lease < holding.lease):
            return None
        if holding is not None and lease > holding.lease:
            self._drop(index)
            holding = None
        if holding is None:
            holding = self._holdings[index] = Holding(lease)
        return holding

    def _keep(self, index: int, holding: Holding, block: Block) -> None:
        size = len(block.view)
        holding.size += size
        self.bytes += size
        if self._on_disk and self._merge is MergeMode.STREAM and holding.file is None:
            holding.blocks.append(block)
        elif self._on_disk:
            try:
                self._to_file(index, holding, [block.view])
            finally:
                block.release()
        else:
            self._to_memory(holding, block)

    def _to_memory(self, holding: Holding, block: Block) -> None:
        """Copy a block, or hold on to it once the system has no memory for copies."""
        if not self.starved:
            try:
                holding.memory += self._pool.store(block.view)
            except OSError:
                self.starved = True
            else:
                block.release()
                return
        holding.blocks.append(block)

    def _drop(self, index: int) -> None:
        holding = self._holdings.pop(index)
        self.bytes -= holding.size
        self._free(holding)
        if index == self._cursor:
            self.output.rollback()

    def _free(self, holding: Holding) -> None:
        for part in holding.take():
            part.release()
        if holding.file is not None:
            self._area.delete(holding.file)
            holding.file = None

    # -- leaving memory ----------------------------------------------------------------------

    def go_to_disk(self) -> None:
        """The switch: what is in turn goes to the output, all else to files. Never back."""
        self._on_disk = True
        if self._eager:
            self._advance()
        for index in sorted(self._holdings):
            self._spill(index)

    def waiting(self) -> Iterator[tuple[int, int, int]]:
        """(distance from its turn, index, partition) for each block that waits in the arena."""
        for index, holding in self._holdings.items():
            for block in holding.blocks:
                yield index - self._cursor, index, block.partition

    def spill(self, index: int) -> None:
        """Move the blocks of item `index` to its file, to make room in the arena."""
        self._spill(index)

    def _spill(self, index: int) -> None:
        holding = self._holdings[index]
        parts: list[Part] = [*holding.memory, *holding.blocks]
        if not parts:
            return
        self._to_file(index, holding, [part.view for part in parts])
        for part in holding.take():
            part.release()

    def _to_file(self, index: int, holding: Holding, views: list[memoryview]) -> None:
        if holding.file is None:
            holding.file = self._area.create(self.job, index)
        self._area.append(holding.file, views)

    # -- the output --------------------------------------------------------------------------

    @property
    def _eager(self) -> bool:
        """Whether items are written as their turn comes, and not all at the end.

        A stream is never kept waiting, and what is to survive a kill is not left in memory;
        otherwise a file is not touched before memory is left.
        """
        if self._merge is MergeMode.END:
            return False
        return self._on_disk or self._at_once

    @property
    def complete(self) -> bool:
        """Whether every item is here, or skipped on purpose."""
        return self._cursor + self._whole_items() + len(self._skipped) >= self.items

    def _whole_items(self) -> int:
        return sum(holding.complete for holding in self._holdings.values())

    def _advance(self, most: int = 1 << 62) -> bool:
        """Write what is in turn, as far as it goes or about `most` bytes; True if there is more."""
        end = self.output.committed + most
        while self._cursor < self.items:
            if self.output.committed >= end:
                return True
            self._note_mark(self._cursor, self.output.committed)
            if self._cursor in self._skipped:
                self._skipped.discard(self._cursor)
            else:
                holding = self._holdings.get(self._cursor)
                if holding is None or not self._write(holding):
                    return False
                del self._holdings[self._cursor]
            self._cursor += 1
        return False

    def _write(self, holding: Holding) -> bool:
        """Write what there is of the item in turn; True when that completes it."""
        if not holding.complete and not self.output.takes_partial:
            return False
        if holding.file is not None:
            self._area.write_to(holding.file, self.output)
            self._area.delete(holding.file)
            holding.file = None
        for part in holding.take():
            try:
                self.output.write(part.view)
            finally:
                part.release()
        if holding.complete:
            self.output.commit(self._cursor)
        return holding.complete

    def finish(self, keep_files: bool, still_wanted: Callable[[], None]) -> None:
        """Write what is still held: the output is whole then, and has everything but its name.

        `still_wanted` is called now and then, and raises if it is not. Raises InternalError if an
        item is missing (an incomplete file is never published), and StorageError.
        """
        if not self.complete:
            raise InternalError(f"Asked to publish an incomplete output: {self!r}")
        self.output.reserve(sum(holding.size for holding in self._holdings.values()))
        if keep_files:
            self._write_copies(still_wanted)
        while self._advance(most=_BETWEEN_LOOKS):
            still_wanted()
        still_wanted()
        self.output.settle()

    def publish(self) -> None:
        """Give the output its name, after `finish`. Raises HlspipeError."""
        self.output.publish()

    def _write_copies(self, still_wanted: Callable[[], None]) -> None:
        """Write the output from the segment files, and leave those."""
        end = self.output.committed
        for index in sorted(self._holdings):
            still_wanted()
            self._note_mark(index, end)
            holding = self._holdings.pop(index)
            end += holding.size
            if holding.file is not None:
                self._area.write_to(holding.file, self.output)
        self._note_mark(self.items, end)
        self.output.commit(self.items - 1)
        self._cursor = self.items

    def _note_mark(self, index: int, offset: int) -> None:
        """The item `index` begins at `offset`, and what was marked and left out before it, too."""
        while self._marks and self._marks[0] <= index:
            self._marks.popleft()
            self.offsets.append(offset)

    def unpublish(self) -> None:
        """Take the output's name back: another one that belongs to it has none."""
        self.output.unpublish()

    def close(self) -> None:
        """Let go of the output that has been published. Raises StorageError: something stays."""
        self.output.close()

    def discard(self) -> None:
        """Give everything up: nothing of this download stays. Raises StorageError if it does."""
        for holding in self._holdings.values():
            self._free(holding)
        self._holdings.clear()
        self.output.discard()
