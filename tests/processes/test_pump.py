"""Segments on their way through a downloader: which records come out, and that no block is lost."""

import os
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import DecryptionError
from pipeline.net.body import Bytes
from pipeline.net.failure import FetchFailure, broken
from pipeline.processes.arena import BLOCK_BYTES, Arena, create_arena
from pipeline.processes.messages import FetchSegment
from pipeline.processes.pump import Pump
from pipeline.processes.records import BlockSource, Mark, RecordReader, RecordWriter, lend
from tests.support.payloads import payload
from tests.support.streams import encrypt

#: What storage lends to one connection.
LENT = 3
KEY, IV = bytes(range(16)), bytes(16)
MEDIA = payload(0, 5 * BLOCK_BYTES)
GARBAGE = b"\x00\x01\x02" * (2 * BLOCK_BYTES)


class Broken(Bytes):
    """A body that breaks off once everything has been read."""

    @property
    def ended(self) -> bool:
        return False

    def readinto(self, view: memoryview) -> int:
        if (size := super().readinto(view)) < len(view):
            raise broken("reset")
        return size


@dataclass
class Storage:
    """The other end: takes records, and lends their blocks again."""

    def __post_init__(self) -> None:
        self.arena_file = create_arena(LENT * BLOCK_BYTES)
        self.arena = Arena(self.arena_file, LENT * BLOCK_BYTES)
        self.credits, self.records = os.pipe(), os.pipe()
        self.reader = RecordReader(self.records[0])
        for number in range(LENT):
            lend(self.credits[1], number)
        source, writer = BlockSource(self.credits[0]), RecordWriter(self.records[1])
        self.pump = Pump(self.arena, source, writer)
        self.received = bytearray()
        self.marks: list[Mark] = []
        # Without it, a thread that lacks a block would wait for ever.
        os.set_blocking(self.credits[0], False)

    def take_in(self) -> None:
        """Everything that has come by now."""
        for record in self.reader.take():
            self.marks.append(Mark(record.mark))
            if record.length:
                with self.arena.block(record.block) as view:
                    self.received += view[: record.length]
                lend(self.credits[1], record.block)

    def close(self) -> None:
        for descriptor in (self.arena_file, *self.credits, *self.records):
            os.close(descriptor)


class Watched(Bytes):
    """A body between whose reads storage has its turn."""

    def __init__(self, data: bytes, storage: Storage) -> None:
        super().__init__(data)
        self._storage = storage

    def readinto(self, view: memoryview) -> int:
        self._storage.take_in()
        return super().readinto(view)


@pytest.fixture
def storage():
    """A storage that lends three blocks."""
    found = Storage()
    yield found
    found.close()


def order(**more: object) -> FetchSegment:
    """A segment to fetch."""
    return FetchSegment(0, 0, 0, 1, "http://host/0.ts", None, None)._replace(**more)


@pytest.mark.parametrize("size", [0, 1, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, len(MEDIA)])
def test_a_segment_of_any_size(size: int, storage: Storage) -> None:
    """It passes through two blocks; the last record says that it is the last."""
    storage.pump.run(order(), Watched(MEDIA[:size], storage))
    storage.take_in()

    assert storage.received == MEDIA[:size]
    assert storage.marks[-1] is Mark.LAST
    assert set(storage.marks[:-1]) <= {Mark.MORE}


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 3 * BLOCK_BYTES))
def test_what_is_decrypted(size: int) -> None:
    """Block by block, and without its padding."""
    storage = Storage()
    try:
        sealed = b"".join(map(bytes, encrypt([MEDIA[:size]], KEY, IV)))
        asked = order(method="AES-128", key=KEY, iv=IV)
        storage.pump.run(asked, Watched(sealed, storage))
        storage.take_in()
        assert storage.received == MEDIA[:size]
    finally:
        storage.close()


BAD = {
    "no media": (order(), lambda: Bytes(GARBAGE), FetchFailure),
    "a little that is no media": (order(), lambda: Bytes(GARBAGE[:100]), FetchFailure),
    "a reset": (order(), lambda: Broken(MEDIA[:1000]), FetchFailure),
    "a reset between blocks": (order(), lambda: Broken(MEDIA[:BLOCK_BYTES]), FetchFailure),
    "another key": (
        order(method="AES-128", key=KEY, iv=IV),
        lambda: Bytes(GARBAGE[: 5 * BLOCK_BYTES]),
        DecryptionError,
    ),
    "half a cipher block": (
        order(method="AES-128", key=KEY, iv=IV),
        lambda: Bytes(MEDIA[: BLOCK_BYTES + 5]),
        (DecryptionError, FetchFailure),
    ),
}


@pytest.mark.parametrize(("asked", "body", "error"), BAD.values(), ids=BAD)
def test_no_block_is_lost(asked, body, error, storage: Storage) -> None:
    """However often it fails, and wherever: the next segment has what it takes."""
    for _ in range(3 * LENT):
        with pytest.raises(error):
            storage.pump.run(asked, body())
        storage.take_in()
    storage.received.clear()

    storage.pump.run(order(), Watched(MEDIA, storage))
    storage.take_in()
    assert storage.received == MEDIA
