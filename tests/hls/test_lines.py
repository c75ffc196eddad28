"""Bytes to lines (RFC 8216 section 4.1), and what is not a playlist."""

import pytest

from pipeline.errors import PlaylistError
from pipeline.hls.lines import decode, line_number, placed


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"#EXTM3U\n#EXTINF:1,\na\n", id="line feeds"),
        pytest.param(b"#EXTM3U\r\n#EXTINF:1,\r\na\r\n", id="carriage returns too"),
        pytest.param(b"#EXTM3U\r#EXTINF:1,\ra\r", id="carriage returns only"),
        pytest.param(b"\xef\xbb\xbf#EXTM3U\n#EXTINF:1,\na", id="byte order mark, no last line end"),
        pytest.param(b"#EXTM3U  \n\n  \t#EXTINF:1,\n\n a \n\n", id="blanks and blank lines"),
    ],
)
def test_lines_come_out_the_same(data: bytes) -> None:
    """However lines end and whatever stands around them."""
    lines = [line for _, line in placed(decode(data))]

    assert lines == ["#EXTM3U", "#EXTINF:1,", "a"]


def test_line_numbers_count_blank_lines() -> None:
    """An error names the line that an editor shows."""
    text = decode(b"#EXTM3U\n\n \nx\n")

    numbers = [(line_number(text, place), line) for place, line in placed(text)]

    assert numbers == [(1, "#EXTM3U"), (4, "x")]


@pytest.mark.parametrize(
    "data",
    [b"\n\n#EXTM3U", b"# a comment\n\n#EXTM3U x=y\n", b"#EXT-X-VERSION:3\n#EXTM3U\n"],
)
def test_comments_may_stand_before_the_header(data: bytes) -> None:
    """Section 4.3.1.1 wants EXTM3U first; what is ignored anyway may come before it."""
    assert decode(data)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        pytest.param(b"", "it is empty", id="nothing"),
        pytest.param(b" \r\n\n", "it is empty", id="blanks"),
        pytest.param(b"<!DOCTYPE html>\n<html>", 'first line is "<!DOCTYPE html>"', id="a page"),
        pytest.param(b"#EXTINF:1,\na", 'first line is "#EXTINF:1,"', id="no EXTM3U"),
        pytest.param(b"a\n#EXTM3U", 'first line is "a"', id="text before it"),
        pytest.param(b"#EXTM3UX\n", 'first line is "#EXTM3UX"', id="another tag"),
        pytest.param(b"\x1b]0;x\x07\n", r'"\u001b]0;x\u0007"', id="terminal escapes are escaped"),
        pytest.param(b"\xff\xfe#\x00", "line 1 is not UTF-8", id="UTF-16"),
        pytest.param(b"#EXTM3U\n#EXTINF:1,caf\xe9\n", "line 2 is not UTF-8", id="Latin-1"),
        pytest.param(b"#EXTM3U\na\x00b\n", "line 2 holds a NUL", id="NUL"),
    ],
)
def test_what_is_no_playlist_is_named_by_its_first_line(data: bytes, sentence: str) -> None:
    """One error type, whose sentence shows what came instead, fit for a terminal."""
    with pytest.raises(PlaylistError) as caught:
        decode(data)

    assert str(caught.value).startswith("Not a playlist")
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        pytest.param(b"#EXTM3U\n" + b"a" * (16 << 20), "larger than 16 MB", id="bytes"),
        pytest.param(b"#EXTM3U\n" + b"\n" * 5_000_000, "more than 2000000 lines", id="lines"),
    ],
)
def test_caps_on_the_whole_are_checked_first(data: bytes, sentence: str) -> None:
    """Millions of lines cost nothing before they are refused."""
    with pytest.raises(PlaylistError, match=sentence):
        decode(data)


def test_a_line_has_at_most_64_kilobytes() -> None:
    """The error names the line."""
    with pytest.raises(PlaylistError, match=r"Line 2 .* longer than 65536"):
        list(placed(decode(b"#EXTM3U\n" + b"a" * 65_537)))
