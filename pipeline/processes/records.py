"""The queue of one downloader to storage, and the way blocks come back: fixed-size records.

One pipe each way per downloader, with one process at each end. No lock and no pickle: a record is
far smaller than PIPE_BUF, so the kernel takes it whole or not at all, and a process killed at any
instant can neither tear one nor hold up anybody else. See docs/decisions/002.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from struct import Struct

NO_BLOCK = 0xFFFFFFFF

_RECORD = Struct("<IIIIII")
_CREDIT = Struct("<I")

#: Records taken by one read: 64 of them are 16 MiB of payload.
_BATCH = 64 * _RECORD.size


class Mark(IntEnum):
    """What a record says beside its payload."""

    MORE = 0  # further blocks of this item follow
    LAST = 1  # the item is complete with this block
    RETRACT = 2  # the try failed: forget what it brought
    LAST_UNVERIFIED = 3  # as LAST, for all that can be told: nobody announced its length


@dataclass(frozen=True, slots=True)
class Record:
    """One filled block of one item, on its way to storage."""

    job: int
    index: int
    lease: int
    block: int  # or NO_BLOCK: an item may be empty
    length: int
    mark: int


class RecordWriter:
    """A downloader's end. Safe from any thread: each write is one atomic record."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def put(self, record: Record) -> None:
        """Queue `record`; waits while the pipe is full."""
        fields = (record.job, record.index, record.lease, record.block, record.length, record.mark)
        os.write(self._descriptor, _RECORD.pack(*fields))


class RecordReader:
    """Storage's end of one queue."""

    def __init__(self, descriptor: int) -> None:
        os.set_blocking(descriptor, False)
        self._descriptor = descriptor

    def fileno(self) -> int:
        """The descriptor to wait on."""
        return self._descriptor

    def take(self) -> Iterator[Record]:
        """The records that are there now; none is no error."""
        data = b""
        with suppress(BlockingIOError):
            data = os.read(self._descriptor, _BATCH)
        for fields in _RECORD.iter_unpack(data):
            yield Record(*fields)


class BlockSource:
    """A downloader's end of the way back: free blocks, as storage lends them.

    The pipe itself is the queue: a thread that needs a block reads one number, in the kernel and
    without the interpreter's lock, and sleeps there while there is none. That is the back-pressure.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def take(self) -> int:
        """The number of a free block; waits for one. Raises EOFError when storage is gone."""
        data = os.read(self._descriptor, _CREDIT.size)
        if not data:
            raise EOFError("storage has closed the way back")
        number: int = _CREDIT.unpack(data)[0]
        return number


def lend(descriptor: int, block: int) -> None:
    """Storage's side: hand a free block to the downloader at the other end."""
    os.write(descriptor, _CREDIT.pack(block))


def drain_credits(descriptor: int) -> None:
    """Throw away the blocks that a dead downloader was lent and never took."""
    os.set_blocking(descriptor, False)
    with suppress(BlockingIOError):
        while os.read(descriptor, 4096):
            pass
    os.set_blocking(descriptor, True)
