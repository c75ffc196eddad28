"""Requests for one download: what is asked for, and what is believed of the answers."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from pipeline.net.connections import Connections
from pipeline.net.failure import FetchFailure
from pipeline.net.transport import Notices, Transport
from pipeline.options import HttpOptions
from tests.support.behaviours import Right, Status
from tests.support.exchange import Exchange
from tests.support.origin import Origin

PAGE = b"<html>It is elsewhere.</html>" * 10


@pytest.fixture
def pool() -> Iterator[Connections]:
    """Connections that are closed in the end."""
    with closing(Connections(2)) as connections:
        yield connections


def transport(origin: Origin, pool: Connections, **more: object) -> Transport:
    """For downloads from `origin`."""
    return Transport(HttpOptions(**more), origin.url("/"), pool)


def test_a_part_of_a_document(origin: Origin, pool: Connections) -> None:
    """Nobody has asked for one: half a playlist would pass for a shorter video."""
    part = Status(206, b"#EXTM3U\n", {"Content-Range": "bytes 0-7/5000"})
    origin.behave("/v.m3u8", part)

    with pytest.raises(FetchFailure, match="a part where the whole"):
        transport(origin, pool).read(origin.url("/v.m3u8"), 1000)


def test_a_range_of_nothing(origin: Origin, pool: Connections) -> None:
    """There is nothing to ask for, nor a header that could."""
    with transport(origin, pool).open(origin.url("/a.ts"), (940, 0)) as body:
        assert body.ended
    assert origin.count() == 0


def test_redirects_with_pages_cost_no_connections(origin: Origin, pool: Connections) -> None:
    """The page is passed over where it has come already."""

    def moved(exchange: Exchange) -> None:
        head = f"HTTP/1.1 302 Found\r\nLocation: /b.ts\r\nContent-Length: {len(PAGE)}\r\n\r\n"
        exchange.send(head.encode() + PAGE)

    origin.serve({"/b.ts": b"right"})
    origin.behave("/a.ts", moved)
    asked = transport(origin, pool)
    for _ in range(10):
        assert asked.read(origin.url("/a.ts"), 100)[0] == b"right"

    assert origin.connections <= 2
    assert origin.count() == 20


@pytest.mark.parametrize("name", ["Host", "host"])
def test_a_host_of_the_users_own(name: str, origin: Origin, pool: Connections) -> None:
    """It takes the place of the URL's: two of them are an error (RFC 9112 section 3.2)."""
    origin.serve({"/a.ts": b"right"})
    asked = transport(origin, pool, headers=((name, "cdn.example"),))
    asked.read(origin.url("/a.ts"), 100)

    (request,) = origin.requests
    assert [value for key, value in request.headers if key.lower() == "host"] == ["cdn.example"]


def test_cookies_are_told_once(origin: Origin, pool: Connections) -> None:
    """What is new of them: a server may send the same ones with each answer."""
    told: list[tuple[str, list[str]]] = []
    notices = Notices(cookies=lambda url, fields: told.append((url, fields)))
    asked = Transport(HttpOptions(), origin.url("/"), pool, notices=notices)
    origin.serve({"/a": b"a"})
    values = ["1", "1", "2"]
    origin.behave("/a", [Right(headers={"Set-Cookie": f"s={value}; Path=/"}) for value in values])
    for _ in values:
        asked.read(origin.url("/a"), 100)

    assert told == [(origin.url("/a"), [f"s={value}; Path=/"]) for value in ("1", "2")]
