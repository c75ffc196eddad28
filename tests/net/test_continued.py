"""Bodies that go on where they broke off."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field

import pytest

from pipeline.net.connections import Connections
from pipeline.net.continued import ByteRange, Continuations
from pipeline.net.failure import FetchFailure, Patience
from pipeline.net.transport import Transport
from pipeline.options import HttpOptions
from tests.support.behaviours import (
    Chunked,
    Cut,
    Gzipped,
    OtherRange,
    Page,
    RangeIgnored,
    Redirect,
    Reset,
    Right,
    ShortRange,
    Stale,
    Stall,
    Status,
    Throttled,
    first,
)
from tests.support.exchange import Behaviour, Exchange, Payload, Reply
from tests.support.origin import Origin
from tests.support.payloads import payload

KB = 1 << 10
BODY = payload(0, 1000 * KB)
RANGE = (100 * KB + 7, 800 * KB + 1)


@dataclass
class Reader:
    """Reads bodies in blocks, as a downloader does, and never waits."""

    origin: Origin
    told: list[tuple[str, float]] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    timeout: float = 10.0

    def read(
        self,
        byte_range: ByteRange | None = None,
        pauses: Sequence[float] = (1.0, 2.0, 3.0),
        block: int = 64 * KB,
        path: str = "/a.ts",
    ) -> bytes:
        """The body at `path`, to the end."""
        options = HttpOptions(timeout=self.timeout)
        with closing(Connections(1)) as connections:
            transport = Transport(options, self.origin.url("/"), connections)
            return self._read(transport, byte_range, pauses, block, path)

    def _read(
        self,
        transport: Transport,
        byte_range: ByteRange | None,
        pauses: Sequence[float],
        block: int,
        path: str,
    ) -> bytes:
        continuations = Continuations(
            pauses, lambda failure, pause: self.told.append((failure.reason, pause)), self._sleep
        )
        view = memoryview(bytearray(block))
        data = b""
        with transport.open(self.origin.url(path), byte_range, continuations) as body:
            while not body.ended:
                size = body.readinto(view)
                data += view[:size]
                if size < block:
                    break
        return data

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


@pytest.fixture
def reader(origin: Origin) -> Reader:
    """A reader of an origin that has one segment."""
    origin.serve({"/a.ts": BODY})
    return Reader(origin)


class TestTheRest:
    """It is asked for, and the bytes are right."""

    @pytest.mark.parametrize("block", [64 * KB, 300 * KB + 3, 2000 * KB], ids=str)
    @pytest.mark.parametrize(
        "behaviour",
        [Reset(after=300 * KB), Cut(after=300 * KB + 1), Cut(after=256 * KB)],
        ids=["reset", "cut", "cut after a block"],
    )
    @pytest.mark.parametrize("byte_range", [None, RANGE], ids=["whole", "part"])
    def test_after_a_break(
        self, byte_range: ByteRange | None, behaviour: Behaviour, block: int, reader: Reader
    ) -> None:
        """However a body breaks and however it is read, it goes on at the next byte."""
        reader.origin.behave("/a.ts", first(1, behaviour))
        offset, length = byte_range or (0, len(BODY))

        assert reader.read(byte_range, block=block) == BODY[offset : offset + length]
        begun, continued = reader.origin.requests
        got = behaviour.after
        assert continued.byte_range == (offset + got, offset + length - 1)
        assert continued.header("If-Range") == Payload(BODY).validator
        assert (begun.sent, continued.sent) == (got, length - got)

    def test_after_silence(self, reader: Reader) -> None:
        """A server that falls silent in the middle is asked for the rest."""
        reader.timeout = 0.5
        reader.origin.behave("/a.ts", first(1, Stall(after=300 * KB)))

        assert reader.read() == BODY
        assert "in time" in reader.told[0][0]

    def test_again_and_again(self, reader: Reader) -> None:
        """A continuation that breaks is continued; each has its pause, and is told before."""
        reader.origin.behave("/a.ts", first(3, Reset(after=260 * KB)))

        assert reader.read() == BODY
        starts = [request.byte_range for request in reader.origin.requests]
        ends = len(BODY) - 1
        assert starts == [None, (260 * KB, ends), (520 * KB, ends), (780 * KB, ends)]
        assert reader.slept == [pause for _, pause in reader.told] == [1.0, 2.0, 3.0]
        assert "connection" in reader.told[0][0]

    def test_a_little_is_enough_for_a_continuation_to_go_on(self, reader: Reader) -> None:
        """What has been gained before counts, not the last response alone."""
        reader.origin.behave("/a.ts", [Reset(after=300 * KB), Cut(after=20 * KB), Right()])

        assert reader.read() == BODY
        assert reader.origin.count() == 3

    def test_while_nobody_answers(self, reader: Reader) -> None:
        """A server that is away for a moment is waited for."""
        reader.origin.behave("/a.ts", [Reset(after=300 * KB), Reset(), Cut(), Right()])

        assert reader.read() == BODY
        assert len(reader.slept) == 3

    def test_at_a_date(self, reader: Reader) -> None:
        """Without an ETag, Last-Modified tells that the bytes are the same."""

        def dated(exchange: Exchange) -> None:
            reply = exchange.right_reply()
            headers = {name: text for name, text in reply.headers.items() if name != "ETag"}
            exchange.head(reply.status, headers, reply.length)
            end = reply.end if reply.status == 206 else 300 * KB
            exchange.send_part(reply.payload, reply.start, end)
            if reply.status == 200:
                exchange.hang_up()

        reader.origin.behave("/a.ts", dated)

        assert reader.read() == BODY
        assert reader.origin.requests[1].header("If-Range") == Payload(BODY).modified

    def test_behind_a_redirect(self, reader: Reader) -> None:
        """The way is gone again, and ends at the same place."""
        reader.origin.behave("/r.ts", Redirect("/a.ts"))
        reader.origin.behave("/a.ts", first(1, Reset(after=300 * KB)))

        assert reader.read(path="/r.ts") == BODY
        assert [request.path for request in reader.origin.requests] == ["/r.ts", "/a.ts"] * 2

    def test_on_a_kept_connection_that_ends(self, reader: Reader) -> None:
        """A connection that ends in place of an answer costs no continuation."""
        reader.origin.behave("/r.ts", Redirect("/a.ts"))
        reader.origin.behave("/a.ts", [Reset(after=300 * KB), Stale(), Right()])

        assert reader.read(path="/r.ts", pauses=[1.0]) == BODY


def other_entity(exchange: Exchange) -> None:
    """A part of something else that is as large, from a server that never heard of If-Range."""
    reply = exchange.right_reply()
    changed = Payload(payload(1, len(BODY)))
    headers = reply.headers | {"ETag": changed.validator}
    exchange.reply(Reply(reply.status, changed, reply.start, reply.end, headers))


def without_validator(exchange: Exchange) -> None:
    """The right part, but who knows of what."""
    reply = exchange.right_reply()
    kept = ("Content-Range", "Content-Type")
    headers = {name: text for name, text in reply.headers.items() if name in kept}
    exchange.reply(Reply(reply.status, reply.payload, reply.start, reply.end, headers))


def of_another_size(exchange: Exchange) -> None:
    """The right part of a whole that has grown."""
    reply = exchange.right_reply()
    last = reply.end - 1
    headers = reply.headers | {"Content-Range": f"bytes {reply.start}-{last}/{len(BODY) + 1}"}
    exchange.reply(Reply(reply.status, reply.payload, reply.start, reply.end, headers))


REFUSED: dict[str, Behaviour] = {
    "another entity, with 200": Right(body=payload(1, len(BODY))),
    "another entity, with 206": other_entity,
    "another size": of_another_size,
    "no validator": without_validator,
    "the whole": RangeIgnored(),
    "another range": OtherRange(),
    "a shorter range": ShortRange(),
    "a page": Page(),
    "compressed": Gzipped(),
    "404": Status(404),
    "416": Status(416),
    "elsewhere": Redirect("/b.ts"),
}


class TestStartingOver:
    """Where it cannot go on, the try has failed, and nothing wrong is handed on."""

    @pytest.mark.parametrize("answer", REFUSED.values(), ids=REFUSED)
    def test_anything_but_the_rest(self, answer: Behaviour, reader: Reader) -> None:
        """The rest is exactly the range asked for, of exactly the same entity."""
        reader.origin.serve({"/b.ts": BODY})
        reader.origin.behave("/a.ts", [Reset(after=300 * KB), answer])

        with pytest.raises(FetchFailure) as caught:
            reader.read()
        assert caught.value.patience is Patience.FULL
        assert reader.origin.count("/a.ts") == 2

    def test_a_server_that_says_when(self, reader: Reader) -> None:
        """Retry-After is for the supervisor to keep."""
        busy = Status(503, retry_after=7)
        reader.origin.behave("/a.ts", [Reset(after=300 * KB), busy])

        with pytest.raises(FetchFailure, match="503") as caught:
            reader.read()
        assert caught.value.retry_after == 7
        assert reader.origin.count() == 2

    @pytest.mark.parametrize("pauses", [(), (1.0,)], ids=str)
    def test_no_continuation_is_left(self, pauses: Sequence[float], reader: Reader) -> None:
        """There are as many as the supervisor allowed, and the last break is the failure."""
        reader.origin.behave("/a.ts", Reset(after=300 * KB))

        with pytest.raises(FetchFailure, match="connection"):
            reader.read(pauses=pauses)
        assert reader.origin.count() == 1 + len(pauses)

    def test_nobody_answers_any_more(self, reader: Reader) -> None:
        """Continuations that reach nobody are counted like others."""
        reader.origin.behave("/a.ts", [Reset(after=300 * KB), Reset()])

        with pytest.raises(FetchFailure):
            reader.read()
        assert reader.origin.count() == 4

    def test_a_continuation_that_brings_nothing(self, reader: Reader) -> None:
        """A server that says yes and sends no byte may be one that cannot do ranges."""
        reader.origin.behave("/a.ts", [Reset(after=300 * KB), Reset(after=0)])

        with pytest.raises(FetchFailure):
            reader.read()
        assert reader.origin.count() == 2

    def test_too_little_has_come(self, reader: Reader) -> None:
        """What is soon fetched again is not worth a continuation."""
        reader.origin.behave("/a.ts", Reset(after=256 * KB - 1))

        with pytest.raises(FetchFailure):
            reader.read()
        assert reader.origin.count() == 1

    def test_of_unknown_size(self, reader: Reader) -> None:
        """Without a length nobody knows what the rest is."""
        reader.origin.behave("/a.ts", Chunked(cut_after=300 * KB))

        with pytest.raises(FetchFailure):
            reader.read()
        assert reader.origin.count() == 1

    def test_a_server_that_ignored_the_range(self, reader: Reader) -> None:
        """It would ignore the next one as well."""

        def cut(exchange: Exchange) -> None:
            exchange.head(200, {"ETag": '"1"', "Accept-Ranges": "bytes"}, len(BODY))
            exchange.send(BODY[: 900 * KB])
            exchange.hang_up()

        reader.origin.behave("/a.ts", cut)

        with pytest.raises(FetchFailure):
            reader.read(RANGE)
        assert reader.origin.count() == 1


class TestChangingOver:
    """A body that lags goes on over a connection that lies idle."""

    @pytest.fixture
    def slow(self, origin: Origin) -> Origin:
        """Its first answer for /b.ts trickles."""
        origin.serve({"/a.ts": BODY, "/b.ts": BODY})
        origin.behave("/b.ts", first(1, Throttled(200 * KB)))
        return origin

    def _read(self, origin: Origin, told: list[object]) -> bytes:
        connections = Connections(2)
        connections.meter.note_rate(20_000_000.0)
        transport = Transport(HttpOptions(), origin.url("/"), connections)
        continuations = Continuations(
            (), lambda failure, _: told.append(failure), changed_over=lambda: told.append("over")
        )
        view = memoryview(bytearray(len(BODY)))
        with transport.open(origin.url("/b.ts"), None, continuations) as body:
            with transport.open(origin.url("/a.ts"), None, continuations) as other:
                other.readinto(view)
            size = body.readinto(view)
        connections.close()
        return bytes(view[:size])

    def test_the_rest_comes_elsewhere(self, slow: Origin) -> None:
        """The bytes are right, none that was read is asked for again, and it is told."""
        told: list[object] = []

        assert self._read(slow, told) == BODY
        _, rest = slow.requests_for("/b.ts")
        assert rest.byte_range is not None
        assert 0 < rest.byte_range[0] < len(BODY) // 2
        assert rest.byte_range[1] == len(BODY) - 1
        assert told == ["over"]

    @pytest.mark.parametrize("behaviour", [RangeIgnored(), Status(503), OtherRange()], ids=repr)
    def test_a_server_that_does_not_give_it(self, behaviour: Behaviour, slow: Origin) -> None:
        """The first connection goes on as if nothing had been."""
        slow.behave("/b.ts", [Throttled(1000 * KB), behaviour])

        assert self._read(slow, []) == BODY
        assert len(slow.requests_for("/b.ts")) == 2
