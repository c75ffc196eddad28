"""Stand-ins for what surrounds the store: an output and blocks that keep account."""

from dataclasses import dataclass, field
from pathlib import Path

from pipeline.store.digest import Digest
from pipeline.store.spill import SpillArea
from pipeline.store.tempdir import Place


@dataclass
class FakeOutput:
    """An output in memory, as strict as the contract of `store.output.Output`."""

    takes_partial: bool = True
    in_turn: bool = False
    committed: int = 0
    resumed: int = 0
    digest: Digest = field(default_factory=lambda: Digest(False))
    data: bytearray = field(default_factory=bytearray)
    indexes: list[int] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)  # of the items that were there already
    settled: bool = False
    published: bool = False
    closed: bool = False
    discarded: bool = False
    examines: bool = False

    def offset_of(self, item: int) -> int:
        return self.offsets[item]

    def write(self, data: memoryview) -> None:
        assert not self.published
        assert not self.discarded
        self.data += data

    def commit(self, index: int) -> None:
        assert index > (self.indexes[-1] if self.indexes else -1), "items are committed in order"
        self.indexes.append(index)
        self.committed = len(self.data)

    def rollback(self) -> None:
        if not self.takes_partial:
            assert len(self.data) == self.committed, "nothing that left can be called back"
        del self.data[self.committed :]

    def reserve(self, size: int) -> None:
        assert size >= 0

    def settle(self) -> None:
        assert len(self.data) == self.committed
        self.settled = True

    def publish(self) -> None:
        assert self.settled
        self.published = True

    def unpublish(self) -> None:
        assert self.published
        self.published = False

    def close(self) -> None:
        assert self.published
        self.closed = True

    def discard(self) -> None:
        self.discarded = True


class FakeBlock:
    """A block that may be released once."""

    def __init__(self, data: bytes, partition: int = 0) -> None:
        self.partition = partition
        self.view = memoryview(data)
        self.released = 0

    def release(self) -> None:
        self.released += 1
        self.view.release()


def spill_area(parent: Path) -> SpillArea:
    """An area for segment files below `parent`."""
    return SpillArea(lambda: Place(parent), lambda path, reason: None)
