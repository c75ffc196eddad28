import errno
import itertools
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.errors import InternalError
from pipeline.options import MergeMode
from pipeline.store.memory import MemoryPool
from pipeline.store.segments import SegmentStore
from tests.store.fakes import FakeBlock, FakeOutput, spill_area

#: The blocks of a few items: their contents tell them apart.
ITEMS = st.lists(st.lists(st.binary(max_size=40), min_size=1, max_size=4), min_size=1, max_size=6)


class NoMemory:
    """A pool on a machine that has none left."""

    def store(self, payload):
        raise OSError(errno.ENOMEM, "Cannot allocate memory")


class Delivery:
    """Feeds a store with the items' blocks in an order that hypothesis chooses."""

    def __init__(self, data, tmp_path, items, merge, takes_partial, in_turn):
        self.data = data
        self.items = items
        self.area = spill_area(tmp_path)
        self.output = FakeOutput(takes_partial=takes_partial, in_turn=in_turn)
        marks = [index for index in range(len(items)) if data.draw(st.booleans())]
        self.marks = marks
        self.store = SegmentStore(0, len(items), self.output, self.area, merge, marks)
        self.blocks = []
        self.skipped = set()
        self.leases = Counter()
        self.sent = Counter()  # blocks of the present try
        self.open = set(range(len(items)))

    def block(self, content):
        block = FakeBlock(content, partition=len(content) % 2)
        self.blocks.append(block)
        return block

    def run(self):
        while self.open:
            verbs = ["send"] * 5 + ["restart", "retract", "late", "skip", "disk", "spill", "starve"]
            getattr(self, self.data.draw(st.sampled_from(verbs)))()

    def starve(self):
        """The next blocks find no memory, until there is some again: that is too late then."""
        if isinstance(self.store._pool, NoMemory):
            self.store._pool = MemoryPool()
        else:
            self.store._pool = NoMemory()

    def some_item(self):
        return self.data.draw(st.sampled_from(sorted(self.open)))

    def send(self):
        index = self.some_item()
        place = self.sent[index]
        last = place + 1 == len(self.items[index])
        content = self.items[index][place]
        block = self.block(content) if content or self.data.draw(st.booleans()) else None
        done = self.store.accept(index, self.leases[index], block, last)
        self.sent[index] += 1
        assert done == last
        assert self.store.has(index) == last
        if last:
            self.open.discard(index)

    def restart(self):
        self.begin_again(self.some_item())

    def retract(self):
        index = self.some_item()
        self.store.retract(index, self.leases[index])
        self.begin_again(index)

    def begin_again(self, index):
        self.leases[index] += 1
        self.sent[index] = 0

    def late(self):
        """A block, or the end, of a try that is over, of any item at all."""
        index = self.data.draw(st.integers(0, len(self.items) - 1))
        if not self.sent[index] and index not in self.skipped:
            return  # the newer try has not begun: the old one is not superseded yet
        lease = self.leases[index] - 1
        self.store.retract(index, lease)
        late = self.block(b"of a try that is over")

        assert self.store.accept(index, lease, late, last=True) is False
        assert late.released == 1

    def skip(self):
        if self.data.draw(st.integers(0, 3)):
            return
        index = self.some_item()
        self.store.skip(index)
        self.skipped.add(index)
        self.open.discard(index)

    def disk(self):
        self.store.go_to_disk()

    def spill(self):
        waiting = sorted({index for _, index, _ in self.store.waiting()})
        if waiting:
            index = self.data.draw(st.sampled_from(waiting))
            self.store.spill(index)
            assert index not in {index for _, index, _ in self.store.waiting()}

    @property
    def expected(self):
        kept = (item for index, item in enumerate(self.items) if index not in self.skipped)
        return b"".join(itertools.chain.from_iterable(kept))

    @property
    def expected_offsets(self):
        """Where the marked items begin; one that was left out, where the next one does."""
        sizes = [
            0 if index in self.skipped else sum(map(len, item))
            for index, item in enumerate(self.items)
        ]
        return [sum(sizes[:mark]) for mark in self.marks]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data(), ITEMS, st.sampled_from(MergeMode), st.booleans(), st.booleans())
def test_any_arrival_order(tmp_path_factory, data, items, merge, takes_partial, in_turn):
    """However items come, fail and move, the output is the items in order; no block is lost."""
    tmp_path = tmp_path_factory.getbasetemp()
    delivery = Delivery(data, tmp_path, items, merge, takes_partial, in_turn)
    try:
        delivery.run()
        assert delivery.store.complete
        assert delivery.store.bytes == len(delivery.expected)
        delivery.store.finish(keep_files=False, still_wanted=lambda: None)

        assert delivery.output.data == delivery.expected
        assert delivery.store.offsets == delivery.expected_offsets
        assert delivery.output.settled
        assert all(block.released == 1 for block in delivery.blocks)
        assert delivery.area.bytes == 0
    finally:
        delivery.area.close()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data(), ITEMS, st.sampled_from(MergeMode), st.booleans(), st.booleans())
def test_giving_up_at_any_moment(tmp_path_factory, data, items, merge, takes_partial, in_turn):
    """Whenever a download is given up, its blocks go back and its files and output go away."""
    tmp_path = tmp_path_factory.getbasetemp()
    delivery = Delivery(data, tmp_path, [*items, [b"never sent"]], merge, takes_partial, in_turn)
    try:
        delivery.open.discard(len(items))
        delivery.run()
        assert not delivery.store.complete
        with pytest.raises(InternalError, match="incomplete"):
            delivery.store.finish(keep_files=False, still_wanted=lambda: None)
        assert not delivery.output.published
        delivery.store.discard()

        assert delivery.output.discarded
        assert all(block.released == 1 for block in delivery.blocks)
        assert delivery.area.bytes == 0
    finally:
        delivery.area.close()


