"""Who has which block of the arena: storage owns all of them and lends them out.

A block is free (here), lent (on its way to a downloader, or being filled there) or held (filled,
in storage's hands until its payload is written). Each downloader has a partition of its own, so
its death costs nobody else a block.
"""

from pipeline.processes.arena import Arena, Partitions
from pipeline.processes.records import lend
from pipeline.store.threshold import SpillPolicy

#: Blocks lent for each connection: one being filled, one filled and waiting for its successor,
#: one on the way, so that a thread does not wait for storage's turn on the CPU.
LENT_PER_CONNECTION = 3


class HeldBlock:
    """A filled block in storage's hands (`store.segments.Block`)."""

    __slots__ = ("_lender", "number", "partition", "view")

    def __init__(self, lender: "Lender", number: int, partition: int, view: memoryview) -> None:
        self._lender = lender
        self.number = number
        self.partition = partition
        self.view = view

    def release(self) -> None:
        """The payload is elsewhere: the block may be lent again."""
        self.view.release()
        self._lender.free(self)


class Lender:
    """Lends blocks to downloaders, lowest bookkeeping first: a free block is used again at once.

    Free blocks are a stack: the one used last is the one in the caches, and memory that was never
    needed is never touched.
    """

    def __init__(
        self, arena: Arena, partitions: Partitions, descriptors: list[int], threads: int
    ) -> None:
        """`descriptors`: one pipe to each downloader; `threads`: connections of each."""
        self._arena = arena
        self._partitions = partitions
        self._descriptors = descriptors
        self._ahead = threads * LENT_PER_CONNECTION
        self._free = [list(reversed(partitions.blocks(p))) for p in range(partitions.count)]
        self._lent = [0] * partitions.count
        self._orphaned: set[int] = set()  # partitions whose downloader is dead
        self.held: list[set[int]] = [set() for _ in range(partitions.count)]
        self.policy = SpillPolicy.for_partition(partitions.size, self._ahead)
        for partition in range(partitions.count):
            self._top_up(partition)

    def take_in(self, number: int, length: int) -> HeldBlock:
        """A downloader has filled block `number` with `length` bytes and handed it over."""
        partition = self._partitions.of(number)
        self._lent[partition] -= 1
        self.held[partition].add(number)
        self._top_up(partition)
        return HeldBlock(self, number, partition, self._arena.block(number)[:length])

    def free(self, block: HeldBlock) -> None:
        """A held block is free again."""
        self.held[block.partition].discard(block.number)
        self._free[block.partition].append(block.number)
        self._top_up(block.partition)

    def excess(self, partition: int) -> int:
        """How many held blocks of the partition must be freed for its downloader to go on."""
        return self.policy.excess(len(self.held[partition]))

    def stop_lending(self, partition: int) -> None:
        """The downloader is dead: a block lent from now on would be lent to nobody."""
        self._orphaned.add(partition)

    def lend_again(self, partition: int) -> None:
        """A new downloader is there, and its pipe is empty: all that is not held is free."""
        held = self.held[partition]
        self._free[partition] = [
            number for number in reversed(self._partitions.blocks(partition)) if number not in held
        ]
        self._lent[partition] = 0
        self._orphaned.discard(partition)
        self._top_up(partition)

    def _top_up(self, partition: int) -> None:
        if partition in self._orphaned:
            return
        free = self._free[partition]
        while free and self._lent[partition] < self._ahead:
            self._lent[partition] += 1
            lend(self._descriptors[partition], free.pop())
