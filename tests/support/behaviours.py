"""What a path does with one request: right, late, cut, wrong or endless.

Each behaviour is a frozen value that is called with an `Exchange`; any other function of one
works as well. They start from the reply that a correct server would give (Range requests
included) and spoil one thing. `after` counts body bytes, times are seconds.
"""

import gzip
import hashlib
import random
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import formatdate
from time import time

from tests.support.exchange import Behaviour, Exchange, Payload, Reply

Headers = Mapping[str, str]


def _payload(body: bytes | str | None) -> Payload | None:
    if body is None:
        return None
    return Payload(body.encode() if isinstance(body, str) else body)


@dataclass(frozen=True)
class Right:
    """The right answer, with further headers (Set-Cookie, say) or another body if wanted."""

    body: bytes | str | None = field(default=None, repr=False)
    headers: Headers = field(default_factory=dict)
    etag: str | None = None

    def __call__(self, exchange: Exchange) -> None:
        extra = {"ETag": self.etag} if self.etag is not None else {}
        exchange.reply(exchange.right_reply(_payload(self.body)), {**extra, **self.headers})


@dataclass(frozen=True)
class Status:
    """A status with a short body. `retry_after`: seconds, also as a date with `as_date`."""

    code: int
    body: bytes | str = "this is an error page\n"
    headers: Headers = field(default_factory=dict)
    retry_after: int | None = None
    as_date: bool = False

    def __call__(self, exchange: Exchange) -> None:
        payload = _payload(self.body) or Payload(b"")
        headers = {"Content-Type": "text/plain", **self.headers}
        if self.retry_after is not None:
            # A date has whole seconds: rounded up, as no client may come too early for it.
            date = formatdate(int(time()) + 1 + self.retry_after, usegmt=True)
            headers["Retry-After"] = date if self.as_date else str(self.retry_after)
        length = 0 if self.code in {204, 304} else payload.length
        exchange.reply(Reply(self.code, payload, 0, length, headers))


@dataclass(frozen=True)
class Page:
    """200 with an HTML page, whatever was asked for."""

    text: str = "<!DOCTYPE html><html><body>Please log in</body></html>\n"

    def __call__(self, exchange: Exchange) -> None:
        payload = Payload(self.text.encode())
        headers = {"Content-Type": "text/html; charset=utf-8"}
        exchange.reply(Reply(200, payload, 0, payload.length, headers))


@dataclass(frozen=True)
class Redirect:
    """A redirect to `to`: a path, or a URL of any scheme."""

    to: str
    code: int = 302

    def __call__(self, exchange: Exchange) -> None:
        exchange.reply(Reply(self.code, Payload(b""), 0, 0, {"Location": self.to}))


@dataclass(frozen=True)
class Late:
    """Nothing for `seconds`, then `then`."""

    seconds: float
    then: Behaviour = field(default_factory=Right)

    def __call__(self, exchange: Exchange) -> None:
        exchange.pause(self.seconds)
        self.then(exchange)


@dataclass(frozen=True)
class Held:
    """Right, but before byte `after` (-1: before the headers) it waits for the test's gate."""

    gate: threading.Event
    after: int = -1

    def __call__(self, exchange: Exchange) -> None:
        if self.after < 0:
            exchange.wait_for(self.gate)
        reply = _begin(exchange)
        middle = min(reply.start + max(self.after, 0), reply.end)
        exchange.send_part(reply.payload, reply.start, middle)
        exchange.wait_for(self.gate)
        exchange.send_part(reply.payload, middle, reply.end)


@dataclass(frozen=True)
class Paused:
    """Right, with a pause of `seconds` before byte `after`."""

    after: int
    seconds: float

    def __call__(self, exchange: Exchange) -> None:
        reply = _begin(exchange)
        middle = _send_first(exchange, reply, self.after)
        exchange.pause(self.seconds)
        exchange.send_part(reply.payload, middle, reply.end)


@dataclass(frozen=True)
class Stall:
    """Right for `after` bytes (-1: not even the headers), then nothing for ever."""

    after: int = -1

    def __call__(self, exchange: Exchange) -> None:
        if self.after >= 0:
            _send_first(exchange, _begin(exchange), self.after)
        exchange.stall()