@pytest.fixture
def area(tmp_path):
    """An area that is closed in the end."""
    found = spill_area(tmp_path)
    yield found
    found.close()


def test_nothing_is_written_before_memory_is_left(area):
    """Below the threshold a file output is not touched before the end."""
    output = FakeOutput()
    store = SegmentStore(0, 2, output, area, MergeMode.STREAM)
    store.accept(0, 1, FakeBlock(b"first"), last=True)

    assert output.data == b""
    assert repr(store) == "<SegmentStore [memory: 1 held, 0.0 MB]>"


def test_in_turn_item_leaves_as_it_comes(area):
    """On disk, part of the item in turn is in the output before the rest is here."""
    output = FakeOutput()
    store = SegmentStore(0, 2, output, area, MergeMode.STREAM)
    store.go_to_disk()
    store.accept(0, 1, FakeBlock(b"half"), last=False)

    assert output.data == b"half"
    assert output.committed == 0
    assert area.path is None


def test_failed_try_is_taken_back_out_of_the_output(area):
    """What a failed try left in the output is replaced by the next one's bytes."""
    output = FakeOutput()
    store = SegmentStore(0, 1, output, area, MergeMode.STREAM)
    store.go_to_disk()
    store.accept(0, 1, FakeBlock(b"wrong"), last=False)
    store.retract(0, 1)
    store.accept(0, 2, FakeBlock(b"right"), last=True)
    store.finish(keep_files=False, still_wanted=lambda: None)

    assert output.data == b"right"
    assert output.indexes == [0]


def test_superseded_try_cannot_retract_the_newer_one(area):
    """A retract that comes late does not touch what another try has brought."""
    store = SegmentStore(0, 1, FakeOutput(), area, MergeMode.STREAM)
    store.accept(0, 2, FakeBlock(b"new"), last=True)
    store.retract(0, 1)
    store.retract(0, 2)

    assert store.has(0)


def test_waiting_blocks_are_named_by_distance_and_partition(area):
    """Storage learns how far from its turn each waiting block is, and whose it is."""
    store = SegmentStore(0, 4, FakeOutput(), area, MergeMode.STREAM)
    store.go_to_disk()
    store.accept(3, 1, FakeBlock(b"a", partition=1), last=False)
    store.accept(3, 1, FakeBlock(b"b", partition=1), last=True)

    assert list(store.waiting()) == [(3, 3, 1), (3, 3, 1)]


def test_resumed_items_are_not_asked_for(area):
    """Items that the output had already count as here, and blocks of them are given back."""
    output = FakeOutput(in_turn=True, committed=5, resumed=2, data=bytearray(b"01234"))
    output.offsets = [0, 2]
    store = SegmentStore(0, 3, output, area, MergeMode.STREAM, [0, 1, 2])
    stray = FakeBlock(b"stray")
    store.accept(1, 9, stray, last=True)
    store.accept(2, 1, FakeBlock(b"5"), last=True)
    store.finish(keep_files=False, still_wanted=lambda: None)

    assert (stray.released, output.data, store.resumed_bytes) == (1, b"012345", 5)
    assert store.offsets == [0, 2, 5]


def test_store_without_memory_says_so(area):
    """The block is held where it is, until the store is told to go to disk."""
    output, block = FakeOutput(), FakeBlock(b"second")
    store = SegmentStore(0, 2, output, area, MergeMode.END)
    store._pool = NoMemory()
    store.accept(1, 1, block, last=True)
    assert (store.starved, block.released) == (True, 0)
    store.go_to_disk()
    store.accept(0, 1, FakeBlock(b"first"), last=True)
    store.finish(keep_files=False, still_wanted=lambda: None)

    assert (block.released, output.data) == (1, b"firstsecond")


def test_kept_files_stay(area):
    """With files kept, the output is a copy of them, and they are still there."""
    output = FakeOutput()
    store = SegmentStore(0, 4, output, area, MergeMode.END, [1, 2, 3])
    store.go_to_disk()
    store.skip(3)
    store.accept(2, 1, FakeBlock(b"three"), last=True)
    store.accept(1, 1, None, last=True)
    store.accept(0, 1, FakeBlock(b"one"), last=True)
    store.finish(keep_files=True, still_wanted=lambda: None)

    assert output.data == b"onethree"
    assert store.offsets == [3, 3, 8]
    assert sorted(path.read_bytes() for path in area.path.glob("segment_*")) == [b"one", b"three"]


def test_finish_stops_when_it_is_no_longer_wanted(area):
    """An output that nobody wants any more is not completed."""

    def refuse():
        raise KeyboardInterrupt

    output = FakeOutput()
    store = SegmentStore(0, 1, output, area, MergeMode.STREAM)
    store.accept(0, 1, FakeBlock(b"x"), last=True)
    with pytest.raises(KeyboardInterrupt):
        store.finish(keep_files=False, still_wanted=refuse)

    assert not output.settled


def test_block_is_released_when_the_output_fails(area):
    """A block goes back even if writing it failed."""

    class Full(FakeOutput):
        def write(self, data):
            raise OSError("full")

    store = SegmentStore(0, 1, Full(), area, MergeMode.STREAM)
    store.go_to_disk()
    block = FakeBlock(b"x")
    with pytest.raises(OSError, match="full"):
        store.accept(0, 1, block, last=True)

    assert block.released == 1
