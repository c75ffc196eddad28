"""Segments behind pictures."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.crypto.images import hidden_start
from pipeline.crypto.sniff import looks_like_image
from tests.support.effort import check_linear
from tests.support.payloads import initialization_section, payload
from tests.support.pictures import bmp, gif, ico, jpeg, png, webp

SEGMENTS = {
    "packets": payload(0, 5 * 188),
    "two packets": payload(1, 2 * 188),
    "boxes": payload(0, 3000, container="fmp4"),
    "initialization section": initialization_section(),
    "audio": b"ID3\x04\0\0\0\0\0\x3fPRIV" + bytes(500),
    "WebVTT": b"WEBVTT\n\n00:01.000 --> 00:02.000\nwords\n",
}

BYTES = st.binary(max_size=60)


MARKERS = st.sampled_from([0xE1, 0xFE, 0xDB, 0xC0, 0xC4])
PICTURES = st.one_of(
    st.builds(png, st.tuples(st.sampled_from([b"IDAT", b"tEXt"]), BYTES)),
    st.builds(jpeg, st.lists(st.tuples(MARKERS, BYTES), max_size=3), BYTES),
    st.builds(gif, st.integers(1, 8), st.lists(BYTES, max_size=3)),
    st.builds(bmp, BYTES),
    st.builds(webp, BYTES),
    st.builds(ico, BYTES.filter(bool), BYTES),
)


@given(PICTURES, st.sampled_from(list(SEGMENTS.values())))
def test_any_picture_before_a_segment(picture: bytes, segment: bytes) -> None:
    """What is behind it is the segment, and nothing but the segment."""
    assert looks_like_image(picture) is not None
    assert (picture + segment)[hidden_start(picture + segment, encrypted=False) :] == segment


@given(PICTURES, st.binary(max_size=300))
def test_any_picture_before_anything(picture: bytes, ciphertext: bytes) -> None:
    """What is encrypted shows nothing: the picture's own account is what counts."""
    assert hidden_start(picture + ciphertext, encrypted=True) == len(picture)


_LIKE_MEDIA = re.compile(rb"\x47|ftyp|styp|moov|moof|sidx|emsg|prft")


@given(st.sampled_from([b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"BM"]), st.data())
def test_a_picture_that_is_none(magic: bytes, data: st.DataObject) -> None:
    """The beginning of one is enough, where a clear segment shows behind it."""
    junk = data.draw(st.binary(max_size=600).filter(lambda junk: not _LIKE_MEDIA.search(junk)))
    segment = SEGMENTS["packets"]
    disguised = magic + bytes(8) + junk + segment

    assert disguised[hidden_start(disguised, encrypted=False) :] == segment


@pytest.mark.parametrize("name", ["boxes", "initialization section", "packets"])
def test_filling_behind_the_picture(name: str) -> None:
    """It belongs to neither, and goes with the picture."""
    disguised = png() + bytes(100) + b"\xff" * 50 + SEGMENTS[name]

    assert disguised[hidden_start(disguised, encrypted=False) :] == SEGMENTS[name]


@pytest.mark.parametrize("segment", SEGMENTS.values(), ids=SEGMENTS)
def test_segments_in_the_open(segment: bytes) -> None:
    """There is nothing to take off."""
    assert hidden_start(segment, encrypted=False) == 0
    assert hidden_start(b"\x01" + segment, encrypted=True) == 0


@pytest.mark.parametrize(
    "picture",
    [
        png(),
        png()[:-1],
        jpeg([], b"abc"),
        jpeg([], b"abc")[:-1],
        jpeg([(0xE1, b"")], b"").replace(b"\xff\xe1\0\2", b"\xff\xe1\0\1"),
        gif(2, [b"abc"])[:-1],
        gif(2, [b"abc"])[:-1] + b"?",
        bmp(b"")[:53],
        b"BM" + bytes(30),
        ico(),
        b"\0\0\1\0",
        bmp(b"abc").replace(b"\x39\0\0\0", b"\xff\xff\xff\xff"),
    ],
    ids=lambda picture: f"{looks_like_image(picture)} of {len(picture)} bytes",
)
def test_nothing_but_a_picture(picture: bytes) -> None:
    """Whole or not, there is no segment in it."""
    assert hidden_start(picture, encrypted=False) == 0
    assert hidden_start(picture, encrypted=True) in (0, len(picture))


@given(st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"BM", b"\0\0\1\0"]),
       st.binary(max_size=400), st.booleans())  # fmt: skip
def test_any_bytes_have_an_answer(magic: bytes, rest: bytes, encrypted: bool) -> None:
    """A place in them."""
    assert 0 <= hidden_start(magic + rest, encrypted=encrypted) <= len(magic + rest)


@pytest.mark.parametrize(
    "piece",
    [b"\xff", b"\xff\x01", b"\xff\0", b"\x47", b"\0ftyp", bytes(12), b"\x21\xfe\x01a\0", b"\0"],
)
@pytest.mark.parametrize("magic", [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a" + bytes(7)])
def test_hostile_pictures_take_no_time(magic: bytes, piece: bytes) -> None:
    """Four times the bytes take about four times as long, and not sixteen."""
    check_linear(
        lambda size: hidden_start(magic + piece * (size // len(piece)), encrypted=False),
        size=64 * 1024,
    )
