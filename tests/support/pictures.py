"""Small pictures in all the formats that segments are hidden behind. No decoder would show them."""

import struct
import zlib


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    """A picture of these chunks."""
    parts = [(b"IHDR", bytes(13)), *chunks, (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in parts
    )


def jpeg(segments: list[tuple[int, bytes]], coded: bytes) -> bytes:
    """A picture of these marker segments and of coded data, in which FF is escaped."""
    head = b"".join(
        b"\xff" + bytes([marker]) + struct.pack(">H", len(body) + 2) + body
        for marker, body in segments
    )
    scan = b"\xff\xda" + struct.pack(">H", 8) + bytes(6) + coded.replace(b"\xff", b"\xff\0")
    return b"\xff\xd8\xff\xe0\0\x10JFIF\0" + bytes(9) + head + scan + b"\xff\xd3" + b"\xff\xff\xd9"


def gif(colors: int, blocks: list[bytes]) -> bytes:
    """A picture with tables of 2^colors colors, with an extension and an image of these blocks."""
    flags = 0x80 | (colors - 1)
    table = bytes(3 << colors)
    data = b"".join(bytes([len(block)]) + block for block in blocks if block) + b"\0"
    image = b"\x2c" + bytes(8) + bytes([flags]) + table + b"\x08" + data
    return b"GIF89a\1\0\1\0" + bytes([flags]) + bytes(2) + table + b"\x21\xfe" + data + image + b";"


def bmp(pixels: bytes) -> bytes:
    """A picture of these pixels."""
    return b"BM" + struct.pack("<IIII", 54 + len(pixels), 0, 54, 40) + bytes(36) + pixels


def webp(body: bytes) -> bytes:
    """A picture of one chunk."""
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body + bytes(len(body) % 2)


def ico(*bodies: bytes) -> bytes:
    """Pictures of several sizes."""
    place = 6 + 16 * len(bodies)
    head = b"\0\0\1\0" + struct.pack("<H", len(bodies))
    for body in bodies:
        head += bytes(8) + struct.pack("<II", len(body), place)
        place += len(body)
    return head + b"".join(bodies)
