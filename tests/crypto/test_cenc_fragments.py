import struct

import pytest

from pipeline.crypto.cenc_fragments import samples
from pipeline.crypto.cenc_tracks import Protection, Track
from pipeline.errors import DecryptionError
from tests.support.cenc import Box

ENTRY = Protection("cenc", iv_size=8, constant_iv=b"", crypt=0, skip=0)
CONSTANT = Protection("cbcs", iv_size=0, constant_iv=b"c" * 16, crypt=1, skip=9)
RUN = b"\0\0\0\1" + struct.pack(">Ii", 2, 1000)  # two samples of the default size
HEADER = b"\0\2\0\0\0\0\0\1"


def track(*groups: Protection | None, entry: Protection | None = CONSTANT, size: int = 10) -> Track:
    """A track whose samples have this size unless a fragment says otherwise."""
    return Track((entry, None), groups, default_entry=1, default_sample_size=size)


def segment(*boxes: Box, header: bytes = HEADER, size: int = 2000) -> bytes:
    """A fragment of one track with these boxes."""
    traf = Box(b"traf", b"", [Box(b"tfhd", header), *boxes])
    moof = bytes(Box(b"moof", b"", [traf]))
    return moof + bytes(Box(b"mdat", bytes(size - len(moof) - 8)))


def numbers(*values: int) -> bytes:
    """32-bit numbers."""
    return struct.pack(f">{len(values)}I", *values)


def places(data: bytes, known: Track) -> list[tuple[int, int]]:
    """Where the samples lie."""
    return [(sample.start, sample.end) for sample in samples(data, {1: known})]


@pytest.mark.parametrize(
    ("runs", "header", "expected"),
    [
        ([RUN], HEADER, [(1000, 1010), (1010, 1020)]),
        ([RUN], b"\0\2\0\x10\0\0\0\1" + numbers(5), [(1000, 1005), (1005, 1010)]),
        ([RUN], b"\0\0\0\x09\0\0\0\1" + bytes(8) + numbers(7), [(1000, 1010), (1010, 1020)]),
        (
            [b"\0\0\x0f\5" + struct.pack(">Ii", 1, 900) + numbers(0, 1, 33, 3, 4)],
            HEADER,
            [(900, 933)],
        ),
        (
            [RUN, b"\0\0\2\0" + numbers(2, 3, 4)],
            HEADER,
            [(1000, 1010), (1010, 1020), (1020, 1023), (1023, 1027)],
        ),
        ([], HEADER, []),
    ],
    ids=[
        "size of the track",
        "size of the fragment",
        "absolute base",
        "sizes among other fields",
        "a run behind a run",
        "no run",
    ],
)
def test_places(runs, header, expected):
    """Samples lie where the runs say, with the nearest size that is given."""
    data = segment(*(Box(b"trun", run) for run in runs), header=header)

    assert places(data, track()) == expected


def test_samples_of_size_zero():
    """An endless list of empty samples is no list."""
    assert places(segment(Box(b"trun", b"\0\0\0\0" + numbers(0xFFFFFFFF))), track(size=0)) == []


@pytest.mark.parametrize(
    ("run", "size"),
    [
        (b"\0\0\0\1" + struct.pack(">Ii", 1, 0), 10),
        (b"\0\0\0\1" + struct.pack(">Ii", 1, -20), 10),
        (b"\0\0\0\1" + struct.pack(">Ii", 1, 1995), 10),
        (b"\0\0\0\1" + struct.pack(">Ii", 0xFFFFFFFF, 500), 1),
    ],
    ids=["in the moof", "before the segment", "behind the segment", "without end"],
)
def test_samples_outside(run, size):
    """Samples that lie elsewhere than in the segment's media data are an error."""
    with pytest.raises(DecryptionError, match="outside"):
        places(segment(Box(b"trun", run)), track(size=size))


def test_samples_that_overlap():
    """Runs that cover the same bytes again and again are an error, not a long wait."""
    runs = [Box(b"trun", b"\0\0\0\1" + struct.pack(">Ii", 300, 1700))] * 8

    with pytest.raises(DecryptionError, match="outside"):
        places(segment(*runs), track(size=1))


def groups(*runs: tuple[int, int], version: int = 0) -> Box:
    """Which samples belong to which sample group."""
    parameter = bytes(4) if version else b""
    table = numbers(len(runs), *(value for run in runs for value in run))
    return Box(b"sbgp", bytes([version, 0, 0, 0]) + b"seig" + parameter + table)


