"""The same playlists read by the m3u8 library, which shares no code with us.

Where both are right they must agree. What is left out of these playlists is where the library
is wrong or silent: several KEYFORMATs at once, gaps, variables, implied offsets and IVs.
"""

from itertools import pairwise

import m3u8
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.hls.model import (
    IDENTITY,
    ByteRange,
    MediaPlaylist,
    MediaSegment,
    MultivariantPlaylist,
)
from pipeline.hls.playlist import parse

URL = "http://host/a/index.m3u8"

names = st.text("abcXYZ019._-", min_size=1, max_size=8).filter(lambda name: name.strip("."))
uris = st.one_of(
    names,
    st.builds("{}/{}?t={}".format, names, names, names),
    st.builds("/{}".format, names),
    st.builds("../{}".format, names),
    st.builds("https://cdn.example/{}".format, names),
)
titles = st.one_of(st.just(""), st.text("abc ,\"'=é", min_size=1, max_size=12).filter(str.strip))
durations = st.decimals(0, 1000, places=3).map(str)
tags = st.lists(
    st.one_of(
        st.just("#EXT-X-DISCONTINUITY"),
        st.just("# a comment, ignored"),
        st.just("#EXT-X-KEY:METHOD=NONE"),
        st.builds('#EXT-X-MAP:URI="{}"'.format, uris),
        st.builds(
            '#EXT-X-MAP:URI="{}",BYTERANGE="{}@{}"'.format, uris, *[st.integers(1, 9999)] * 2
        ),
        st.builds("#EXT-X-BYTERANGE:{}@{}".format, *[st.integers(0, 2**40)] * 2),
        st.builds(
            '#EXT-X-KEY:METHOD={},URI="{}",IV=0x{:032x}'.format,
            st.sampled_from(["AES-128", "SAMPLE-AES"]),
            uris,
            st.integers(0, 2**128 - 1),
        ),
    ),
    max_size=4,
)
entries = st.tuples(tags, durations, titles, uris)


@st.composite
def media_playlists(draw: st.DrawFn) -> str:
    """A media playlist that both understand."""
    lines = [
        "#EXTM3U",
        f"#EXT-X-VERSION:{draw(st.integers(1, 12))}",
        f"#EXT-X-TARGETDURATION:{draw(st.integers(1, 1000))}",
        f"#EXT-X-MEDIA-SEQUENCE:{draw(st.integers(0, 2**40))}",
    ]
    for before, duration, title, uri in draw(st.lists(entries, max_size=8)):
        lines += [*before, f"#EXTINF:{duration},{title}", uri]
    lines += draw(st.sampled_from([[], ["#EXT-X-ENDLIST"]]))
    return draw(st.sampled_from(["\n", "\r\n"])).join(lines)


@settings(max_examples=300)
@given(media_playlists())
def test_media_playlists_are_read_alike(text: str) -> None:
    """Numbers, durations, titles, URLs, byte ranges, keys and sections of all segments."""
    ours, theirs = parse(text, URL), m3u8.loads(text, uri=URL)

    assert isinstance(ours, MediaPlaylist)
    assert not theirs.is_variant
    assert ours.version == int(theirs.version)
    assert ours.target_duration == theirs.target_duration
    assert ours.media_sequence_number == theirs.media_sequence
    assert ours.end_list == theirs.is_endlist
    assert len(ours.segments) == len(theirs.segments)
    for mine, other in zip(ours.segments, theirs.segments, strict=True):
        assert (mine.uri, mine.url) == (other.uri, other.absolute_uri)
        assert mine.duration == other.duration
        assert (mine.title or "").strip() == other.title.strip()
        assert mine.discontinuity == other.discontinuity
        assert mine.media_sequence_number == other.media_sequence
        assert _range(mine.byte_range) == other.byterange
        assert _key(mine) == _their_key(other)
        assert _section(mine) == _their_section(other)


def _range(byte_range: ByteRange | None) -> str | None:
    return None if byte_range is None else f"{byte_range.length}@{byte_range.offset}"


