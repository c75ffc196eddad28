"""EXT-X-PROGRAM-DATE-TIME (RFC 8216 sections 4.3.2.6 and 6.3.3)."""

from datetime import UTC, datetime

import pytest

from pipeline.hls.dates import format_date, parse_date, shifted
from pipeline.hls.model import MediaPlaylist
from pipeline.hls.playlist import parse

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-31T12:00:00Z",
        "2026-01-31T12:00:00.000Z",
        "2026-01-31T13:00:00+01:00",
        "2026-01-31T04:30:00-0730",
        "2026-01-31T12:00:00z",
        "2026-01-31 12:00:00Z",
        "2026-01-31T12:00:00",
        " 2026-01-31T12:00:00.000000000Z ",
    ],
)
def test_instants_come_in_many_spellings(text: str) -> None:
    """ISO 8601 in any zone; UTC where none is named."""
    assert parse_date(text) == NOON


@pytest.mark.parametrize("text", ["", "noon", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+14:00"])
def test_what_is_no_instant_is_ignored(text: str) -> None:
    """A date only informs: one that cannot be read fails nothing."""
    assert parse_date(text) is None


def test_dates_are_written_with_milliseconds() -> None:
    """The form of `inspect --json`."""
    assert format_date(NOON) == "2026-01-31T12:00:00.000Z"


def test_shifting_out_of_the_calendar_gives_no_date() -> None:
    """A hostile duration cannot raise."""
    assert shifted(NOON, 1e9 * 1e9) is None
    assert shifted(None, 1.0) is None


def _dates(*lines: str) -> list[str | None]:
    playlist = parse("\n".join(("#EXTM3U", *lines)), "http://h/")
    assert isinstance(playlist, MediaPlaylist)
    dates = [segment.program_date_time for segment in playlist.segments]
    return [None if date is None else format_date(date)[17:-1] for date in dates]


def test_a_date_carries_on_until_the_next() -> None:
    """Section 6.3.3: segments without a date continue from the one before."""
    date = "#EXT-X-PROGRAM-DATE-TIME:2026-01-31T12:00:"

    found = _dates(
        f"{date}01Z", "#EXTINF:2,", "a", "#EXTINF:2.5,", "b", f"{date}20Z", "#EXTINF:1,", "c"
    )

    assert found == ["01.000", "03.000", "20.000"]


def test_segments_before_the_first_date_count_back() -> None:
    """Section 6.3.3: the client extrapolates backwards from the first date."""
    found = _dates(
        "#EXTINF:2,",
        "a",
        "#EXTINF:3,",
        "b",
        "#EXT-X-PROGRAM-DATE-TIME:2026-01-31T12:00:20Z",
        "#EXTINF:1,",
        "c",
    )

    assert found == ["15.000", "17.000", "20.000"]


def test_without_dates_there_are_none() -> None:
    """Nothing is made up."""
    assert _dates("#EXTINF:2,", "a", "#EXTINF:2,", "b") == [None, None]
