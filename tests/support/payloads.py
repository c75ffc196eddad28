"""Segment payloads: pseudo-random bytes that look like MPEG-TS or fMP4, of any exact size.

The same seed, index and size give the same bytes, so that a test can state what a segment must
decrypt to without keeping it. Made block by block from one random block that carries a counter:
fast, and in constant memory.
"""

import functools
import random
import struct
from collections.abc import Iterator
from typing import Literal

Container = Literal["ts", "fmp4"]

PACKET = 188
#: About 1 MiB, in whole transport packets.
BLOCK = 5577 * PACKET


@functools.lru_cache(maxsize=4)
def _template(seed: int) -> bytes:
    """Null packets (sync byte, PID 0x1FFF) around random bytes."""
    block = bytearray(random.Random(seed).randbytes(BLOCK))
    for place, value in enumerate(b"\x47\x1f\xff\x10"):
        block[place::PACKET] = bytes([value]) * (BLOCK // PACKET)
    return bytes(block)


def _filler(seed: int, index: int, size: int) -> Iterator[memoryview]:
    block = bytearray(_template(seed))
    view = memoryview(block)
    for number, start in enumerate(range(0, size, BLOCK)):
        struct.pack_into(">QQ", block, 4, index, number)
        yield view[: min(BLOCK, size - start)]


def _box(kind: bytes, body: bytes = b"", more: int = 0) -> bytes:
    """An ISO BMFF box: its size counts `more` bytes that are to follow."""
    return struct.pack(">I", 8 + len(body) + more) + kind + body


def _fmp4_head(index: int, size: int) -> bytes:
    """The boxes before a media segment's filler; a small segment is one `free` box, or noise."""
    moof = _box(b"moof", _box(b"mfhd", struct.pack(">II", 0, index + 1)))
    filler = size - len(moof) - 8
    if filler >= 0:
        return moof + _box(b"mdat", more=filler)
    return _box(b"free", more=size - 8) if size >= 8 else bytes(size)


def payload_blocks(
    index: int, size: int, *, container: Container = "ts", seed: int = 0
) -> Iterator[memoryview]:
    """The payload of segment `index`, `size` bytes in all; a block is valid until the next."""
    head = _fmp4_head(index, size) if container == "fmp4" else b""
    if head:
        yield memoryview(head)
    yield from _filler(seed, index, size - len(head))


def payload(index: int, size: int, *, container: Container = "ts", seed: int = 0) -> bytes:
    """The payload of segment `index` in one piece."""
    blocks = payload_blocks(index, size, container=container, seed=seed)
    return b"".join(bytes(block) for block in blocks)


def initialization_section(number: int = 0) -> bytes:
    """A media initialization section: ftyp and moov, a different one for each number."""
    mvhd = _box(b"mvhd", struct.pack(">IIIII", 0, 0, 0, 1000, number) + bytes(80))
    return _box(b"ftyp", b"iso6\0\0\0\1iso6mp41") + _box(b"moov", mvhd)
