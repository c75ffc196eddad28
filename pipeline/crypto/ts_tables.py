"""The program map table of a segment (ISO/IEC 13818-1 section 2.4.4): which streams are encrypted.

Streams with sample encryption have stream types of their own and descriptors that say so
(MPEG-2 Stream Encryption Format for HTTP Live Streaming, section 3). Once they are decrypted the
table has to name the ordinary types, and nothing else of it changes.
"""

import struct
import zlib
from collections.abc import Iterator

from pipeline.crypto.ts_packets import Unit, refill
from pipeline.errors import DecryptionError

# Encrypted stream type: the clear one.
CLEAR_TYPES = {0xDB: 0x1B, 0xCF: 0x0F, 0xC1: 0x81, 0xC2: 0x87}
H264, AAC, AC3, E_AC3 = CLEAR_TYPES.values()

_PAT_PID = 0
_PROGRAM_ASSOCIATION, _PROGRAM_MAP, _STUFFING = 0x00, 0x02, 0xFF
_PRIVATE_DATA_INDICATOR, _REGISTRATION = 0x0F, 0x05
_ENCRYPTION_DESCRIPTORS = {
    (_PRIVATE_DATA_INDICATOR, b"zavc"),
    (_PRIVATE_DATA_INDICATOR, b"aacd"),
    (_PRIVATE_DATA_INDICATOR, b"ac3d"),
    (_PRIVATE_DATA_INDICATOR, b"ec3d"),
    (_REGISTRATION, b"apad"),
}
_CRC = 4
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def clear_program_maps(segment: bytearray, units: dict[int, list[Unit]]) -> dict[int, int]:
    """Make the tables in `segment` name clear types; give each encrypted PID's clear type."""
    found: dict[int, int] = {}
    pids = _program_map_pids(segment, units)
    if not any(units.get(pid) for pid in pids):
        raise DecryptionError("The segment has no program map that says which streams it carries")
    for pid in pids:
        for unit in units.get(pid, []):
            payload = unit.payload(segment)
            cleared = _clear_unit(payload, found)
            if cleared != payload:
                refill(segment, unit, cleared)
    return found


def _program_map_pids(segment: bytearray, units: dict[int, list[Unit]]) -> set[int]:
    """The PIDs that the program association table names, without the network's."""
    pids = set()
    for unit in units.get(_PAT_PID, []):
        for section in _sections(unit.payload(segment)):
            if section[0] == _PROGRAM_ASSOCIATION:
                for at in range(8, len(section) - _CRC - 3, 4):
                    program, pid = _number(section, at), _number(section, at + 2) & 0x1FFF
                    pids |= {pid} if program else set()
    return pids


def _sections(payload: bytes) -> Iterator[bytes]:
    """The sections of a unit: behind the pointer, up to the stuffing."""
    at = 1 + payload[0]
    while at + 3 <= len(payload) and payload[at] != _STUFFING:
        end = at + 3 + (_number(payload, at + 1) & 0x0FFF)
        if end > len(payload) or end < at + 3 + _CRC:
            raise DecryptionError("A table of the segment is cut off")
        yield payload[at:end]
        at = end


def _clear_unit(payload: bytes, found: dict[int, int]) -> bytes:
    """The unit with clear program maps, as long as before."""
    sections = [
        _clear_program_map(section, found) if section[0] == _PROGRAM_MAP else section
        for section in _sections(payload)
    ]
    return (payload[: 1 + payload[0]] + b"".join(sections)).ljust(len(payload), b"\xff")


def _clear_program_map(section: bytes, found: dict[int, int]) -> bytes:
    """The section with clear stream types; what it said of encrypted ones is added to `found`."""
    streams = list(_streams(section))
    encrypted = {pid: CLEAR_TYPES[kind] for kind, pid, _ in streams if kind in CLEAR_TYPES}
    if not encrypted:
        return section
    found |= encrypted
    start = 12 + (_number(section, 10) & 0x0FFF)
    return _with_length_and_crc(section, section[3:start] + b"".join(map(_clear_stream, streams)))


def _streams(section: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Stream type, PID and descriptors of each stream of a program map."""
    end = len(section) - _CRC
    at = 12 + (_number(section, 10) & 0x0FFF)
    while at + 5 <= end:
        descriptors = at + 5
        following = descriptors + (_number(section, at + 3) & 0x0FFF)
        yield section[at], _number(section, at + 1) & 0x1FFF, section[descriptors:following]
        at = following
    if at != end:
        raise DecryptionError("A program map of the segment contradicts itself")


def _clear_stream(stream: tuple[int, int, bytes]) -> bytes:
    """The stream's entry in a program map; reserved bits are ones."""
    kind, pid, descriptors = stream
    if kind in CLEAR_TYPES:
        kind, descriptors = CLEAR_TYPES[kind], b"".join(_other_descriptors(descriptors))
    return struct.pack(">BHH", kind, 0xE000 | pid, 0xF000 | len(descriptors)) + descriptors


def _other_descriptors(descriptors: bytes) -> Iterator[bytes]:
    """The descriptors that do not speak of encryption."""
    at = 0
    while at + 2 <= len(descriptors):
        end = at + 2 + descriptors[at + 1]
        if (descriptors[at], descriptors[at + 2 : at + 6]) not in _ENCRYPTION_DESCRIPTORS:
            yield descriptors[at:end]
        at = end


def _with_length_and_crc(section: bytes, body: bytes) -> bytes:
    length = _number(section, 1) & 0xF000 | len(body) + _CRC
    changed = section[:1] + length.to_bytes(2, "big") + body
    return changed + _crc(changed).to_bytes(_CRC, "big")


def _crc(data: bytes) -> int:
    """CRC-32/MPEG-2: zlib's, with the bits of every byte, and of the sum, in the other order."""
    crc = zlib.crc32(data.translate(_REVERSED)) ^ 0xFFFFFFFF
    return int(f"{crc:032b}"[::-1], 2)


def _number(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "big")
