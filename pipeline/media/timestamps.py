"""The first presentation timestamp of a file, told from its first bytes.

MPEG-TS (ISO/IEC 13818-1 section 2.4.3.7), fragmented MP4 (ISO/IEC 14496-12 section 8.8.12) and
packed audio (RFC 8216 section 3.4). Not covered: edit lists and composition offsets, which are
about a frame.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from fractions import Fraction

from pipeline.crypto.boxes import Box, contents, descendant, descendants, full_box, whole
from pipeline.errors import DecryptionError

#: Ticks per second of the clock that MPEG-2 timestamps count.
CLOCK = 90_000

#: MPEG-2 timestamps have 33 bits: they begin anew after 26.5 hours.
WRAP = 1 << 33

#: The same in seconds.
TURN = Fraction(WRAP, CLOCK)

#: As much of a file as is worth a look: each track begins in the first second.
HEAD_BYTES = 2 << 20

_PACKET = 188
_SYNC = 0x47
_UNIT_START = 0x40
_PES_START = b"\0\0\1"
# Streams whose PES packets have a header: private 1 (AC-3), audio and video, extended.
_STREAM_IDS = frozenset({0xBD, *range(0xC0, 0xF0), 0xFD})

#: What the ID3 tag with the time of a segment of packed audio has for a name.
ID3_OWNER = b"com.apple.streaming.transportStreamTimestamp\0"


def first_timestamp(head: bytes) -> float | None:
    """Seconds of the earliest first timestamp of the tracks that begin in `head`, if any does."""
    if head[:1] == b"\x47" and head[_PACKET : _PACKET + 1] in (b"\x47", b""):
        return _transport_stream(head)
    if head[:3] == b"ID3":
        return _packed_audio(head)
    return _fragmented_mp4(head)


def around_zero(seconds: float) -> float:
    """A difference between two times of a clock of 33 bits: half a turn at most, either way."""
    turn = float(TURN)
    return (seconds + turn / 2) % turn - turn / 2


def _transport_stream(head: bytes) -> float | None:
    first: dict[int, int] = {}
    for packet in _unit_starts(head):
        pid = int.from_bytes(packet[1:3], "big") & 0x1FFF
        if pid not in first and (ticks := _pes_timestamp(_payload(packet))) is not None:
            first[pid] = ticks
    return _earliest(first.values()) / CLOCK if first else None


def _unit_starts(head: bytes) -> Iterator[bytes]:
    """The packets in which a payload unit begins, as long as there is one packet after another."""
    for at in range(0, len(head) - _PACKET + 1, _PACKET):
        if head[at] != _SYNC:
            return
        if head[at + 1] & _UNIT_START:
            yield head[at : at + _PACKET]


def _payload(packet: bytes) -> bytes:
    control = packet[3]
    if not control & 0x10:
        return b""
    return packet[5 + packet[4] :] if control & 0x20 else packet[4:]


def _pes_timestamp(pes: bytes) -> int | None:
    """The PTS in the header of a PES packet; None for tables and for packets without."""
    if len(pes) < 14 or pes[:3] != _PES_START or pes[3] not in _STREAM_IDS or not pes[7] & 0x80:
        return None
    high, middle, low = pes[9], int.from_bytes(pes[10:12], "big"), int.from_bytes(pes[12:14], "big")
    return (high >> 1 & 0x7) << 30 | middle >> 1 << 15 | low >> 1


def _earliest(ticks: Iterable[int]) -> int:
    """The first of timestamps that lie close together, some of them perhaps behind the wrap."""
    some, *others = ticks
    behind = [(one - some + WRAP // 2) % WRAP - WRAP // 2 for one in others]
    return (some + min([0, *behind])) % WRAP


def _packed_audio(head: bytes) -> float | None:
    """The timestamp in the ID3 tag that every segment of packed audio begins with."""
    at = head.find(ID3_OWNER)
    ticks = head[at + len(ID3_OWNER) :][:8]
    if at < 0 or len(ticks) < 8:
        return None
    return int.from_bytes(ticks, "big") % WRAP / CLOCK


def _fragmented_mp4(head: bytes) -> float | None:
    """The least baseMediaDecodeTime with which a track begins."""
    timescales: dict[int, int] = {}
    first: dict[int, float] = {}
    # `head` ends in the middle of a box: what comes before it counts.
    with suppress(DecryptionError):
        for moov in descendants(head, whole(head), b"moov"):
            timescales |= _timescales(head, moov)
            break
    with suppress(DecryptionError):
        for traf in descendants(head, whole(head), b"moof", b"traf"):
            track, time = _decode_time(head, traf)
            if timescales.get(track):
                first.setdefault(track, time / timescales[track])
    return min(first.values(), default=None)


def _timescales(head: bytes, moov: Box) -> Iterator[tuple[int, int]]:
    """Each track's number, and its ticks per second."""
    for trak in descendants(head, moov, b"trak"):
        version, _, header = full_box(head, descendant(head, trak, b"tkhd"))
        header.take(16 if version else 8)
        number = header.number(4)
        version, _, media = full_box(head, descendant(head, trak, b"mdia", b"mdhd"))
        media.take(16 if version else 8)
        yield number, media.number(4)


def _decode_time(head: bytes, traf: Box) -> tuple[int, int]:
    """A track fragment's track, and when its first sample is to be decoded."""
    tfhd = contents(head, descendant(head, traf, b"tfhd"))
    tfhd.take(4)
    version, _, tfdt = full_box(head, descendant(head, traf, b"tfdt"))
    return tfhd.number(4), tfdt.number(8 if version else 4)
