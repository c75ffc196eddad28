import os
import struct

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.processes.arena import Partitions
from pipeline.processes.lending import LENT_PER_CONNECTION, Lender
from pipeline.processes.records import drain_credits

PARTITIONS = Partitions(count=2, size=7)
THREADS = 1


class FakeArena:
    """Blocks of ten bytes."""

    def block(self, number):
        return memoryview(bytearray(10))


class Lending:
    """A lender, its pipes, and a downloader at each that takes and fills blocks."""

    def __init__(self):
        self.pipes = [os.pipe() for _ in range(PARTITIONS.count)]
        for reading, _ in self.pipes:
            os.set_blocking(reading, False)
        writing = [end for _, end in self.pipes]
        self.lender = Lender(FakeArena(), PARTITIONS, writing, THREADS)
        self.in_pipe = [[], []]  # lent, read here so that they can be looked at
        self.held = [[], []]
        self.dead = set()
        self.read()

    def read(self):
        for partition, (reading, _) in enumerate(self.pipes):
            try:
                data = os.read(reading, 4096)
            except BlockingIOError:
                continue
            self.in_pipe[partition] += [number for (number,) in struct.iter_unpack("<I", data)]

    def close(self):
        for ends in self.pipes:
            for end in ends:
                os.close(end)

    def fill(self, partition):
        if self.in_pipe[partition] and partition not in self.dead:
            number = self.in_pipe[partition].pop(0)
            self.held[partition].append(self.lender.take_in(number, 5))

    def release(self, partition):
        if self.held[partition]:
            self.held[partition].pop(0).release()

    def die(self, partition):
        self.lender.stop_lending(partition)
        self.dead.add(partition)

    def return_(self, partition):
        if partition in self.dead:
            os.set_blocking(self.pipes[partition][0], True)
            drain_credits(self.pipes[partition][0])
            os.set_blocking(self.pipes[partition][0], False)
            self.in_pipe[partition].clear()
            self.dead.discard(partition)
            self.lender.lend_again(partition)

    def check(self):
        for partition in range(PARTITIONS.count):
            lent = self.in_pipe[partition]
            held = [block.number for block in self.held[partition]]
            free = self.lender._free[partition]
            blocks = set(PARTITIONS.blocks(partition))
            assert sorted([*lent, *held, *free]) == sorted(blocks)
            assert self.lender.held[partition] == set(held)
            assert len(lent) <= THREADS * LENT_PER_CONNECTION
            if partition not in self.dead:
                assert len(lent) == THREADS * LENT_PER_CONNECTION or not free


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["fill", "fill", "fill", "release", "release", "die", "return_"]),
            st.sampled_from([0, 1]),
        ),
        max_size=60,
    )
)
def test_blocks_are_lent_held_or_free(steps):
    """Whatever happens, each block is in one place, and none is lent twice."""
    lending = Lending()
    try:
        lending.check()
        for verb, partition in steps:
            getattr(lending, verb)(partition)
            lending.read()
            lending.check()
    finally:
        lending.close()


def test_block_used_last_is_lent_first():
    """Memory that was never needed is never touched."""
    lending = Lending()
    seen = set()
    for _ in range(50):
        seen.add(lending.in_pipe[0][0])
        lending.fill(0)
        lending.release(0)
        lending.read()
    lending.close()

    assert len(seen) <= LENT_PER_CONNECTION + 1


def test_downloader_never_starves():
    """Held blocks beyond the mark are to be freed, so that some can always be lent."""
    lending = Lending()
    while lending.in_pipe[0]:
        lending.fill(0)
        lending.read()
        assert lending.in_pipe[0] or lending.lender.excess(0) > 0
    lending.close()

    assert lending.lender.excess(1) == 0
