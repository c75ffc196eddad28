"""EXT-X-DATERANGE: what is told, and which of it are chapters of what is downloaded."""

from datetime import UTC, datetime

import pytest

from pipeline.errors import PlaylistError
from pipeline.hls.chapters import Chapter, chapters
from pipeline.hls.limits import MAX_DATE_RANGES
from pipeline.hls.model import DateRange
from pipeline.hls.plan import plan
from tests.hls.reading import media

NOON = "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T12:00:00Z"
FOUR = ["#EXTINF:10,", "a", "#EXTINF:10,", "b", "#EXTINF:10,", "c", "#EXTINF:10,", "d"]


def tag(identity: str, second: int, *more: str, name: str = "com.example.chapter") -> str:
    """A date range that begins so many seconds after noon."""
    start = f'START-DATE="2026-01-01T12:00:{second:02}Z"'
    return ",".join([f'#EXT-X-DATERANGE:ID="{identity}",CLASS="{name}"', start, *more])


def found(*lines: str, keep: list[int] | None = None) -> list[tuple[float, float, str]]:
    """The chapters of a playlist, as (start, end, title)."""
    playlist = media(*lines)
    made = chapters(playlist, plan(playlist, keep=keep).items)
    assert all(isinstance(one, Chapter) for one in made)
    return [(one.start, one.end, one.title) for one in made]


def test_what_a_range_says() -> None:
    """Instants, lengths and what clients have added; tags of one ID are one range."""
    (one,) = media(
        tag("1", 5, "DURATION=7.5", 'X-COM-EXAMPLE-TITLE="Opening"'),
        '#EXT-X-DATERANGE:ID="1",END-ON-NEXT=YES,END-DATE="2026-01-01T12:00:20Z"',
        *FOUR,
    ).date_ranges

    assert one == DateRange(
        id="1",
        name="com.example.chapter",
        start=datetime(2026, 1, 1, 12, 0, 5, tzinfo=UTC),
        end=datetime(2026, 1, 1, 12, 0, 20, tzinfo=UTC),
        duration=7.5,
        extras={"X-COM-EXAMPLE-TITLE": "Opening"},
    )


@pytest.mark.parametrize("text", ['ID="1"', 'ID="1",START-DATE="soon"', ""])
def test_a_range_without_a_beginning(text: str) -> None:
    """It is left out, and the playlist is read all the same."""
    assert media(f"#EXT-X-DATERANGE:{text}", *FOUR).date_ranges == ()


def test_too_many() -> None:
    """A playlist may not cost whatever its author likes."""
    lines = [f'#EXT-X-DATERANGE:ID="{number}"' for number in range(MAX_DATE_RANGES + 1)]

    with pytest.raises(PlaylistError, match="more than 10000 date ranges"):
        media(*lines, *FOUR)


def test_where_chapters_are() -> None:
    """They end by themselves, or where the next one begins, or with everything."""
    lines = [
        tag("1", 0, 'X-TITLE="Opening"'),
        tag("2", 15, "DURATION=10", 'X-CHAPTER-NAME="Middle"'),
        tag("3", 30),
    ]

    assert found(NOON, *lines, *FOUR) == [(0, 15, "Opening"), (15, 25, "Middle"), (30, 40, "3")]


def test_what_is_no_chapter() -> None:
    """Advertisements and the like are ranges as well; without dates nobody knows where it is."""
    assert found(NOON, tag("1", 0, name="com.apple.hls.interstitial"), *FOUR) == []
    assert found(tag("1", 0, "DURATION=5"), *FOUR) == []


def test_only_what_is_downloaded() -> None:
    """A chapter that lies in what was left out is none; one that begins there is cut."""
    lines = [NOON, tag("1", 0), tag("2", 12, "DURATION=3"), tag("3", 18), *FOUR]

    assert found(*lines, keep=[0, 2]) == [(0, 10, "1"), (10, 20, "3")]


def test_a_jump_of_the_clock() -> None:
    """After a discontinuity another date holds."""
    later = "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T12:00:50Z"
    lines = [NOON, tag("1", 5), tag("2", 55), *FOUR[:4], "#EXT-X-DISCONTINUITY", later, *FOUR[4:]]

    assert found(*lines) == [(5, 25, "1"), (25, 40, "2")]


def test_titles_are_shown_as_text() -> None:
    """What a server has written controls no terminal."""
    ((_, _, title),) = found(NOON, tag("1", 0, 'X-TITLE="a\x1b[31mb"'), *FOUR)

    assert "\x1b" not in title
