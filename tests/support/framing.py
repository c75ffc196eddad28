"""Behaviours that break the framing of HTTP itself: more than was announced, no end, no such size.

They complete `behaviours`, whose answers are all well-formed up to the place where they are spoilt.
"""

from dataclasses import dataclass

from tests.support.exchange import Exchange


@dataclass(frozen=True)
class Surplus:
    """The right body, all of it announced, and more behind it, together with its last byte."""

    data: bytes

    def __call__(self, exchange: Exchange) -> None:
        reply = exchange.right_reply()
        body = reply.payload.read(reply.start, reply.end)
        exchange.head(reply.status, reply.headers, reply.length)
        exchange.send(body[:-1])
        exchange.send(body[-1:] + self.data)


@dataclass(frozen=True)
class Chunks:
    """A chunked body that goes on like this, and ends with the connection."""

    data: bytes

    def __call__(self, exchange: Exchange) -> None:
        exchange.head(200, {"Transfer-Encoding": "chunked"})
        exchange.send(self.data)
        exchange.hang_up()


@dataclass(frozen=True)
class Raw:
    """These bytes in the place of an answer, then others again and again: it is never done."""

    start: bytes
    again: bytes
    interval: float

    def __call__(self, exchange: Exchange) -> None:
        exchange.send(self.start)
        while True:
            exchange.send(self.again)
            exchange.pause(self.interval)


@dataclass(frozen=True)
class Overlong:
    """A Content-Length `by` bytes below the body that follows it."""

    by: int

    def __call__(self, exchange: Exchange) -> None:
        reply = exchange.right_reply()
        exchange.head(reply.status, reply.headers, max(reply.length - self.by, 0))
        exchange.send_part(reply.payload, reply.start, reply.end)


@dataclass(frozen=True)
class NotHttp:
    """An answer in no protocol at all."""

    data: bytes = b"\x00\x01SSH-2.0-nothing here speaks HTTP\r\n\r\n"

    def __call__(self, exchange: Exchange) -> None:
        exchange.send(self.data)
        exchange.hang_up()
