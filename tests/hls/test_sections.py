"""Parts of a playlist, by time and by URI."""

import re

import pytest

from pipeline.errors import UsageError
from pipeline.hls.sections import Section, parse_section, pick
from tests.hls.reading import media

PLAYLIST = media(*(f"#EXTINF:10,\n{name}.ts" for name in "abcdef"))  # 0 to 60 seconds


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("05:00-20:00", Section(300, 1200)),
        ("300-1200", Section(300, 1200)),
        ("1:00:00-1:00:30.5", Section(3600, 3630.5)),
        ("90-", Section(90, None)),
        ("-90", Section(0, 90)),
        (" 0 - 1 ", Section(0, 1)),
    ],
)
def test_sections_are_written_as_clock_times_or_seconds(text: str, expected: Section) -> None:
    """Either end may be left open."""
    assert parse_section(text) == expected


@pytest.mark.parametrize("text", ["", "5", "10-5", "5-5", "a-b", "1:2:3:4-", "-0", "1e3-", "5--6"])
def test_anything_else_is_named(text: str) -> None:
    """With examples of what is a section."""
    with pytest.raises(UsageError, match="is not understood"):
        parse_section(text)


@pytest.mark.parametrize(
    ("start", "end", "kept"),
    [
        pytest.param(0, None, "abcdef", id="everything"),
        pytest.param(10, 20, "b", id="exactly one segment"),
        pytest.param(9.9, 20.1, "abc", id="a little of the neighbours"),
        pytest.param(15, 16, "b", id="inside of one"),
        pytest.param(55, 1000, "f", id="beyond the end"),
    ],
)
def test_segments_that_share_time_with_the_section(
    start: float, end: float | None, kept: str
) -> None:
    """The end is not part of it."""
    picked = pick(PLAYLIST, section=Section(start, end))

    assert "".join("abcdef"[index] for index in picked.keep) == kept
    assert picked.outside == 6 - len(kept)


def test_segments_are_excluded_by_uri() -> None:
    """Where the pattern is found; counted apart from those outside of the section."""
    picked = pick(PLAYLIST, section=Section(10, 50), exclude=re.compile("[ac]"))

    assert picked.keep == (1, 3, 4)
    assert (picked.outside, picked.excluded) == (2, 1)


def test_nothing_asked_for_keeps_everything() -> None:
    """Also nothing at all."""
    assert pick(PLAYLIST).keep == tuple(range(6))
    assert pick(media()).keep == ()


@pytest.mark.parametrize(
    ("section", "pattern", "reason"),
    [
        (Section(100, 200), "x", "6 outside the section, 0 excluded"),
        (None, ".", "0 outside the section, 6 excluded"),
    ],
)
def test_nothing_left_is_an_error(section: Section | None, pattern: str, reason: str) -> None:
    """It says which of the two did it."""
    with pytest.raises(UsageError, match=reason):
        pick(PLAYLIST, section=section, exclude=re.compile(pattern))
