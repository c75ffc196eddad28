"""What holds for any playlist and any bytes."""

import json
import re

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pipeline.errors import HlspipeError, PlaylistError
from pipeline.hls.inspection import inspect_dict
from pipeline.hls.model import MediaPlaylist, MultivariantPlaylist
from pipeline.hls.plan import plan
from pipeline.hls.playlist import parse
from pipeline.hls.selection import choose_variant

URL = "http://host/a/index.m3u8?q=1"

#: One of each tag, well formed: what mutations start from.
SEED = b"""#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:6
#EXT-X-MEDIA-SEQUENCE:100
#EXT-X-DISCONTINUITY-SEQUENCE:3
#EXT-X-PLAYLIST-TYPE:VOD
#EXT-X-START:TIME-OFFSET=-4.5
#EXT-X-DEFINE:NAME="p",VALUE="path"
#EXT-X-DEFINE:QUERYPARAM="q"
#EXT-X-KEY:METHOD=AES-128,URI="key?{$p}",IV=0x0123456789abcdef0123456789abcdef
#EXT-X-MAP:URI="init.mp4",BYTERANGE="616@0"
#EXT-X-PROGRAM-DATE-TIME:2026-01-31T12:00:00.000Z
#EXT-X-BYTERANGE:1000@616
#EXTINF:5.005,A title
{$p}/media.mp4
#EXT-X-BYTERANGE:2000
#EXTINF:5.005,
{$p}/media.mp4
#EXT-X-DISCONTINUITY
#EXT-X-GAP
#EXTINF:4,
https://other/b.mp4?x=1#f
#EXT-X-SKIP:SKIPPED-SEGMENTS=2
#EXT-X-ENDLIST
"""
MULTIVARIANT_SEED = b"""#EXTM3U
#EXT-X-VERSION:6
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="English",LANGUAGE="en",DEFAULT=YES,URI="en.m3u8"
#EXT-X-SESSION-KEY:METHOD=AES-128,URI="key",IV=1
#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1000,URI="i.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=2000,RESOLUTION=1280x720,FRAME-RATE=29.97,CODECS="avc1",AUDIO="a"
v.m3u8
"""

#: What must not reach a terminal from a playlist by way of an error.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e]")

FRAGMENTS = st.sampled_from(
    [
        *SEED.splitlines(keepends=True),
        *MULTIVARIANT_SEED.splitlines(keepends=True),
        *[b'"', b",", b"=", b":", b"@", b"\n", b"\r", b"\0", b"\xff", b"{$", b"}", b"#", b"#EXT"],
        *[b"-", b"9" * 25, b"1e400", b"NaN", b"http://[", b"//", b"\xe2\x84\x80", b"\x1b[2J"],
    ]
)


def survive(data: bytes) -> None:
    """Read it and do all that can be done with it; raise nothing but our own errors."""
    message = ""
    try:
        playlist = parse(data, URL)
        json.dumps(inspect_dict(playlist), allow_nan=False)
        if isinstance(playlist, MediaPlaylist):
            plan(playlist)
        else:
            choose_variant(playlist)
    except PlaylistError as exc:
        message = exc.message

    assert _CONTROLS.search(message) is None


@given(st.binary(max_size=300))
def test_any_bytes_give_a_value_or_a_playlist_error(data: bytes) -> None:
    """Never another exception, with and without a header."""
    survive(data)
    survive(b"#EXTM3U\n" + data)


@given(st.text(max_size=300))
def test_any_text_gives_a_value_or_a_playlist_error(text: str) -> None:
    """Behind a header and behind each tag's name."""
    survive(b"#EXTM3U\n" + text.encode("utf-8", "surrogatepass"))


