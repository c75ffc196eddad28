"""What an initialization section says of encryption, track by track, and how it says so no more.

Common Encryption (ISO/IEC 23001-7), schemes `cenc` and `cbcs`: the ones that HLS has. A sample
entry is `encv` or `enca`, and in it `sinf` names the original entry, the scheme and the defaults.
The cleared section is as long as before, so that nothing that points into it has to move.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pipeline.crypto.boxes import (
    Box,
    Bytes,
    Reader,
    children,
    contents,
    descendant,
    descendants,
    full_box,
    rename,
    whole,
)
from pipeline.errors import DecryptionError

_SCHEMES = {b"cenc": "cenc", b"cbcs": "cbcs"}
# How many bytes of fields come before the boxes in an encrypted sample entry.
_ENTRY_FIELDS = {b"encv": 78, b"enca": 28, b"encs": 8, b"enct": 8, b"encm": 8}
_IV_SIZES = (0, 8, 16)


@dataclass(frozen=True, slots=True)
class Protection:
    """How samples are encrypted: from `tenc`, or from a sample group of type `seig`."""

    scheme: str
    iv_size: int  # of each sample's own initialization vector; 0: the constant one
    constant_iv: bytes = field(repr=False)
    crypt: int  # blocks of the pattern that are encrypted
    skip: int  # blocks of the pattern that are clear


@dataclass(frozen=True, slots=True)
class Track:
    """What the fragments of a track refer to; a protection of None means clear samples."""

    entries: tuple[Protection | None, ...]  # by sample description index - 1
    groups: tuple[Protection | None, ...]  # by group description index - 1
    default_entry: int
    default_sample_size: int


Tracks = Mapping[int, Track]  # by track_ID


def clear_initialization_section(section: bytes) -> tuple[bytes, Tracks]:
    """The section of the decrypted stream, and what decrypting its segments needs."""
    clear = bytearray(section)
    moov = descendant(clear, whole(clear), b"moov")
    defaults = dict(_defaults(clear, moov))
    tracks = {}
    for trak in descendants(clear, moov, b"trak"):
        track_id = _track_id(clear, trak)
        tracks[track_id] = _clear_track(clear, trak, *defaults.get(track_id, (1, 0)))
    for pssh in descendants(clear, moov, b"pssh"):
        rename(clear, pssh, b"free")
    return bytes(clear), tracks


def seig_groups(data: Bytes, box: Box, scheme: str) -> tuple[Protection | None, ...]:
    """The sample groups of type `seig` that `box` (a `stbl` or `traf`) describes."""
    return tuple(
        group
        for sgpd in descendants(data, box, b"sgpd")
        if grouping_type(data, sgpd) == b"seig"
        for group in _group_entries(data, sgpd, scheme)
    )


def grouping_type(data: Bytes, box: Box) -> bytes:
    """What the groups of an `sgpd` or `sbgp` are about."""
    return full_box(data, box)[2].take(4)


def _defaults(data: Bytes, moov: Box) -> Iterator[tuple[int, tuple[int, int]]]:
    """Of each track_ID the default sample entry and sample size of its fragments."""
    for trex in descendants(data, moov, b"mvex", b"trex"):
        _, _, reader = full_box(data, trex)
        track_id, entry, _, size = (reader.number(4) for _ in range(4))
        yield track_id, (entry, size)


def _track_id(data: Bytes, trak: Box) -> int:
    version, _, reader = full_box(data, descendant(data, trak, b"tkhd"))
    reader.take(16 if version else 8)  # creation and modification times
    return reader.number(4)


def _clear_track(data: bytearray, trak: Box, default_entry: int, default_size: int) -> Track:
    table = descendant(data, trak, b"mdia", b"minf", b"stbl")
    descriptions = descendant(data, table, b"stsd")
    entries = tuple(_clear_entry(data, entry) for entry in children(data, descriptions, skip=8))
    scheme = next((entry.scheme for entry in entries if entry), None)
    groups = seig_groups(data, table, scheme) if scheme else ()
    free_groups(data, table)
    return Track(entries, groups, default_entry, default_size)


def _clear_entry(data: bytearray, entry: Box) -> Protection | None:
    """Turn a sample entry into the clear one; what it said of protection."""
    if entry.kind not in _ENTRY_FIELDS:
        return None
    inside = children(data, entry, skip=_ENTRY_FIELDS[entry.kind])
    protections = {box: _scheme(data, box) for box in inside if box.kind == b"sinf"}
    sinf = next((box for box, scheme in protections.items() if scheme in _SCHEMES), None)
    if sinf is None:
        named = b", ".join(protections.values()).decode("latin-1") or "none"
        raise DecryptionError(f"The protection scheme is {named!a}, and not cenc or cbcs")
    defaults = contents(data, descendant(data, sinf, b"schi", b"tenc"))
    defaults.take(4)
    protection = _protection(defaults, _SCHEMES[protections[sinf]])
    rename(data, entry, contents(data, descendant(data, sinf, b"frma")).take(4))
    for box in protections:
        rename(data, box, b"free")
    return protection


def _scheme(data: Bytes, sinf: Box) -> bytes:
    return full_box(data, descendant(data, sinf, b"schm"))[2].take(4)


def _protection(fields: Reader, scheme: str) -> Protection | None:
    """What `tenc` and `seig` have in common."""
    fields.take(1)
    pattern, protected, iv_size = (fields.number(1) for _ in range(3))
    fields.take(16)  # the key's identifier
    if not protected:
        return None
    constant_iv = b"" if iv_size else fields.take(fields.number(1))
    if iv_size not in _IV_SIZES or len(constant_iv) not in _IV_SIZES or iv_size == len(constant_iv):
        raise DecryptionError("The initialization section gives no usable initialization vector")
    return Protection(scheme, iv_size, constant_iv, pattern >> 4, pattern & 0x0F)


def _group_entries(data: Bytes, sgpd: Box, scheme: str) -> Iterator[Protection | None]:
    version, _, reader = full_box(data, sgpd)
    reader.take(4)  # the grouping type
    size = reader.number(4) if version == 1 else 0
    if version >= 2:
        reader.take(4)  # the default group
    for _ in range(reader.number(4)):
        if version == 1:
            entry = reader.take(size or reader.number(4))
            yield _protection(Reader(entry, 0, len(entry)), scheme)
        else:
            yield _protection(reader, scheme)


def free_groups(data: bytearray, box: Box) -> None:
    """Turn the groups of type `seig` in `box` into free space."""
    for inside in children(data, box):
        if inside.kind in (b"sgpd", b"sbgp") and grouping_type(data, inside) == b"seig":
            rename(data, inside, b"free")
