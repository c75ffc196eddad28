"""Boxes of the ISO base media file format (ISO/IEC 14496-12 section 4.2), as places in bytes.

Whatever is cut off, or larger than what is around it, is a DecryptionError.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.errors import DecryptionError

Bytes = bytes | bytearray

_HEADER = 8
_LARGE_HEADER = 16


@dataclass(frozen=True, slots=True)
class Box:
    """A box begins at `start`, its contents at `body`; what follows it begins at `end`."""

    kind: bytes
    start: int
    body: int
    end: int


def whole(data: Bytes) -> Box:
    """All of `data`, as if it were the contents of a box."""
    return Box(b"", 0, 0, len(data))


def children(data: Bytes, box: Box, skip: int = 0) -> Iterator[Box]:
    """The boxes in `box`, behind `skip` bytes of other contents."""
    start = box.body + skip
    while start < box.end:
        yield (inside := _box(data, start, box.end))
        start = inside.end


def descendants(data: Bytes, box: Box, *path: bytes) -> Iterator[Box]:
    """The boxes that `path` leads to, from kind to kind."""
    for inside in children(data, box):
        if inside.kind == path[0]:
            yield from descendants(data, inside, *path[1:]) if path[1:] else [inside]


def descendant(data: Bytes, box: Box, *path: bytes) -> Box:
    """The first box that `path` leads to."""
    for found in descendants(data, box, *path):
        return found
    raise DecryptionError(f"The segment has no {path[-1].decode('ascii')} box")


def rename(data: bytearray, box: Box, kind: bytes) -> None:
    """Give the box another kind."""
    data[box.start + 4 : box.start + 8] = kind


def _box(data: Bytes, start: int, end: int) -> Box:
    reader = Reader(data, start, end)
    header, size, kind = _HEADER, reader.number(4), reader.take(4)
    if size == 1:
        header, size = _LARGE_HEADER, reader.number(8)
    elif size == 0:  # up to the end
        size = end - start
    if size < header or start + size > end:
        raise DecryptionError("A box of the segment is larger than what is around it")
    return Box(kind, start, start + header, start + size)


class Reader:
    """Fields, read one after the other from `start`; none of them reaches beyond `end`."""

    def __init__(self, data: Bytes, start: int, end: int) -> None:
        self._data, self._at, self._end = data, start, end

    def take(self, size: int) -> bytes:
        """The next `size` bytes."""
        if self._at + size > self._end:
            raise DecryptionError("A box of the segment is cut off")
        self._at += size
        return bytes(self._data[self._at - size : self._at])

    def number(self, size: int) -> int:
        """The next `size` bytes as an unsigned number."""
        return int.from_bytes(self.take(size), "big")


def contents(data: Bytes, box: Box) -> Reader:
    """The fields of a box."""
    return Reader(data, box.body, box.end)


def full_box(data: Bytes, box: Box) -> tuple[int, int, Reader]:
    """Version, flags and further fields of a box that has them."""
    reader = contents(data, box)
    return reader.number(1), reader.number(3), reader
