"""The encrypted samples of a movie fragment: where they lie, and how each is encrypted.

Sizes and places come from `tfhd` and `trun` (ISO/IEC 14496-12 section 8.8), initialization vectors
and subsamples from `senc`, or where `saiz` and `saio` point (ISO/IEC 23001-7 section 7).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import repeat

from pipeline.crypto.boxes import Box, Bytes, Reader, descendant, descendants, full_box, whole
from pipeline.crypto.cenc_tracks import Protection, Track, Tracks, grouping_type, seig_groups
from pipeline.errors import DecryptionError

_FIRST_FRAGMENT_GROUP = 0x10001  # group description indexes from here on are the fragment's own


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample from `start` to `end`, with its protected ranges; None protects nothing."""

    start: int
    end: int
    protection: Protection | None
    iv: bytes
    ranges: list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class _Fragment:
    """A track's part of a movie fragment."""

    box: Box  # traf
    track: Track
    entry: int
    sample_size: int
    base: int  # what offsets count from


def samples(data: Bytes, tracks: Tracks) -> Iterator[Sample]:
    """The samples of all encrypted tracks in a segment."""
    # Neither samples nor what describes their ranges overlap: lists that claim more than the
    # segment holds are malformed, and could go on for hours.
    room = len(data)
    for moof in descendants(data, whole(data), b"moof"):
        for number, traf in enumerate(descendants(data, moof, b"traf")):
            for sample in _samples(data, _fragment(data, traf, moof, number, tracks)):
                room -= sample.end - sample.start + len(sample.ranges)
                if sample.start < moof.end or sample.end > len(data) or room < 0:
                    raise DecryptionError("A fragment's samples lie outside of the segment")
                yield sample


def _fragment(data: Bytes, traf: Box, moof: Box, number: int, tracks: Tracks) -> _Fragment:
    """HLS wants addresses relative to the `moof` (RFC 8216 section 3.3). An absolute one counts
    from a file's beginning that is elsewhere, and who writes it means the `moof`'s beginning.
    """
    _, flags, reader = full_box(data, descendant(data, traf, b"tfhd"))
    track = tracks.get(reader.number(4))
    if track is None:
        raise DecryptionError("A fragment belongs to no track of the initialization section")
    if number and not flags & 0x020001:
        raise DecryptionError("A fragment's addresses are relative to another fragment")
    reader.take(8 if flags & 0x1 else 0)
    entry = reader.number(4) if flags & 0x2 else track.default_entry
    reader.take(4 if flags & 0x8 else 0)
    size = reader.number(4) if flags & 0x10 else track.default_sample_size
    if not 1 <= entry <= len(track.entries):
        raise DecryptionError("A fragment refers to a sample entry that does not exist")
    return _Fragment(traf, track, entry, size, moof.start)


def _samples(data: Bytes, fragment: _Fragment) -> Iterator[Sample]:
    """The samples of one track fragment; none when its sample entry is a clear one."""
    default = fragment.track.entries[fragment.entry - 1]
    if not default:
        return
    information = _Information(data, fragment, default.scheme)
    protections = _protections(data, fragment, default)
    for start, end in _places(data, fragment):
        protection = next(protections)
        iv, subsamples = information.following(protection)
        iv = iv or (protection.constant_iv if protection else b"")
        yield Sample(start, end, protection, iv, _ranges(start, end, subsamples))


def _places(data: Bytes, fragment: _Fragment) -> Iterator[tuple[int, int]]:
    """Start and end of each sample."""
    at = fragment.base
    for trun in descendants(data, fragment.box, b"trun"):
        _, flags, reader = full_box(data, trun)
        count = reader.number(4)
        if flags & 0x1:
            at = fragment.base + struct.unpack(">i", reader.take(4))[0]
        reader.take(4 if flags & 0x4 else 0)
        for size in _sizes(reader, flags, count, fragment.sample_size):
            yield at, at + size
            at += size


