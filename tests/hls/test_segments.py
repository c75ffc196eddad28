"""The tags of segments (RFC 8216 section 4.3.2)."""

import pytest

from pipeline.errors import PlaylistError
from pipeline.hls.model import ByteRange
from tests.hls.reading import media, segments


def test_a_segment_is_what_the_tags_before_its_uri_say() -> None:
    """In whatever order they stand."""
    first, second = segments(
        "#EXT-X-MEDIA-SEQUENCE:7",
        "#EXT-X-DISCONTINUITY-SEQUENCE:3",
        "#EXT-X-BYTERANGE:10@5",
        "#EXTINF:4.5,One",
        "a.ts",
        "#EXTINF:3,",
        "#EXT-X-GAP",
        "#EXT-X-DISCONTINUITY",
        "sub/b.ts?t=1",
    )

    assert (first.uri, first.url) == ("a.ts", "http://host/a/a.ts")
    assert (first.duration, first.title, first.gap) == (4.5, "One", False)
    assert first.byte_range == ByteRange(10, 5)
    assert (first.media_sequence_number, first.discontinuity_sequence_number) == (7, 3)
    assert (second.duration, second.title, second.gap) == (3.0, None, True)
    assert second.url == "http://host/a/sub/b.ts?t=1"
    assert second.byte_range is None
    assert second.discontinuity
    assert (second.media_sequence_number, second.discontinuity_sequence_number) == (8, 4)


@pytest.mark.parametrize(
    "noise",
    [
        "# a comment",
        "#EXT-X-VENDOR:x=1",
        "#EXTVLCOPT:network-caching=1000",
        "#EXT-X-CUE-OUT:30",
        "#EXT-X-BITRATE:1200",
        '#EXT-X-DATERANGE:ID="1",START-DATE="2026-01-01T00:00:00Z"',
        '#EXT-X-PART:DURATION=0.5,URI="part.ts"',
        '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="next.ts"',
        "#EXT-X-PREFETCH:next.ts",
        "",
    ],
)
def test_what_is_not_understood_is_ignored(noise: str) -> None:
    """Section 6.3.1; of low-latency playlists the whole segments are taken."""
    found = segments("#EXTINF:1,", noise, "a", noise, "#EXTINF:2,", "b", noise)

    assert [(one.uri, one.duration) for one in found] == [("a", 1.0), ("b", 2.0)]


@pytest.mark.parametrize(
    "tag",
    [
        "#EXT-X-BYTERANGE:10@0",
        "#EXT-X-GAP",
        "#EXT-X-DISCONTINUITY",
        "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00Z",
    ],
)
def test_any_tag_of_segments_announces_one(tag: str) -> None:
    """A segment whose EXTINF is missing (section 4.3.2.1) is still a segment."""
    (found,) = segments(tag, "a")

    assert (found.uri, found.duration) == ("a", 0.0)


def test_a_uri_that_nothing_announces_is_counted_only() -> None:
    """As players do; the number is there for whoever wants to warn."""
    playlist = media("junk", "#EXTINF:1,", "a", "junk")

    assert [one.uri for one in playlist.segments] == ["a"]
    assert playlist.stray_lines == 2


def test_an_unreadable_duration_is_the_target_duration() -> None:
    """Section 4.3.3.1: no segment is longer."""
    found = segments("#EXT-X-TARGETDURATION:6", "#EXTINF:,", "a", "#EXTINF:NaN,", "b")

    assert [one.duration for one in found] == [6.0, 6.0]
    assert [one.duration for one in segments("#EXTINF:,", "a")] == [0.0]