@dataclass(frozen=True)
class Reset:
    """Right for `after` bytes (-1: not even the headers), then a RST."""

    after: int = -1

    def __call__(self, exchange: Exchange) -> None:
        if self.after >= 0:
            _send_first(exchange, _begin(exchange), self.after)
        exchange.reset()


@dataclass(frozen=True)
class Cut:
    """The full Content-Length, `after` bytes (-1: not even the headers), and an early FIN."""

    after: int = -1

    def __call__(self, exchange: Exchange) -> None:
        if self.after >= 0:
            _send_first(exchange, _begin(exchange), self.after)
        exchange.hang_up()


@dataclass(frozen=True)
class LastOne:
    """Right, and then the connection is closed though nothing announced it."""

    def __call__(self, exchange: Exchange) -> None:
        Right()(exchange)
        exchange.hang_up()


@dataclass(frozen=True)
class Stale:
    """`then`, but only for a connection's first request: the next one is its end, unanswered."""

    reset: bool = False
    then: Behaviour = field(default_factory=Right)

    def __call__(self, exchange: Exchange) -> None:
        if exchange.request.place == 1:
            self.then(exchange)
        elif self.reset:
            exchange.reset()
        else:
            exchange.hang_up()


@dataclass(frozen=True)
class TooMuch:
    """The right bytes and `by` more, all of them declared."""

    by: int

    def __call__(self, exchange: Exchange) -> None:
        reply = exchange.right_reply()
        exchange.head(reply.status, reply.headers, reply.length + self.by)
        exchange.send_part(reply.payload, reply.start, reply.end)
        exchange.send(b"\x47" * self.by)


@dataclass(frozen=True)
class Chunked:
    """A chunked body; cut before byte `cut_after`, or with a bad chunk size before `bad_after`."""

    size: int = 16384
    cut_after: int | None = None
    bad_after: int | None = None

    def __call__(self, exchange: Exchange) -> None:
        reply = exchange.right_reply()
        exchange.head(reply.status, reply.headers | {"Transfer-Encoding": "chunked"})
        if exchange.request.method == "HEAD":
            return
        ends = [end for end in (self.cut_after, self.bad_after) if end is not None]
        stop = min([reply.length, *ends]) + reply.start
        for start in range(reply.start, stop, self.size):
            data = reply.payload.read(start, min(start + self.size, stop))
            exchange.send(b"%x\r\n" % len(data))
            exchange.send(data + b"\r\n")
        if self.bad_after is not None:
            exchange.send(b"zz\r\nnot a chunk\r\n")
        if ends:
            exchange.hang_up()
        exchange.send(b"0\r\n\r\n")


@dataclass(frozen=True)
class CloseDelimited:
    """HTTP/1.0 without a length: the body ends where the connection does (`after`: too early)."""

    after: int | None = None

    def __call__(self, exchange: Exchange) -> None:
        reply = exchange.right_reply()
        exchange.keep_alive = False
        exchange.head(reply.status, reply.headers, version="HTTP/1.0")
        _send_first(exchange, reply, reply.length if self.after is None else self.after)


@dataclass(frozen=True)
class Drip:
    """Right for `after` bytes, then `size` bytes per `interval`."""

    interval: float
    size: int = 1
    after: int = 0

    def __call__(self, exchange: Exchange) -> None:
        reply = _begin(exchange)
        start = _send_first(exchange, reply, self.after)
        for place in range(start, reply.end, self.size):
            exchange.send_part(reply.payload, place, min(place + self.size, reply.end))
            exchange.pause(self.interval)


