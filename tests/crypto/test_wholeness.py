import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.crypto.wholeness import Wholeness
from tests.support.payloads import initialization_section, payload

TS = payload(0, 30 * 188)
FMP4 = payload(0, 5000, container="fmp4")
LARGE = struct.pack(">I4sQ", 1, b"mdat", 16 + 100) + bytes(100)


def shows(*pieces):
    """Whether a segment that comes in these pieces shows that it is whole."""
    wholeness = Wholeness()
    for piece in pieces:
        wholeness.watch(memoryview(piece))
    return wholeness.shows


@pytest.mark.parametrize(
    "body",
    [TS, FMP4, initialization_section(), initialization_section() + FMP4, FMP4 + LARGE],
    ids=["MPEG-TS", "fMP4", "initialization section", "both", "a box with a large size"],
)
@given(place=st.integers(0, 1 << 16), pieces=st.integers(1, 700))
def test_a_segment_is_whole_at_its_end_only(body, place, pieces):
    """In whatever pieces it comes, no beginning of it that ends in a packet or a box will do."""
    cut = place % (len(body) + 1)
    rest = body[:cut]

    assert shows(*[rest[at : at + pieces] for at in range(0, cut, pieces)]) == is_end(body, cut)


def is_end(body, cut):
    """Whether a packet, or an outermost box, of `body` ends at `cut`."""
    if body[0] == 0x47:
        return cut > 0 and cut % 188 == 0
    end, ends = 0, set()
    while end < len(body):
        size = int.from_bytes(body[end : end + 4], "big")
        end += size if size != 1 else int.from_bytes(body[end + 8 : end + 16], "big")
        ends.add(end)
    return cut in ends


@pytest.mark.parametrize(
    "body",
    [
        b"",
        struct.pack(">I4s", 0, b"mdat") + bytes(100),
        struct.pack(">I4s", 7, b"free") + bytes(100),
        b"ID3\x04\0\0\0\0\0\x3fPRIV" + bytes(500),
        b"WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n",
    ],
    ids=["nothing", "a box up to the end", "a box that is too small", "audio", "WebVTT"],
)
def test_what_shows_nothing(body):
    """Where the container does not say how long it is, there is no telling."""
    assert not shows(body)
