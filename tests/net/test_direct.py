"""Requests as they go on the wire."""

import pytest

from pipeline.net.connections import Connections
from pipeline.net.cookies import Cookies
from pipeline.net.direct import DirectSender
from pipeline.net.failure import FetchFailure
from pipeline.net.reach import Reach
from pipeline.net.targets import target_of
from pipeline.options import HttpOptions
from tests.support.origin import Origin

REACH = Reach("http://host/", False, None)


def send(origin: Origin, url: str, headers: dict[str, str] | None = None) -> str:
    """What the origin was asked for, when it was asked for `url`."""
    connections = Connections(2)
    sender = DirectSender(HttpOptions(), connections, Cookies(None), REACH)
    sender.send(target_of(url), headers or {}).release()
    connections.close()
    return origin.requests[-1].target


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("/a/b.ts?x=1&y=%20#part", "/a/b.ts?x=1&y=%20"),
        ("?x", "/?x"),
        ("", "/"),
        ("/ä b.ts?ü", "/%C3%A4%20b.ts?%C3%BC"),
        ("/100%.ts?50%", "/100%25.ts?50%25"),
        ('/"<>^`{|}\\', "/%22%3C%3E%5E%60%7B%7C%7D%5C"),
        ("/[1].ts?a[]=b", "/[1].ts?a[]=b"),
        ("/a%2fb", "/a%2fb"),
    ],
)
def test_urls_are_mended(written: str, sent: str) -> None:
    """What cannot stand in a request is escaped, and nothing else is changed."""
    with Origin() as origin:
        assert send(origin, origin.url("").rstrip("/") + written) == sent


def test_host_in_capitals() -> None:
    """Names of hosts know no case."""
    with Origin() as origin:
        url = origin.url("/x").replace("http://127.0.0.1", "HTTP://LOCALHOST")

        assert send(origin, url) == "/x"
        assert origin.requests[-1].header("Host") == origin.url("")[7:].replace(
            "127.0.0.1", "localhost"
        ).rstrip("/")


@pytest.mark.parametrize("value", ["a\r\nX: y", "a\nb", "a\rb", "a\0b"])
def test_headers_have_no_line_ends(value: str) -> None:
    """A header that would be two is refused."""
    with Origin() as origin, pytest.raises(FetchFailure, match="line end"):
        send(origin, origin.url("/x"), {"X-Own": value})


def test_headers_beyond_ascii() -> None:
    """Latin-1 as it is, all else as UTF-8."""
    with Origin() as origin:
        send(origin, origin.url("/x"), {"X-Own": "é"})
        send(origin, origin.url("/x"), {"X-Own": "√"})

        values = [request.header("X-Own") for request in origin.requests]
        assert values == ["é", "√".encode().decode("latin-1")]
