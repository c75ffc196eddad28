"""Servers a long way off are asked for segments beforehand; what that may meet with.

No line here is long: the program is told that it is (`tests.support.far_away`).
"""

import select
import signal
import ssl
from itertools import count
from pathlib import Path

import pytest

from tests.e2e.bench import KB, Bench
from tests.support.behaviours import (
    Chunked,
    CloseDelimited,
    Cut,
    LastOne,
    Late,
    RangeIgnored,
    Redirect,
    Reset,
    Right,
    Stale,
    Status,
    Throttled,
)
from tests.support.exchange import Behaviour, Exchange
from tests.support.origin import Origin
from tests.support.runs import Workspace
from tests.support.streams import Aes

pytestmark = pytest.mark.processes

QUICK = ("--retry-sleep", "0.01")


class Patient:
    """Keeps the end of each answer back until the next request is there, or for a moment."""

    def __init__(self, moment: float = 0.5) -> None:
        self.moment = moment
        self.seen = 0

    def __call__(self, exchange: Exchange) -> None:
        """Answer, and look."""
        reply = exchange.right_reply()
        exchange.head(reply.status, reply.headers, reply.length)
        exchange.send_part(reply.payload, reply.start, reply.end - 1)
        waiting, _, _ = select.select([exchange.sock], [], [], self.moment)
        self.seen += bool(waiting)
        exchange.send_part(reply.payload, reply.end - 1, reply.end)


def test_the_next_request_is_there_before_the_answer_ends(far: Bench) -> None:
    """For most segments, once; and each of them is asked for once."""
    patient = Patient()
    far.origin.behave("/segment*", patient)

    run = far.fetch("-N", "4")

    far.check_right(run)
    assert patient.seen >= len(far.stream.segments) // 2
    assert far.origin.count("/segment*") == len(far.stream.segments)
    assert run.receipt["requests"] == len(far.stream.segments) + 2
    assert run.receipt["retries"] == 0


