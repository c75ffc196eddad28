"""Segments behind pictures: where the picture ends and the segment begins.

Some servers put a small picture before each segment, for hosts that take nothing else. The segment
begins where the picture ends by its own account; where that is no picture to its end, or is said
wrongly, where media shows. What is encrypted does not show: there the picture's own account is all
there is. Pure, and linear in the bytes that are given; no byte of a picture is decoded.
"""

import re
import struct
from collections.abc import Callable

from pipeline.crypto.sniff import looks_like_image, looks_like_media

#: Boxes that a segment begins with, below 16 MB.
_BOX = re.compile(rb"\0...(?:ftyp|styp|moov|moof|sidx|emsg|prft)", re.DOTALL)

_MARKER = re.compile(rb"\xff[^\0\xff]")

_PACKET = 188

#: Bytes by which media is told.
_HEAD = 400

#: The first place behind a picture's beginning at which anything else may begin.
_BEHIND_MAGIC = 2

_SMALLEST_BMP = 26


def hidden_start(data: bytes, *, encrypted: bool) -> int:
    """Where the segment begins in `data`: 0 if no picture is seen there, or nothing behind one."""
    if looks_like_image(data) is None:
        return 0
    end = _picture_end(data)
    if encrypted or (end is not None and _is_media(data, end)):
        return end or 0
    return _first_media(data, end or _BEHIND_MAGIC)


def _is_media(data: bytes, place: int) -> bool:
    return looks_like_media(data[place : place + _HEAD]) is not None


def _first_media(data: bytes, place: int) -> int:
    """The first packets, or the first box, from `place` on; 0 if there are none."""
    box = _BOX.search(data, place)
    found = [_first_packets(data, place), box.start() if box else -1]
    return min((start for start in found if start >= 0), default=0)


def _first_packets(data: bytes, place: int) -> int:
    """Where transport packets follow each other, three of them if there is room; -1: nowhere."""
    while (place := data.find(b"\x47", place)) >= 0:
        if data[place : place + 2 * _PACKET + 1 : _PACKET] in (b"\x47\x47", b"\x47\x47\x47"):
            break
        place += 1
    return place


def _picture_end(data: bytes) -> int | None:
    """The byte behind the picture that `data` begins with; None if it does not end in there."""
    end_of = next(find for magic, find in _ENDS.items() if data.startswith(magic))
    try:
        end = end_of(data)
    except (IndexError, struct.error):
        return None
    return end if end is not None and end <= len(data) else None


def _png(data: bytes) -> int:
    """Chunks, each with its length, up to IEND (PNG specification, section 5.3)."""
    place, kind = 8, b""
    while kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", data, place)
        place += 12 + length
    return place


def _jpeg(data: bytes) -> int | None:
    """Segments up to the EOI marker; coded data in between has no other (ITU-T T.81, annex B)."""
    place = 2
    while (marker := data[place := _next_marker(data, place)]) != 0xD9:  # cut off: IndexError
        place += 1
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:  # they stand alone
            continue
        (length,) = struct.unpack_from(">H", data, place)
        if length < 2:
            return None
        place += length
    return place + 1


def _next_marker(data: bytes, place: int) -> int:
    """Where the next marker's second byte is: FF fills, and FF 00 is coded data."""
    marker = _MARKER.search(data, place)
    return marker.end() - 1 if marker else len(data)


def _gif(data: bytes) -> int | None:
    """Blocks up to the trailer (GIF89a specification, appendix B)."""
    place = 13 + _color_table(data[10])
    while (block := data[place]) != 0x3B:
        if block == 0x2C:  # an image: its description, its colors, the size of its codes
            place += 11 + _color_table(data[place + 9])
        elif block == 0x21:  # an extension and its label
            place += 2
        else:
            return None
        while data[place]:  # sub-blocks
            place += 1 + data[place]
        place += 1
    return place + 1


def _color_table(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _bmp(data: bytes) -> int | None:
    size: int = struct.unpack_from("<I", data, 2)[0]
    return size if size >= _SMALLEST_BMP else None


def _webp(data: bytes) -> int:
    size: int = struct.unpack_from("<I", data, 4)[0]
    return 8 + size + (size & 1)


def _ico(data: bytes) -> int | None:
    """Behind the last of the pictures that the directory lists."""
    (count,) = struct.unpack_from("<H", data, 4)
    entries = [struct.unpack_from("<II", data, 14 + 16 * number) for number in range(count)]
    return max((size + start for size, start in entries), default=None)


_ENDS: dict[bytes, Callable[[bytes], int | None]] = {
    b"\x89PNG": _png,
    b"\xff\xd8\xff": _jpeg,
    b"GIF8": _gif,
    b"BM": _bmp,
    b"RIFF": _webp,
    b"\0\0\1\0": _ico,
}