def described(version: int, entry: bytes) -> Box:
    """A description of one sample group."""
    sizes = {0: b"", 1: numbers(0), 2: numbers(0)}[version]
    length = numbers(len(entry)) if version == 1 else b""
    body = bytes([version, 0, 0, 0]) + b"seig" + sizes + numbers(1) + length + entry
    return Box(b"sgpd", body)


CLEAR_GROUP = bytes(20)
OTHER_GROUP = b"\0\x19\1\0" + bytes(16) + b"\x10" + b"o" * 16


@pytest.mark.parametrize("version", [0, 1])
def test_groups_of_the_track(version):
    """Sample groups of the initialization section are counted from 1; 0 is in none."""
    data = segment(Box(b"trun", RUN), groups((1, 2), version=version))
    other = Protection("cbcs", 0, b"o" * 16, 0, 0)
    found = [sample.protection for sample in samples(data, {1: track(None, other)})]

    assert found == [other, CONSTANT]


@pytest.mark.parametrize("version", [0, 1, 2])
@pytest.mark.parametrize(
    ("entry", "expected"),
    [(CLEAR_GROUP, None), (OTHER_GROUP, Protection("cbcs", 0, b"o" * 16, 1, 9))],
    ids=["clear", "another initialization vector"],
)
def test_groups_of_the_fragment(version, entry, expected):
    """Sample groups of the fragment itself are counted from 0x10001."""
    data = segment(Box(b"trun", RUN), described(version, entry), groups((1, 0), (1, 0x10001)))
    found = [sample.protection for sample in samples(data, {1: track()})]

    assert found == [CONSTANT, expected]


@pytest.mark.parametrize("index", [1, 0x10000, 0x10002])
def test_groups_that_do_not_exist(index):
    """A group that nobody describes is an error."""
    data = segment(Box(b"trun", RUN), described(1, CLEAR_GROUP), groups((1, index)))

    with pytest.raises(DecryptionError, match="sample group"):
        places(data, track())


def test_groups_about_something_else():
    """Sample groups of other types have no say in encryption."""
    other = groups((2, 1))
    other.body = other.body.replace(b"seig", b"roll")

    assert len(places(segment(Box(b"trun", RUN), other), track())) == 2


def information(sizes: bytes, *, kind: bytes = b"", offsets: int = 1) -> list[Box]:
    """`saiz` and `saio` of two samples, which point to 1,500."""
    about = bytes(3) + b"\1" + kind + bytes(4) if kind else bytes(4)
    return [
        Box(b"saiz", about + sizes),
        Box(b"saio", about + numbers(offsets, *[1500] * offsets)),
    ]


SAME, EACH = b"\x08" + numbers(2), b"\0" + numbers(2) + b"\x08\x08"


@pytest.mark.parametrize("sizes", [SAME, EACH], ids=["one size", "a size for each"])
@pytest.mark.parametrize("kind", [b"", b"cenc"], ids=["without a type", "with a type"])
def test_information_elsewhere(sizes, kind):
    """Without `senc`, initialization vectors are where `saio` points."""
    boxes = information(sizes, kind=kind)
    data = bytearray(segment(Box(b"trun", RUN), *boxes))
    data[1500:1516] = b"first iv" + b"secondIV"
    found = [sample.iv for sample in samples(data, {1: track(entry=ENTRY)})]

    assert found == [b"first iv", b"secondIV"]


@pytest.mark.parametrize(
    ("boxes", "reason"),
    [
        ([], "cut off"),
        (information(SAME, kind=b"else"), "cut off"),
        (information(SAME, offsets=2), "several places"),
        ([Box(b"senc", bytes(4) + numbers(2) + bytes(8))], "cut off"),
        (
            [Box(b"senc", b"\0\0\0\2" + numbers(1) + bytes(8) + b"\0\1\0\6" + numbers(5))],
            "longer than the sample",
        ),
    ],
    ids=["none", "of another type", "in two places", "too short", "too long"],
)
def test_information_that_is_wrong(boxes, reason):
    """Missing or contradictory initialization vectors and subsamples are an error."""
    with pytest.raises(DecryptionError, match=reason):
        places(segment(Box(b"trun", RUN), *boxes), track(entry=ENTRY))


def test_the_clear_sample_entry():
    """A fragment that uses a clear sample entry has nothing to decrypt."""
    header = b"\0\2\0\2\0\0\0\1" + numbers(2)

    assert places(segment(Box(b"trun", RUN), header=header), track()) == []