class InPieces:
    """Sends a body in pieces, the last ones slowly: is the next request there before the end?"""

    def __init__(self, pieces: int = 25) -> None:
        self.pieces = pieces
        self.seen: list[bool] = []

    def __call__(self, exchange: Exchange) -> None:
        """Answer, and look."""
        reply = exchange.right_reply()
        exchange.head(reply.status, reply.headers, reply.length)
        step = -(-(reply.end - reply.start) // self.pieces)
        waiting: list[object] = []
        for start in range(reply.start, reply.end, step):
            pause = 0.02 if reply.end - start > 2 * step else 0.4
            waiting, _, _ = select.select([exchange.sock], [], [], pause)
            exchange.send_part(reply.payload, start, min(start + step, reply.end))
        self.seen.append(bool(waiting))


def test_the_last_one_is_asked_for_in_time_too(bench: Bench) -> None:
    """Nobody has it in hand beforehand: a connection that is about to be free is given it."""
    bench.move_away()
    bench.serve([100 * KB] * 3)
    bench.origin.behave("/segment*", pieces := InPieces())

    bench.check_right(bench.fetch("-N", "2", "--processes", "2"))

    assert sorted(pieces.seen) == [False, False, True]


def test_nearby_requests_wait_for_their_turn(bench: Bench) -> None:
    """Nothing is sent before the answer to the last request is there as a whole."""
    bench.serve([30 * KB] * 12, aes=Aes())
    patient = Patient(0.1)
    bench.origin.behave("/segment*", patient)

    bench.check_right(bench.fetch("-N", "4"))

    assert patient.seen == 0


def test_the_rate_is_limited(far: Bench) -> None:
    """Then the line is not what is waited for, and nothing is asked beforehand."""
    patient = Patient(0.1)
    far.origin.behave("/segment*", patient)

    far.check_right(far.fetch("-N", "4", "--limit-rate", "20MB"))

    assert patient.seen == 0


def every(number: int, behaviour: Behaviour) -> Behaviour:
    """Each request of that rank is met with `behaviour`, the others are answered rightly."""
    ranks = count(1)

    def meet(exchange: Exchange) -> None:
        (Right() if next(ranks) % number else behaviour)(exchange)

    return meet


@pytest.mark.parametrize(
    "behaviour",
    [
        LastOne(),
        every(3, LastOne()),
        Stale(),
        Stale(reset=True),
        every(4, Reset(after=10 * KB)),
        every(4, Cut(after=10 * KB)),
        every(4, Reset()),
        every(5, Status(503)),
        every(4, Chunked()),
        every(4, CloseDelimited()),
        Right(headers={"Connection": "close"}),
        Right(headers={"Set-Cookie": "a=b; Path=/"}),
    ],
    ids=[
        "each connection ends unannounced",
        "some do",
        "no second request is borne",
        "nor met with anything but a reset",
        "resets in bodies",
        "bodies cut",
        "resets in place of answers",
        "busy",
        "chunks",
        "no lengths",
        "announced ends",
        "cookies",
    ],
)
def test_servers_that_misbehave(behaviour: Behaviour, far: Bench) -> None:
    """The right bytes, whatever became of requests that were sent beforehand."""
    far.origin.behave("/segment*", behaviour)

    far.check_right(far.fetch(*QUICK, "--retries", "20"))


def twice(exchange: Exchange) -> None:
    """The right answer, and once more, in one go."""
    reply = exchange.right_reply()
    body = reply.payload.read()
    exchange.head(reply.status, reply.headers, reply.length)
    exchange.send(body + b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


def surplus(exchange: Exchange) -> None:
    """More than was announced: a line end that belongs to nothing."""
    reply = exchange.right_reply()
    exchange.head(reply.status, reply.headers, reply.length)
    exchange.send(reply.payload.read() + b"\r\n")


@pytest.mark.parametrize("behaviour", [LastOne(), Stale(), surplus, twice])
def test_a_server_that_bears_one_request_at_a_time(behaviour: Behaviour, far: Bench) -> None:
    """It is tried once in each downloader, and costs no try of a segment."""
    far.origin.behave("/segment*", behaviour)

    run = far.fetch(*QUICK)

    far.check_right(run)
    assert run.receipt["retries"] == 0


def test_segments_that_lead_elsewhere(far: Bench) -> None:
    """By redirects and by their URLs: an answer is never looked for where it is not."""
    with Origin("127.0.0.2") as other:
        other.serve_directory(far.stream.directory)
        names = [path.name for path in far.stream.segments]
        for name in names[::3]:
            far.origin.behave(f"/{name}", Redirect(other.url(f"/{name}")))
        text = far.stream.playlist_path.read_text()
        for name in names[1::3]:
            text = text.replace(f"\n{name}", f"\n{other.url(f'/{name}')}")
        far.serve_playlist(text, "/mixed.m3u8")

        far.check_right(far.fetch())


def test_parts_of_one_file(bench: Bench) -> None:
    """Byte ranges, of a server that knows them and does not always heed them."""
    bench.move_away()
    bench.serve([30 * KB] * 60, aes=Aes(), byte_ranges="explicit")
    bench.origin.behave("/*.ts", every(7, RangeIgnored()))

    bench.check_right(bench.fetch())


def test_over_tls(
    certificate: Path, tls_context: ssl.SSLContext, workspace: Workspace, stream_dir: Path
) -> None:
    """Bytes of the next answer that TLS has decrypted already belong to that one."""
    workspace.env["REQUESTS_CA_BUNDLE"] = str(certificate)
    with Origin(tls=tls_context) as origin:
        bench = Bench(origin, workspace, stream_dir)
        bench.move_away()
        bench.serve([3 * KB, 30 * KB] * 30, aes=Aes())
        patient = Patient()
        origin.behave("/segment*", patient)

        run = bench.fetch("-N", "4")

        bench.check_right(run)
        assert origin.count("/segment*") == 60
        assert patient.seen >= 20
        assert origin.connections <= 5
        bench.close()


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(signum: int, far: Bench) -> None:
    """Nothing is left, with requests on their way."""
    far.origin.behave("/segment*", Throttled(100 * KB))
    with far.start() as running:
        far.origin.wait_for("/segment*", 12)
        running.interrupt(signum)
        run = running.wait()

    assert run.exit_code in {130, 143}
    far.check_nothing_left()


def test_busy_servers_are_asked_for_less(far: Bench) -> None:
    """429 above 4 connections: what was sent beforehand is no more than what is borne."""
    far.origin.behave("/segment*", Late(0.05))
    far.origin.limit(4, Status(429))

    run = far.fetch(*QUICK, "--retries", "30")

    far.check_right(run)
    assert run.receipt["connections"] <= 5
