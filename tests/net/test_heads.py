"""Heads of answers: what they say, and what is no head at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.net.failure import FetchFailure
from pipeline.net.heads import Head, head_end, parse_head


def head(*lines: str) -> Head:
    """The head of these lines."""
    return parse_head("\r\n".join([*lines, "", ""]).encode("latin-1"))


def test_what_a_head_says() -> None:
    """Status, reason, and headers by their names in lower case, without the blanks around them."""
    found = head("HTTP/1.1 206 Partial Content", "Content-Length: 10", "X-Empty:", 'ETag:  \t"a" ')

    assert (found.status, found.reason, found.minor) == (206, "Partial Content", 1)
    assert found.headers == {"content-length": "10", "x-empty": "", "etag": '"a"'}
    assert found.length == 10


def test_reason_may_be_missing() -> None:
    """Some servers leave it out, some the blank before it too."""
    assert head("HTTP/1.1 200 ").reason == head("HTTP/1.1 200").reason == ""


def test_bare_line_feeds() -> None:
    """What old servers end lines with (RFC 9112 section 2.2)."""
    data = b"HTTP/1.0 200 OK\nContent-Length: 3\n\nabc"

    assert head_end(data, 0, len(data)) == len(data) - 3
    assert parse_head(data[:-3]).length == 3


def test_equal_headers_are_joined_but_cookies_are_not() -> None:
    """A cookie has commas in its date."""
    found = head("HTTP/1.1 200 OK", "Via: a", "via: b", "Set-Cookie: x=1", "Set-Cookie: y=2")

    assert found.headers["via"] == "a, b"
    assert found.cookies == ("x=1", "y=2")


@pytest.mark.parametrize(
    "lines",
    [
        ("HTTP/2 200 OK",),
        ("ICY 200 OK",),
        ("<html>",),
        ("",),
        ("HTTP/1.1 20 OK",),
        ("HTTP/1.1 200 OK", "no colon"),
        ("HTTP/1.1 200 OK", "Name : blank before the colon"),
        ("HTTP/1.1 200 OK", " folded"),
        ("HTTP/1.1 200 OK", *["A: b"] * 300),
        ("HTTP/1.1 200 OK", "Transfer-Encoding: gzip, chunked"),
    ],
    ids=lambda lines: (lines[-1] or "empty")[:20],
)
def test_what_is_no_head(lines: tuple[str, ...]) -> None:
    """Nothing that can be read in two ways is believed."""
    with pytest.raises(FetchFailure):
        head(*lines)


@pytest.mark.parametrize("value", ["10, 11", "-1", "+5", "1e3", "²", "0x10", "9" * 21, ""])
def test_length_that_is_no_number(value: str) -> None:
    """Two lengths, or none that a server can mean."""
    found = head("HTTP/1.1 200 OK", f"Content-Length: {value}")

    with pytest.raises(FetchFailure, match="no number"):
        _ = found.length


def test_length_said_twice() -> None:
    """The same length twice is one length (RFC 9112 section 6.3)."""
    assert head("HTTP/1.1 200 OK", "Content-Length: 7", "Content-Length: 7").length == 7


def test_chunks_go_before_a_length() -> None:
    """A server that says both means the chunks."""
    found = head("HTTP/1.1 200 OK", "Content-Length: 7", "Transfer-Encoding: Chunked")

    assert found.chunked
    assert found.length is None


@pytest.mark.parametrize("status", [204, 304])
def test_status_without_a_body(status: int) -> None:
    """There is none, whatever the headers say."""
    assert head(f"HTTP/1.1 {status} No", "Content-Length: 7").length == 0


@pytest.mark.parametrize(
    ("version", "connection", "kept"),
    [
        ("1.1", None, True),
        ("1.1", "close", False),
        ("1.1", "Keep-Alive", True),
        ("1.0", None, False),
        ("1.0", "Keep-Alive", True),
        ("1.0", "close", False),
    ],
)
def test_who_keeps_a_connection(version: str, connection: str | None, kept: bool) -> None:
    """HTTP/1.1 unless it says otherwise, HTTP/1.0 only if it says so."""
    lines = [] if connection is None else [f"Connection: {connection}"]

    assert head(f"HTTP/{version} 200 OK", *lines).keeps_alive is kept


@given(st.binary(max_size=400) | st.text(max_size=200).map(lambda text: text.encode()))
def test_any_bytes_are_a_head_or_a_failure(data: bytes) -> None:
    """No input raises anything else."""
    try:
        found = parse_head(b"HTTP/1.1 200 OK\r\n" + data)
        length = found.length
    except FetchFailure:
        return

    assert length is None or length >= 0