def _key(segment: MediaSegment) -> tuple[str, str | None, str] | None:
    if not segment.keys:
        return None
    (key,) = segment.keys
    assert key.iv is not None
    return key.method, key.url, key.iv.hex()


def _their_key(segment: m3u8.Segment) -> object:
    key = segment.key
    if key is None or key.method == "NONE":
        return None
    assert (key.keyformat or IDENTITY) == IDENTITY
    return key.method, key.absolute_uri, key.iv[2:]


def _section(segment: MediaSegment) -> tuple[str, str | None] | None:
    section = segment.initialization_section
    return None if section is None else (section.url, _range(section.byte_range))


def _their_section(segment: m3u8.Segment) -> object:
    section = segment.init_section
    return section and (section.absolute_uri, section.byterange)


variants = st.builds(
    '#EXT-X-STREAM-INF:BANDWIDTH={},AVERAGE-BANDWIDTH={},CODECS="{}",RESOLUTION={}x{},'
    'FRAME-RATE={:.3f},AUDIO="{}"\n{}'.format,
    st.integers(1, 2**40),
    st.integers(1, 2**40),
    st.text("abc019., ", max_size=12),
    st.integers(1, 9999),
    st.integers(1, 9999),
    st.floats(1, 240),
    names,
    uris,
)
renditions = st.builds(
    '#EXT-X-MEDIA:TYPE={},GROUP-ID="{}",NAME="{}",LANGUAGE="{}",DEFAULT={},AUTOSELECT={},URI="{}"'.format,
    st.sampled_from(["AUDIO", "VIDEO", "SUBTITLES"]),
    names,
    st.text("abc,= é", min_size=1, max_size=12),
    names,
    st.sampled_from(["YES", "NO"]),
    st.sampled_from(["YES", "NO"]),
    uris,
)
frames = st.builds(
    '#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH={},CODECS="{}",URI="{}"'.format,
    st.integers(1, 2**40),
    names,
    uris,
)


@given(st.lists(variants, min_size=1), st.lists(renditions), st.lists(frames))
def test_multivariant_playlists_are_read_alike(
    streams: list[str], media: list[str], i_frames: list[str]
) -> None:
    """Variants, renditions and I-frame variants with their attributes."""
    text = "\n".join(["#EXTM3U", *media, *streams, *i_frames])
    ours, theirs = parse(text, URL), m3u8.loads(text, uri=URL)

    assert isinstance(ours, MultivariantPlaylist)
    assert theirs.is_variant
    for mine, other in zip(ours.variants, theirs.playlists, strict=True):
        info = other.stream_info
        assert (mine.uri, mine.url) == (other.uri, other.absolute_uri)
        assert (mine.bandwidth, mine.average_bandwidth) == (
            info.bandwidth,
            info.average_bandwidth,
        )
        assert (mine.codecs, mine.resolution, mine.audio) == (
            info.codecs,
            info.resolution,
            info.audio,
        )
        assert mine.frame_rate == info.frame_rate
    for rendition, other in zip(ours.renditions, theirs.media, strict=True):
        assert (rendition.type, rendition.group_id) == (other.type, other.group_id)
        assert (rendition.name, rendition.language) == (other.name, other.language)
        assert rendition.url == other.absolute_uri
        assert rendition.default == (other.default == "YES")
        assert rendition.autoselect == (other.autoselect == "YES")
    for frame, other in zip(ours.i_frame_variants, theirs.iframe_playlists, strict=True):
        assert (frame.url, frame.bandwidth) == (
            other.absolute_uri,
            other.iframe_stream_info.bandwidth,
        )


def test_the_order_of_durations_is_kept() -> None:
    """A check of the check: the two lists are compared in playlist order."""
    text = "#EXTM3U\n" + "".join(f"#EXTINF:{number},\n{number}\n" for number in range(50))

    ours, theirs = parse(text, URL), m3u8.loads(text, uri=URL)

    assert isinstance(ours, MediaPlaylist)
    assert all(one.duration < two.duration for one, two in pairwise(ours.segments))
    assert [one.duration for one in ours.segments] == [one.duration for one in theirs.segments]
