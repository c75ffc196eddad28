"""EXTINF (RFC 8216 section 4.3.2.1)."""

import pytest

from pipeline.hls.durations import parse_extinf


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("10,", (10.0, None), id="empty title"),
        pytest.param("9.009,A title", (9.009, "A title"), id="title"),
        pytest.param("10", (10.0, None), id="no comma"),
        pytest.param(" 10 ,x", (10.0, "x"), id="blanks around the number"),
        pytest.param("10, x", (10.0, " x"), id="the title is as written"),
        pytest.param('10,"a, b", c', (10.0, '"a, b", c'), id="commas and quotes in the title"),
        pytest.param("10,\t", (10.0, None), id="blank title"),
        pytest.param("0,", (0.0, None), id="zero"),
        pytest.param("-1,Radio", (-1.0, "Radio"), id="unknown, as lists of stations have it"),
        pytest.param('-1 logo="x",Radio', (-1.0, "Radio"), id="attributes behind the number"),
        pytest.param(",x", (None, "x"), id="nothing"),
        pytest.param("NaN,x", (None, "x"), id="not a number"),
    ],
)
def test_seconds_and_title(text: str, expected: tuple[float | None, str | None]) -> None:
    """Both are optional for us, though only the title is in the RFC."""
    assert parse_extinf(text) == expected


@pytest.mark.parametrize("text", ["1e308,", "1e10,", "-1e10,", "9" * 60_000])
def test_absurd_durations_are_refused(text: str) -> None:
    """They would make sums infinite and waits endless."""
    with pytest.raises(ValueError, match=r"duration|range"):
        parse_extinf(text)
