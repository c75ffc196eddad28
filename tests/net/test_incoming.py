"""Bodies on real sockets: where they end, and what becomes of the connection."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.net.connection import Connection
from pipeline.net.connections import Connections, Home, Site
from pipeline.net.failure import FetchFailure
from pipeline.net.incoming import Incoming

SITE = Site("http", "host", 80)
OK = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, Connection]]:
    """A server's end, and a connection to it."""
    server, client = socket.socketpair()
    connection = Connection(client, 5.0)
    with server:
        yield server, connection
    connection.close()


class Asked:
    """One answer, and whether its connection was given back."""

    def __init__(self, server: socket.socket, connection: Connection, answer: bytes) -> None:
        self.pool = Connections(1)
        sender = threading.Thread(target=_send, args=(server, answer))
        sender.start()
        head = connection.ask(b"GET / HTTP/1.1\r\n\r\n")
        self.incoming = Incoming("http://host/", head, connection, Home(SITE, self.pool))
        self.sender = sender

    @property
    def given_back(self) -> list[Connection]:
        """What the pool has of it."""
        return [each for some in self.pool._idle.values() for each in some]

    def body(self, step: int = 1000) -> bytes:
        """All of the body, read `step` bytes at a time."""
        data = bytearray()
        view = memoryview(bytearray(step))
        while size := self.incoming.read_into(view):
            data += view[:size]
        self.sender.join()
        return bytes(data)


def _send(server: socket.socket, answer: bytes) -> None:
    with suppress(OSError):  # nobody may want all of it
        server.sendall(answer)


Pair = tuple[socket.socket, Connection]


