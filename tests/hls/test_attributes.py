"""Attribute lists and numbers (RFC 8216 section 4.2)."""

import pytest

from pipeline.hls.attributes import (
    flag,
    integer,
    lenient_float,
    lenient_integer,
    lenient_resolution,
    parse_attributes,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param('A=1,B="two"', {"A": "1", "B": "two"}, id="plain and quoted"),
        pytest.param('A="x,y=z",B=2', {"A": "x,y=z", "B": "2"}, id="separators in quotes"),
        pytest.param(' A = 1 , B = "two" ', {"A": "1", "B": "two"}, id="blanks everywhere"),
        pytest.param("uri=a", {"URI": "a"}, id="name in lower case"),
        pytest.param('A="1"B=2', {"A": "1", "B": "2"}, id="comma missing behind quotes"),
        pytest.param('A="open', {"A": "open"}, id="last quote missing"),
        pytest.param('A=,B=""', {"A": "", "B": ""}, id="empty values"),
        pytest.param("A=1,A=2", {"A": "2"}, id="the last of two counts"),
        pytest.param(",,A=1,,", {"A": "1"}, id="stray commas"),
        pytest.param("A,B=2", {"B": "2"}, id="name without value"),
        pytest.param('"loose",B=2', {"B": "2"}, id="value without name"),
        pytest.param("A=k==&x=y", {"A": "k==&x=y"}, id="equals signs in a bare value"),
        pytest.param("", {}, id="nothing"),
    ],
)
def test_attributes_are_read_leniently(text: str, expected: dict[str, str]) -> None:
    """Every list that has only one reading is read, also where section 4.2 is not kept."""
    assert parse_attributes(text) == expected


@pytest.mark.parametrize("text", ["", "-1", "+1", "1.0", "0x10", "1 2", "x", "٣"])
def test_what_is_no_decimal_integer_is_refused(text: str) -> None:
    """Only ASCII digits make a decimal-integer."""
    with pytest.raises(ValueError, match="not a whole number"):
        integer(text)


def test_an_integer_has_at_most_20_digits() -> None:
    """2^64 - 1 has 20 digits; more are refused before they cost anything."""
    assert integer("18446744073709551615") == 2**64 - 1

    with pytest.raises(ValueError, match="60000 digits"):
        integer("9" * 60_000)
    with pytest.raises(ValueError, match="21 digits"):
        lenient_integer("-" + "1" * 21)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("12", 12), ("-3", -3), ("2560000.4", 2560000), ("15k", 15), ("k", None), (None, None)],
)
def test_a_lenient_integer_is_what_the_text_starts_with(
    text: str | None, expected: int | None
) -> None:
    """What only informs is read as far as it can be."""
    assert lenient_integer(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("9.009", 9.009), (".5", 0.5), ("1e-3", 0.001), ("4s", 4.0), ("NaN", None), ("inf", None)],
)
def test_a_lenient_float_is_finite(text: str, expected: float | None) -> None:
    """NaN and infinity are no numbers here."""
    assert lenient_float(text) == expected


@pytest.mark.parametrize("text", ["1e308", "1e9999", "-1e19", "9" * 400])
def test_an_absurd_number_is_refused(text: str) -> None:
    """No sum of numbers that pass can reach infinity."""
    with pytest.raises(ValueError, match="out of range"):
        lenient_float(text)


def test_resolutions_and_flags() -> None:
    """Width and height are decimal; only YES is true."""
    assert lenient_resolution("1280x720") == (1280, 720)
    assert lenient_resolution("240×135") is None  # noqa: RUF001  # not an x
    assert lenient_resolution(None) is None
    assert [flag(text) for text in ("YES", " yes", "NO", "", None)] == [True, True, *[False] * 3]
