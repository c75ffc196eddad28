"""Text to values and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.units import format_mb, parse_duration, parse_size, printable, public_url


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("50MB", 50 << 20),
        ("512KiB", 512 << 10),
        ("1.5g", 3 << 29),
        (" 7 ", 7),
        ("9007199254740993", 9007199254740993),
    ],
)
def test_a_size_in_the_usual_spellings(text: str, size: int) -> None:
    """MB and MiB both mean 2^20 bytes, and whole numbers are exact."""
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "MB", "-1", "1 parsec", "1" + "0" * 309, "9999999T", "²"])
def test_what_is_no_size(text: str) -> None:
    """Everything else is one kind of error, however long it is."""
    with pytest.raises(ValueError, match=r"size|larger"):
        parse_size(text)


@pytest.mark.parametrize(
    ("text", "seconds"), [("30", 30.0), ("1.5s", 1.5), ("500ms", 0.5), ("2m", 120.0), ("1h", 3600)]
)
def test_a_duration_in_the_usual_spellings(text: str, seconds: float) -> None:
    """Seconds, unless a unit says otherwise."""
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "-1", "25h 3", "577h", "999999999999999h"])
def test_what_is_no_duration(text: str) -> None:
    """Everything else, and what is longer than the system can wait."""
    with pytest.raises(ValueError, match=r"duration|longer"):
        parse_duration(text)


def test_megabytes_have_one_decimal() -> None:
    """As the progress lines show them."""
    assert format_mb(int(12.34 * (1 << 20))) == "12.3 MB"


@given(st.text())
def test_nothing_printable_moves_a_cursor(text: str) -> None:
    """Controls and bidirectional marks are escaped, and the length is bounded."""
    shown = printable(text, limit=50)

    assert all(char.isprintable() or char == " " or ord(char) > 0x9F for char in shown)
    assert not set(shown) & set("\x1b\r\n\u202e\u2066\x9b")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:pw@host:8443/a/b.m3u8?token=x#y", "https://host:8443/a/b.m3u8?…"),
        ("http://[::1]:80/a", "http://[::1]:80/a"),
        ("http://host:99999/a?t=secret#secret", "host:99999/a"),
        ("user:pw@host/a", "host/a"),
        ("/home/me/a@b.m3u8", "/home/me/a@b.m3u8"),
        ("seg\x1b]0;x.ts", "seg\\u001b]0;x.ts"),
    ],
)
def test_a_public_url_has_no_secrets(url: str, shown: str) -> None:
    """Neither credentials nor query nor fragment, and nothing that moves a cursor."""
    assert public_url(url).endswith(shown)
    assert not {"pw", "secret", "token"} & set(public_url(url).replace("?", "/").split("/"))
    assert "pw@" not in public_url(url)


@given(st.text())
def test_any_text_has_a_public_form(text: str) -> None:
    """What is no URL at all is shown, too."""
    assert "\x1b" not in public_url(text)