def _sizes(reader: Reader, flags: int, count: int, default: int) -> Iterator[int]:
    """The sample sizes of a `trun`."""
    fields = [bit for bit in (0x100, 0x200, 0x400, 0x800) if flags & bit]
    if 0x200 not in fields:
        yield from repeat(default, count if default else 0)
        return
    place = 4 * fields.index(0x200)
    for _ in range(count):
        yield int.from_bytes(reader.take(4 * len(fields))[place : place + 4], "big")


def _protections(
    data: Bytes, fragment: _Fragment, default: Protection
) -> Iterator[Protection | None]:
    """The protection of each sample in turn: its group's, else that of the sample entry."""
    own = seig_groups(data, fragment.box, default.scheme)
    for index in _group_indexes(data, fragment.box):
        if index == 0:
            yield default
            continue
        known, place = fragment.track.groups, index - 1
        if index >= _FIRST_FRAGMENT_GROUP:
            known, place = own, index - _FIRST_FRAGMENT_GROUP
        if place >= len(known):
            raise DecryptionError("A fragment refers to a sample group that does not exist")
        yield known[place]


def _group_indexes(data: Bytes, traf: Box) -> Iterator[int]:
    """Each sample's group description index, from `sbgp`; 0 for those in no group, without end."""
    for sbgp in descendants(data, traf, b"sbgp"):
        if grouping_type(data, sbgp) == b"seig":
            version, _, reader = full_box(data, sbgp)
            reader.take(8 if version else 4)
            for _ in range(reader.number(4)):
                count, index = reader.number(4), reader.number(4)
                yield from repeat(index, count)
    yield from repeat(0)


class _Information:
    """Initialization vectors and subsamples of the samples, one after the other."""

    def __init__(self, data: Bytes, fragment: _Fragment, scheme: str) -> None:
        self._reader = Reader(data, 0, 0)
        self._sizes: Iterator[int] = repeat(0)  # of each sample's information
        self._subsampled = False  # all of them, whatever the sizes say
        senc = next(descendants(data, fragment.box, b"senc"), None)
        if senc:
            _, flags, self._reader = full_box(data, senc)
            self._reader.take(4)
            self._subsampled = bool(flags & 0x2)
            return
        saiz, saio = (_auxiliary(data, fragment.box, kind, scheme) for kind in (b"saiz", b"saio"))
        if saiz and saio:
            self._sizes = _information_sizes(saiz)
            self._reader = Reader(data, fragment.base + _information_offset(saio), len(data))

    def following(self, protection: Protection | None) -> tuple[bytes, list[tuple[int, int]]]:
        """The next sample's initialization vector and subsamples: pairs of (clear, protected)."""
        iv_size = protection.iv_size if protection else 0
        iv = self._reader.take(iv_size)
        if not self._subsampled and next(self._sizes, 0) <= iv_size:
            return iv, []
        table = self._reader.take(6 * self._reader.number(2))
        return iv, list(struct.iter_unpack(">HI", table))


def _auxiliary(data: Bytes, traf: Box, kind: bytes, scheme: str) -> tuple[int, Reader] | None:
    """Version and fields of the `saiz` or `saio` that is about encryption."""
    for box in descendants(data, traf, kind):
        version, flags, reader = full_box(data, box)
        about = reader.take(8)[:4] if flags & 0x1 else scheme.encode()
        if about == scheme.encode():
            return version, reader
    return None


def _information_sizes(saiz: tuple[int, Reader]) -> Iterator[int]:
    _, reader = saiz
    default, count = reader.number(1), reader.number(4)
    return repeat(default, count) if default else iter(reader.take(count))


def _information_offset(saio: tuple[int, Reader]) -> int:
    version, reader = saio
    if reader.number(4) != 1:
        raise DecryptionError("A fragment's encryption information is in several places")
    return reader.number(8 if version else 4)


def _ranges(start: int, end: int, subsamples: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The protected ranges of the sample from `start` to `end`."""
    if not subsamples:
        return [(start, end)]
    ranges = []
    for clear, protected in subsamples:
        ranges.append((start + clear, start + clear + protected))
        start += clear + protected
    if start > end:
        raise DecryptionError("A sample's encryption information is longer than the sample")
    return ranges