@given(
    st.sampled_from([line.partition(b":")[0] for line in (SEED + MULTIVARIANT_SEED).splitlines()]),
    st.one_of(st.binary(max_size=60), st.text("0123456789abcxX@=,\"'-.+e:/{}$ ", max_size=40)),
)
def test_any_value_of_any_tag(tag: bytes, value: bytes | str) -> None:
    """With a segment behind it, so that the value is put to use."""
    raw = value.encode() if isinstance(value, str) else value
    survive(b"#EXTM3U\n" + tag + b":" + raw + b"\n#EXTINF:1,\na\n")
    survive(b"#EXTM3U\n" + tag + b":" + raw + b"\na\n")


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=200)
@given(
    st.sampled_from([SEED, MULTIVARIANT_SEED]),
    st.lists(
        st.tuples(st.integers(0, len(SEED)), st.integers(0, 12), FRAGMENTS), min_size=1, max_size=8
    ),
)
@example(SEED, [(0, 0, b"")])
def test_any_mutation_of_a_playlist(seed: bytes, edits: list[tuple[int, int, bytes]]) -> None:
    """Cut, paste and overwrite anywhere."""
    data = seed
    for place, removed, inserted in edits:
        at = place % (len(data) + 1)
        data = data[:at] + inserted + data[at + removed :]
    survive(data)


def test_the_seeds_are_understood() -> None:
    """Otherwise their mutations would test little."""
    media, multivariant = parse(SEED, URL), parse(MULTIVARIANT_SEED, URL)

    assert isinstance(media, MediaPlaylist)
    assert isinstance(multivariant, MultivariantPlaylist)
    assert len(media.segments) == 3
    assert choose_variant(multivariant).resolution == (1280, 720)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["A", "B", None]),
            st.sampled_from(["k", "l", None]),
            st.booleans(),
            st.integers(0, 10),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_laws_of_plans(rows: list[tuple[str | None, str | None, bool, int]]) -> None:
    """Each segment is an item or a gap, in order; sections change exactly where the list says."""
    lines = ["#EXTM3U"]
    for section, key, gap, seconds in rows:
        lines += [f'#EXT-X-MAP:URI="{section}"'] if section else []
        lines += [
            f'#EXT-X-KEY:METHOD=AES-128,URI="{key}",IV=1' if key else "#EXT-X-KEY:METHOD=NONE"
        ]
        lines += ["#EXT-X-GAP"] if gap else []
        lines += [f"#EXTINF:{seconds},", "s"]
    playlist = parse("\n".join(lines), URL)
    assert isinstance(playlist, MediaPlaylist)

    try:
        found = plan(playlist)
    except HlspipeError:
        assert all(segment.gap for segment in playlist.segments)
        return

    indexes = [item.segment_index for item in found.items if item.segment_index is not None]
    assert sorted([*indexes, *found.gaps]) == list(range(len(rows)))
    assert indexes == sorted(indexes)
    assert [item.index for item in found.items] == list(range(len(found.items)))
    assert found.duration == sum(row[3] for row in rows if not row[2])
    for item in found.items:
        if item.segment_index is None:
            assert found.items[item.index + 1].section_index == item.index
        else:
            segment = playlist.segments[item.segment_index]
            section_of = segment.initialization_section
            needed = None if item.section_index is None else found.items[item.section_index].url
            assert needed == (section_of and section_of.url)
            assert (item.decryption is not None) == bool(segment.keys)


@given(st.lists(st.tuples(st.integers(0, 1000), st.none() | st.integers(0, 1000)), min_size=1))
def test_laws_of_byte_ranges(written: list[tuple[int, int | None]]) -> None:
    """A range has its length as written, and begins as written or where the last one ended."""
    lines = ["#EXTM3U"]
    for length, offset in written:
        lines += [f"#EXT-X-BYTERANGE:{length}" + ("" if offset is None else f"@{offset}")]
        lines += ["#EXTINF:1,", "s"]
    if written[0][1] is None:
        with pytest.raises(PlaylistError, match="no offset"):
            parse("\n".join(lines), URL)
        return

    playlist = parse("\n".join(lines), URL)

    assert isinstance(playlist, MediaPlaylist)
    end = 0
    for segment, (length, offset) in zip(playlist.segments, written, strict=True):
        assert segment.byte_range is not None
        assert segment.byte_range.length == length
        assert segment.byte_range.offset == (end if offset is None else offset)
        end = segment.byte_range.end