@pytest.mark.parametrize("step", [1, 7, 100_000])
@pytest.mark.parametrize("size", [0, 1, 20_000, 300_000])
def test_announced_length(pair: Pair, size: int, step: int) -> None:
    """So many bytes and no more; the connection is good for another request."""
    if size * 10_000 // step > 10**8:
        step = 7000
    body = bytes(range(256)) * (size // 256) + bytes(size % 256)
    asked = Asked(*pair, OK + b"Content-Length: %d\r\n\r\n" % size + body)
    assert asked.incoming.length == size

    assert asked.body(step) == body
    asked.incoming.release()
    assert asked.given_back == [pair[1]]


def test_more_than_was_announced(pair: Pair) -> None:
    """The declared bytes are taken, and the connection is never used again."""
    asked = Asked(*pair, OK + b"Content-Length: 3\r\n\r\nabcdef")

    assert asked.body() == b"abc"
    asked.incoming.release()
    assert asked.given_back == []


def test_end_before_the_length(pair: Pair) -> None:
    """A connection that ends early is no end of the body."""
    asked = Asked(*pair, OK + b"Content-Length: 10\r\n\r\nabc")
    asked.sender.join()
    pair[0].shutdown(socket.SHUT_WR)

    with pytest.raises(EOFError):
        asked.body()


def test_end_of_the_connection_is_the_end(pair: Pair) -> None:
    """HTTP/1.0 without a length: the body may be whole, nobody knows."""
    asked = Asked(*pair, b"HTTP/1.0 200 OK\r\n\r\nabc")
    pair[0].shutdown(socket.SHUT_WR)
    assert asked.incoming.until_close
    assert asked.incoming.length is None

    assert asked.body() == b"abc"
    asked.incoming.release()
    assert asked.given_back == []


@settings(max_examples=40, deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=40_000), max_size=6), st.integers(1, 50_000))
def test_chunks_are_joined(chunks: list[bytes], step: int) -> None:
    """Whatever their sizes, and however they are read."""
    server, client = socket.socketpair()
    with server:
        connection = Connection(client, 5.0)
        parts = [b"%x;name=value\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks]
        body = b"".join([*parts, b"0\r\nTrailer: x\r\n\r\n"])
        asked = Asked(server, connection, OK + b"Transfer-Encoding: chunked\r\n\r\n" + body)

        assert asked.body(step) == b"".join(chunks)
        asked.incoming.release()
        assert asked.given_back == [connection]
        connection.close()


@pytest.mark.parametrize(
    "body",
    [b"xyz\r\nabc\r\n", b"-1\r\n", b"3\r\nabcdef\r\n", b"\r\n", b"1" * 17 + b"\r\n", b"3" * 9000],
    ids=["no number", "negative", "longer than it says", "empty", "too large", "endless"],
)
def test_bad_chunks(pair: Pair, body: bytes) -> None:
    """A chunk that is none is a failure, and no shorter body."""
    asked = Asked(*pair, OK + b"Transfer-Encoding: chunked\r\n\r\n" + body)

    with pytest.raises(FetchFailure, match=r"chunked|no valid HTTP"):
        asked.body()


@pytest.mark.parametrize("rest", [b"0\r\n\r\n", b"junk\r\n0\r\n\r\n", b"junk\r\njunk\r\n0\r\n\r\n"])
def test_what_looks_like_an_end_behind_a_bad_chunk(rest: bytes, pair: Pair) -> None:
    """The connection is used for nothing any more, however often it is released."""
    asked = Asked(*pair, OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n" + rest)
    with pytest.raises(FetchFailure):
        asked.body()

    asked.incoming.release()
    asked.incoming.release()
    asked.incoming.release()

    assert asked.given_back == []


def test_released_twice(pair: Pair) -> None:
    """The connection is there for others once."""
    asked = Asked(*pair, OK + b"Content-Length: 2\r\n\r\nok")
    asked.pool.most = 2
    assert asked.body() == b"ok"

    asked.incoming.release()
    asked.incoming.release()

    assert asked.given_back == [pair[1]]


def test_chunks_that_end_without_a_last(pair: Pair) -> None:
    """The connection ends where a chunk should begin."""
    asked = Asked(*pair, OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
    asked.sender.join()
    pair[0].shutdown(socket.SHUT_WR)

    with pytest.raises(EOFError):
        asked.body()


def test_the_rest_has_not_come(pair: Pair) -> None:
    """It would be taken for the next answer, and is not waited for."""
    asked = Asked(*pair, OK + b"Content-Length: 20\r\n\r\nabcdefghij")
    asked.incoming.read_into(memoryview(bytearray(4)))
    asked.incoming.release()

    assert asked.given_back == []


@pytest.mark.parametrize(
    "body",
    [
        b"Content-Length: 10\r\n\r\nabcdefghij",
        b"Transfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n4\r\nghij\r\n0\r\n\r\n",
    ],
    ids=["announced", "chunks"],
)
def test_a_rest_that_has_come(body: bytes, pair: Pair) -> None:
    """It is passed over: the page of a redirect costs no connection."""
    asked = Asked(*pair, OK + body)
    asked.sender.join()
    asked.incoming.read_into(memoryview(bytearray(4)))
    asked.incoming.release()

    assert asked.given_back == [pair[1]]


@pytest.mark.parametrize(
    "body",
    [b"Content-Length: 900000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\ndbba0\r\n"],
    ids=["announced", "chunks"],
)
def test_a_rest_that_is_large(body: bytes, pair: Pair) -> None:
    """A new connection costs less than that."""
    asked = Asked(*pair, OK + body + bytes(900_000))
    asked.incoming.read_into(memoryview(bytearray(4)))
    asked.incoming.release()

    assert asked.given_back == []


@pytest.mark.parametrize(
    "body",
    [b"6\r\nabcdef\r\n", b"6\r\nabcdef\r\n0\r\nTrailer: x\r\n", b"6\r\nabcdef\r\n0"],
    ids=["no last chunk", "trailers", "half a line"],
)
def test_a_last_chunk_is_not_waited_for(body: bytes, pair: Pair) -> None:
    """It would say nothing else, and the server may take its time."""
    asked = Asked(*pair, OK + b"Transfer-Encoding: chunked\r\n\r\n" + body)
    asked.incoming.read_into(memoryview(bytearray(6)))
    began = time.monotonic()
    asked.incoming.release()

    assert asked.given_back == []
    assert time.monotonic() - began < 4  # the connection's timeout is 5


def test_interim_answers_are_passed_over(pair: Pair) -> None:
    """The answer is what follows a 100 or a 103."""
    interim = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
    asked = Asked(*pair, interim * 2 + OK + b"Content-Length: 2\r\n\r\nok")

    assert asked.body() == b"ok"


def test_silence_is_a_timeout() -> None:
    """The kernel watches over the wait."""
    server, client = socket.socketpair()
    with server:
        connection = Connection(client, 0.05)

        with pytest.raises(TimeoutError):
            connection.ask(b"GET / HTTP/1.1\r\n\r\n")
        connection.close()


def test_head_without_end(pair: Pair) -> None:
    """It is given up, and memory with it."""
    sender = threading.Thread(target=_flood, args=(pair[0],))
    sender.start()

    with pytest.raises(FetchFailure, match="no valid HTTP"):
        pair[1].ask(b"GET / HTTP/1.1\r\n\r\n")
    pair[1].close()
    sender.join()


def _flood(server: socket.socket) -> None:
    try:
        server.sendall(OK + b"A: b" * 100_000)
    except OSError:
        return


def test_interim_answers_without_end(pair: Pair) -> None:
    """No server has so many of them to give."""
    server, connection = pair
    server.sendall(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100)

    with pytest.raises(FetchFailure, match="no valid HTTP"):
        connection.ask(b"GET / HTTP/1.1\r\n\r\n")


def test_head_in_drops() -> None:
    """A head of which a byte comes now and then is not waited for to its end."""
    server, client = socket.socketpair()
    connection = Connection(client, 0.05)
    over = threading.Event()

    def drip() -> None:
        while not over.wait(0.01):
            server.send(b"H")

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        with pytest.raises(FetchFailure, match="too slow"):
            connection.ask(b"GET / HTTP/1.1\r\n\r\n")
    finally:
        over.set()
        thread.join()
        server.close()
        connection.close()
