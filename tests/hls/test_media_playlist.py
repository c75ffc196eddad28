"""What a media playlist says of itself (RFC 8216 section 4.3.3)."""

import pytest

from tests.hls.reading import media


def test_everything_said() -> None:
    """Each tag has its field."""
    playlist = media(
        "#EXT-X-VERSION:7",
        "#EXT-X-TARGETDURATION:6",
        "#EXT-X-MEDIA-SEQUENCE:2680",
        "#EXT-X-DISCONTINUITY-SEQUENCE:4",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        "#EXT-X-I-FRAMES-ONLY",
        "#EXT-X-START:TIME-OFFSET=-12.5,PRECISE=YES",
        "#EXTINF:4,",
        "a",
        "#EXTINF:2.5,",
        "b",
        "#EXT-X-ENDLIST",
    )

    assert playlist.version == 7
    assert playlist.target_duration == 6
    assert playlist.media_sequence_number == 2680
    assert playlist.discontinuity_sequence_number == 4
    assert playlist.playlist_type == "VOD"
    assert playlist.i_frames_only
    assert playlist.start_time_offset == -12.5
    assert playlist.total_duration == 6.5
    assert playlist.end_list


def test_nothing_said() -> None:
    """What is absent is None; the sequence numbers begin at 0 (sections 4.3.3.2 and 4.3.3.3)."""
    playlist = media()

    assert (playlist.version, playlist.target_duration, playlist.playlist_type) == (None,) * 3
    assert playlist.start_time_offset is None
    assert (playlist.media_sequence_number, playlist.discontinuity_sequence_number) == (0, 0)
    assert not playlist.end_list
    assert not playlist.i_frames_only
    assert playlist.segments == ()
    assert playlist.total_duration == 0


@pytest.mark.parametrize(
    "line",
    [
        "#EXT-X-VERSION:",
        "#EXT-X-VERSION:three",
        "#EXT-X-TARGETDURATION:NaN",
        "#EXT-X-TARGETDURATION:-10",
        "#EXT-X-MEDIA-SEQUENCE:",
        "#EXT-X-MEDIA-SEQUENCE:x",
        "#EXT-X-DISCONTINUITY-SEQUENCE:x",
        "#EXT-X-PLAYLIST-TYPE:",
        "#EXT-X-START:PRECISE=YES",
    ],
)
def test_an_unreadable_value_is_as_good_as_none(line: str) -> None:
    """None of these decides about bytes, so none of them fails the playlist."""
    assert media(line, "#EXTINF:1,", "a") == media("#EXTINF:1,", "a")


def test_media_sequences_may_begin_below_zero_or_beyond_32_bits() -> None:
    """Packagers write both; the numbers are what they say."""
    assert (
        media("#EXT-X-MEDIA-SEQUENCE:-5", "#EXTINF:1,", "a").segments[0].media_sequence_number == -5
    )
    assert media("#EXT-X-MEDIA-SEQUENCE:4294967296").media_sequence_number == 2**32


def test_the_end_list_may_stand_anywhere() -> None:
    """Section 4.3.3.4: it "MAY occur anywhere"; segments behind it count."""
    playlist = media("#EXTINF:1,", "a", "#EXT-X-ENDLIST", "#EXTINF:1,", "b")

    assert playlist.end_list
    assert len(playlist.segments) == 2


def test_unknown_durations_do_not_shorten_the_whole() -> None:
    """A duration below zero means "unknown" where it is used at all."""
    assert media("#EXTINF:-1,", "a", "#EXTINF:5,", "b").total_duration == 5