def test_initialization_sections_apply_until_the_next() -> None:
    """Section 4.3.2.5, with their byte ranges; an offset left out is 0 there."""
    found = segments(
        "#EXTINF:1,",
        "a",
        '#EXT-X-MAP:URI="i.mp4",BYTERANGE="100@50"',
        "#EXTINF:1,",
        "b",
        "#EXT-X-DISCONTINUITY",
        "#EXTINF:1,",
        "c",
        '#EXT-X-MAP:URI="j.mp4",BYTERANGE="100"',
        "#EXTINF:1,",
        "d",
    )

    sections = [one.initialization_section for one in found]
    assert [one and (one.url, one.byte_range) for one in sections] == [
        None,
        ("http://host/a/i.mp4", ByteRange(100, 50)),
        ("http://host/a/i.mp4", ByteRange(100, 50)),
        ("http://host/a/j.mp4", ByteRange(100, 0)),
    ]


def test_an_initialization_section_has_the_key_before_its_own_tag() -> None:
    """Section 4.3.2.5: not that of the segment that uses it."""
    (found,) = segments(
        '#EXT-X-KEY:METHOD=AES-128,URI="1",IV=1',
        '#EXT-X-MAP:URI="i.mp4"',
        '#EXT-X-KEY:METHOD=AES-128,URI="2",IV=2',
        "#EXTINF:1,",
        "a",
    )

    assert found.initialization_section is not None
    assert [key.uri for key in found.initialization_section.keys] == ["1"]
    assert [key.uri for key in found.keys] == ["2"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("#EXT-X-MAP:", r"\(EXT-X-MAP\): no URI"),
        ('#EXT-X-MAP:URI=""', r"\(EXT-X-MAP\): no URI"),
        ('#EXT-X-MAP:URI="i",BYTERANGE="x"', r"\(EXT-X-MAP\): \"x\" is not a whole number"),
        ("#EXTINF:1e300,", r"\(EXTINF\): \"1e300\" is out of range"),
        ("#EXT-X-MEDIA-SEQUENCE:" + "1" * 21, r"\(EXT-X-MEDIA-SEQUENCE\): a number of 21 digits"),
        ("http://[::1/a", r"\(URI\): Invalid IPv6 URL"),
    ],
)
def test_errors_name_line_and_tag(line: str, reason: str) -> None:
    """So that the author of the playlist finds the place."""
    with pytest.raises(PlaylistError, match=rf"^Line 4 of the playlist {reason}"):
        media("#EXT-X-VERSION:6", "#EXTINF:1,", line)


def test_a_range_without_offset_or_predecessor_names_its_uri_line() -> None:
    """Section 4.3.2.2."""
    with pytest.raises(PlaylistError, match=r"^Line 4 of the playlist \(URI\): no offset"):
        media("#EXT-X-BYTERANGE:100", "#EXTINF:1,", "a")


def test_segments_are_capped() -> None:
    """200,000, and the one after it is refused."""
    lines = ["#EXTINF:1,", "a"] * 200_000

    assert len(segments(*lines)) == 200_000
    with pytest.raises(PlaylistError, match="more than 200000 segments"):
        segments(*lines, "#EXTINF:1,", "a")


def test_each_discontinuity_tag_counts() -> None:
    """Section 4.3.3.3: the sequence number grows with the tags, not with the segments."""
    found = segments(
        "#EXT-X-DISCONTINUITY", "#EXT-X-DISCONTINUITY", "#EXTINF:1,", "a", "#EXTINF:1,", "b"
    )

    assert [one.discontinuity_sequence_number for one in found] == [2, 2]
    assert [one.discontinuity for one in found] == [True, False]


def test_a_delta_update_counts_what_it_leaves_out() -> None:
    """rfc8216bis section 4.4.5.2: skipped segments have media sequence numbers."""
    playlist = media(
        "#EXT-X-MEDIA-SEQUENCE:10", "#EXT-X-SKIP:SKIPPED-SEGMENTS=3", "#EXTINF:1,", "a"
    )

    assert playlist.skipped_segments == 3
    assert playlist.segments[0].media_sequence_number == 13
    assert media("#EXT-X-SKIP:").skipped_segments == 1