@dataclass(frozen=True)
class Throttled:
    """Right, at no more than `rate` bytes per second on this connection."""

    rate: int

    def __call__(self, exchange: Exchange) -> None:
        Drip(0.02, size=max(self.rate // 50, 1))(exchange)


@dataclass(frozen=True)
class Endless:
    """A body that never ends: chunked, or behind a Content-Length of this."""

    chunked: bool = True
    length: int = 1 << 62

    def __call__(self, exchange: Exchange) -> None:
        block = b"\x47" + b"\xff" * 187
        block *= 348
        framing = {"Transfer-Encoding": "chunked"} if self.chunked else {}
        exchange.head(200, framing, None if self.chunked else self.length)
        framed = b"%x\r\n%b\r\n" % (len(block), block) if self.chunked else block
        while exchange.request.method != "HEAD":
            exchange.send(framed)
            exchange.pause(0)


@dataclass(frozen=True)
class OtherRange:
    """To a Range request, a 206 for a range `shift` bytes further on, and honest about it."""

    shift: int = 16

    def __call__(self, exchange: Exchange) -> None:
        right = exchange.right_reply()
        if right.status != 206:
            exchange.reply(right)
            return
        total = right.payload.length
        start, end = min(right.start + self.shift, total - 1), min(right.end + self.shift, total)
        headers = right.headers | {"Content-Range": f"bytes {start}-{end - 1}/{total}"}
        exchange.reply(Reply(206, right.payload, start, end, headers))


@dataclass(frozen=True)
class ShortRange:
    """To a Range request, a 206 that ends `by` bytes early, and honest about it."""

    by: int = 16

    def __call__(self, exchange: Exchange) -> None:
        right = exchange.right_reply()
        if right.status != 206:
            exchange.reply(right)
            return
        end = max(right.end - self.by, right.start + 1)
        text = f"bytes {right.start}-{end - 1}/{right.payload.length}"
        headers = right.headers | {"Content-Range": text}
        exchange.reply(Reply(206, right.payload, right.start, end, headers))


@dataclass(frozen=True)
class RangeIgnored:
    """200 with the whole payload, whatever range was asked for."""

    def __call__(self, exchange: Exchange) -> None:
        right = exchange.right_reply()
        if right.status not in {206, 416}:
            exchange.reply(right)
            return
        headers = {k: v for k, v in right.headers.items() if k != "Content-Range"}
        headers["Accept-Ranges"] = "none"
        exchange.reply(Reply(200, right.payload, 0, right.payload.length, headers))


@dataclass(frozen=True)
class Gzipped:
    """Content-Encoding: gzip, asked for or not; `bomb` bytes of zeros instead of the payload."""

    bomb: int | None = None

    def __call__(self, exchange: Exchange) -> None:
        right = exchange.right_reply()
        plain = right.payload.read(right.start, right.end) if self.bomb is None else b""
        packed = Payload(gzip.compress(plain or bytes(self.bomb or 0), mtime=0))
        headers = right.headers | {"Content-Encoding": "gzip"}
        exchange.reply(Reply(right.status, packed, 0, packed.length, headers))


@dataclass(frozen=True)
class Garbage:
    """As many bytes as are right, all of them wrong: the same ones at each attempt."""

    def __call__(self, exchange: Exchange) -> None:
        right = exchange.right_reply()
        wrong = Payload(random.Random(exchange.request.path).randbytes(right.length))
        exchange.reply(Reply(right.status, wrong, 0, wrong.length, right.headers))


@dataclass(frozen=True)
class Chaos:
    """One of several behaviours for each attempt: random, and the same for the same seed."""

    choices: Sequence[Behaviour]
    seed: int = 0
    #: From this attempt on a path is right, so that a patient client always succeeds.
    right_from: int | None = None

    def __call__(self, exchange: Exchange) -> None:
        request = exchange.request
        if self.right_from is not None and request.attempt >= self.right_from:
            Right()(exchange)
            return
        name = f"{self.seed} {request.path} {request.attempt}".encode()
        number = int.from_bytes(hashlib.sha256(name).digest()[:8])
        self.choices[number % len(self.choices)](exchange)


def first(times: int, behaviour: Behaviour) -> list[Behaviour]:
    """A script: `behaviour` for the first `times` requests, then right."""
    return [*[behaviour] * times, Right()]


def _begin(exchange: Exchange) -> Reply:
    """Send the head of the right reply."""
    reply = exchange.right_reply()
    exchange.head(reply.status, reply.headers, reply.length)
    return reply


def _send_first(exchange: Exchange, reply: Reply, count: int) -> int:
    """Send the first `count` bytes of the body; where it stopped."""
    stop = min(reply.start + count, reply.end)
    exchange.send_part(reply.payload, reply.start, stop)
    return stop
