"""File name endings."""

import pytest

from pipeline.hls.extensions import playlist_extension, url_extension
from tests.hls.reading import media


@pytest.mark.parametrize(
    ("uri", "clear", "with_section"),
    [
        ("a.ts", ".ts", ".ts"),
        ("a.m4s?x=.ts", ".mp4", ".mp4"),
        ("a.MP4", ".mp4", ".mp4"),
        ("a.cmfv", ".mp4", ".mp4"),
        ("a.cmfa", ".m4a", ".m4a"),
        ("a.aac", ".aac", ".aac"),
        ("a.mp3", ".mp3", ".mp3"),
        ("a.ac3", ".ac3", ".ac3"),
        ("a.vtt", ".vtt", ".vtt"),
        ("segment", ".ts", ".mp4"),
        ("a.php?name=x.mp4", ".ts", ".mp4"),
    ],
)
def test_the_ending_fits_the_segments(uri: str, clear: str, with_section: str) -> None:
    """From the URI's path, and else from whether there is an initialization section."""
    lines = ("#EXTINF:1,", uri)

    assert playlist_extension(media(*lines)) == clear
    assert playlist_extension(media('#EXT-X-MAP:URI="i"', *lines)) == with_section


def test_gaps_do_not_count() -> None:
    """The first segment that exists decides; without any it is a transport stream."""
    gap = ("#EXT-X-GAP", "#EXTINF:1,", "a.mp3")

    assert playlist_extension(media(*gap, "#EXTINF:1,", "b.aac")) == ".aac"
    assert playlist_extension(media(*gap)) == ".ts"


def test_a_url_that_is_none_has_no_ending() -> None:
    """Never an exception."""
    assert url_extension("http://[::1/a.ts") == ""
