"""Requests as they go on the wire."""

from contextlib import closing

import pytest

from pipeline.net.answers import Answer
from pipeline.net.connections import Connections
from pipeline.net.cookies import Cookies
from pipeline.net.direct import DirectSender
from pipeline.net.failure import FetchFailure
from pipeline.net.reach import Reach
from pipeline.net.targets import target_of
from pipeline.options import HttpOptions
from tests.support.behaviours import Right, Status
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


def sender_of(connections: Connections, cookies: Cookies | None = None) -> DirectSender:
    """One for a download of its own."""
    return DirectSender(HttpOptions(), connections, cookies or Cookies(None), REACH)


def read(answer: Answer) -> bytes:
    """All of a body; its connection is kept."""
    data = bytearray()
    view = memoryview(bytearray(1000))
    while size := answer.read_into(view):
        data += view[:size]
    answer.release()
    return bytes(data)


def test_what_was_asked_ahead_is_for_whom_it_was_asked() -> None:
    """Another download, with other headers, gets an answer of its own."""
    with Origin() as origin, closing(Connections(4)) as connections:
        origin.serve({"/a": b"a" * 5000, "/b": b"b" * 5000})
        one, other = sender_of(connections), sender_of(connections)
        behind = target_of(origin.url("/b"))
        answer = one.send(target_of(origin.url("/a")), {})
        one.ask_ahead(answer, behind, {"X-Token": "one"})
        assert read(answer) == b"a" * 5000

        assert read(other.send(behind, {"X-Token": "other"})) == b"b" * 5000
        assert read(one.send(behind, {"X-Token": "one"})) == b"b" * 5000
        tokens = [request.header("X-Token") for request in origin.requests_for("/b")]
        assert sorted(map(str, tokens)) == ["one", "other"]


def test_cookies_that_have_changed_since() -> None:
    """What was asked for with the last one is not asked for again."""
    with Origin() as origin, closing(Connections(4)) as connections:
        origin.serve({"/a": b"a" * 5000, "/b": b"b" * 5000})
        cookies = Cookies(None)
        sender = sender_of(connections, cookies)
        behind = target_of(origin.url("/b"))
        answer = sender.send(target_of(origin.url("/a")), {})
        sender.ask_ahead(answer, behind, {})
        read(answer)
        cookies.take(origin.url("/a"), ["new=1; Path=/"])

        assert read(sender.send(behind, {})) == b"b" * 5000
        assert origin.count("/b") == 1


def test_parts_of_one_file_are_told_apart() -> None:
    """The answer to one range is none to another."""
    with Origin() as origin, closing(Connections(4)) as connections:
        origin.serve({"/a": bytes(range(256)) * 20})
        sender, target = sender_of(connections), target_of(origin.url("/a"))
        answer = sender.send(target, {"Range": "bytes=0-9"})
        sender.ask_ahead(answer, target, {"Range": "bytes=20-29"})
        read(answer)

        assert read(sender.send(target, {"Range": "bytes=10-19"})) == bytes(range(10, 20))
        assert read(sender.send(target, {"Range": "bytes=20-29"})) == bytes(range(20, 30))


def test_what_was_asked_early() -> None:
    """Its answer is the one to the same request, cookies included; else it is asked anew."""
    with Origin() as origin, closing(Connections(4)) as connections:
        origin.serve({"/a": b"a" * 5000})
        cookies, target = Cookies(None), target_of(origin.url("/a"))
        sender = sender_of(connections, cookies)
        sender.early(target, {}).send()
        assert read(sender.send(target, {})) == b"a" * 5000
        assert origin.count("/a") == 1
        sender.early(target, {}).send()
        origin.wait_for("/a", 2)
        cookies.take(origin.url("/a"), ["new=1; Path=/"])

        assert read(sender.send(target, {})) == b"a" * 5000
        seen = [request.header("Cookie") for request in origin.requests_for("/a")]
        assert seen == [None, None, "new=1"]


def test_the_first_connection_is_told_of() -> None:
    """Of those that a request wants, and once: no other one says more."""
    with Origin() as origin, closing(Connections(4)) as connections:
        origin.serve({"/a": b"a", "/b": b"b"})
        told: list[str] = []
        sender = DirectSender(
            HttpOptions(), connections, Cookies(None), REACH, lambda url, _: told.append(url)
        )
        sender.connect_ahead(target_of(origin.url("/b")), 1)
        assert told == []
        answers = [sender.send(target_of(origin.url(path)), {}) for path in ("/b", "/a", "/b")]

        assert told == [origin.url("/a")]
        for answer in answers:
            answer.release()


def test_connections_that_are_of_no_use() -> None:
    """What was made ahead is closed, and nothing more is made ahead."""
    with Origin() as origin, closing(Connections(4)) as connections:
        origin.serve({"/a": b"a"})
        sender, target = sender_of(connections), target_of(origin.url("/a"))
        sender.connect_ahead(target, 2)
        sender.disconnect(target, 0)
        sender.connect_ahead(target, 2)

        assert read(sender.send(target, {})) == b"a"
        assert origin.connections == 2


def test_what_was_asked_early_is_not_asked_behind_something_else() -> None:
    """Nor what is going to be; another part of it may be."""
    with Origin() as origin, closing(Connections(4)) as connections:
        origin.serve({"/a": b"a" * 5000, "/b": b"b" * 5000})
        sender, target = sender_of(connections), target_of(origin.url("/b"))
        answer = sender.send(target_of(origin.url("/a")), {})
        assert sender.fits_behind(answer, target, {})
        request = sender.early(target, {})

        assert not sender.fits_behind(answer, target, {})
        request.send()
        assert not sender.fits_behind(answer, target, {})
        assert sender.fits_behind(answer, target, {"Range": "bytes=0-9"})
        assert read(sender.send(target, {})) == b"b" * 5000
        assert sender.fits_behind(answer, target, {})
        read(answer)


@pytest.mark.parametrize(("status", "requests"), [(403, 2), (404, 2), (429, 1), (503, 1)])
def test_a_refusal_of_what_was_asked_early(status: int, requests: int) -> None:
    """It may have been too early: asked again. That there are too many stays an answer."""
    with Origin() as origin, closing(Connections(4)) as connections:
        origin.serve({"/a": b"a"})
        origin.behave("/a", [Status(status), Right()])
        sender, target = sender_of(connections), target_of(origin.url("/a"))
        sender.early(target, {}).send()
        answer = sender.send(target, {})

        assert answer.status == (status if requests == 1 else 200)
        assert origin.count("/a") == requests
        answer.release()


def test_nobody_comes_any_more() -> None:
    """What was asked early for a download that is over is closed; that of others is not."""
    with Origin() as origin, closing(Connections(4)) as connections:
        origin.serve({"/a": b"a" * 5000})
        one, other = sender_of(connections), sender_of(connections)
        target = target_of(origin.url("/a"))
        for sender in (one, other):
            sender.early(target, {}).send()
        one.close()

        assert read(one.send(target, {})) == read(other.send(target, {})) == b"a" * 5000
        assert origin.count("/a") == 3
