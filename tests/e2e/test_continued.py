"""A segment that breaks in the middle goes on there, and the accounts are true."""

import hashlib
import os
import signal
import threading

import pytest

from tests.e2e.bench import KB, MB, Bench, message
from tests.support.behaviours import Cut, Held, RangeIgnored, Reset, Right, Status, first
from tests.support.exchange import Exchange
from tests.support.invariants import check_i5_requests_bounded
from tests.support.streams import Aes

pytestmark = pytest.mark.processes

BRIEF = ("--retries", "3", "--retry-sleep", "0.01")


@pytest.fixture
def served(bench: Bench) -> Bench:
    """Four segments of 1 MB, encrypted, of sizes that fit no block."""
    bench.serve([MB + 7, MB - 5, MB, MB + 1], aes=Aes())
    return bench


def body_bytes(bench: Bench) -> int:
    """What the origin has sent of segments."""
    paths = {path.name for path in bench.stream.segments}
    return sum(r.sent for r in bench.origin.requests if r.path.lstrip("/") in paths)


def check_nothing_twice(bench: Bench) -> None:
    """No byte of a segment was sent twice."""
    sizes = sum(path.stat().st_size for path in bench.stream.segments)

    assert body_bytes(bench) == sizes


@pytest.mark.parametrize("after", [256 * KB, 300 * KB + 5, 512 * KB, MB - 1], ids=str)
@pytest.mark.parametrize("threshold", ["50MB", "100KB"], ids=["memory", "disk"])
def test_bytes_are_exact(threshold: str, after: int, served: Bench) -> None:
    """In the middle of a cipher block or of an arena block: decryption goes on where it was."""
    served.origin.behave("/segment*", first(1, Reset(after)))

    run = served.fetch(*BRIEF, "--memory-threshold", threshold)

    served.check_right(run)
    check_nothing_twice(served)
    assert run.receipt["retries"] == 4
    assert run.receipt["requests"] == served.origin.count() == served.stream.requests + 4


def test_byte_ranges(bench: Bench) -> None:
    """The rest of a byte range is a byte range."""
    bench.serve([MB] * 4, byte_ranges="explicit", aes=Aes())
    bench.origin.behave("/video.ts", first(3, Cut(after=400 * KB)))

    run = bench.fetch(*BRIEF)

    bench.check_right(run)
    check_nothing_twice(bench)
    assert run.receipt["retries"] == 3


def test_clear_segments(bench: Bench) -> None:
    """Twice broken, and whole: it begins and ends as MPEG-TS, at the right places."""
    bench.serve([MB - MB % 188] * 2)
    bench.origin.behave("/segment*", first(2, Reset(after=300 * KB)))

    run = bench.fetch(*BRIEF)

    bench.check_right(run)
    check_nothing_twice(bench)


def test_a_server_that_does_not_go_on(served: Bench) -> None:
    """The segment starts over: what was handed to storage of it is called back."""
    served.origin.behave("/segment00001.ts", [Reset(after=700 * KB), RangeIgnored(), Right()])

    run = served.fetch(*BRIEF)

    served.check_right(run)
    assert served.origin.count("/segment00001.ts") == 3
    assert run.receipt["retries"] == 2


def test_a_segment_that_changes_in_between(served: Bench) -> None:
    """Never the beginning of one version and the end of another."""
    path = served.stream.segments[2]
    old = path.read_bytes()

    def replaced(exchange: Exchange) -> None:
        path.write_bytes(served.stream.segments[0].read_bytes())
        Right()(exchange)

    def restored(exchange: Exchange) -> None:
        path.write_bytes(old)
        Right()(exchange)

    served.origin.behave("/segment00002.ts", [Cut(after=600 * KB), replaced, restored])

    run = served.fetch(*BRIEF)

    served.check_right(run)
    assert served.origin.count("/segment00002.ts") == 3


@pytest.mark.parametrize("retries", [0, 1, 2, 5])
def test_tries_are_bounded(retries: int, served: Bench) -> None:
    """Continuations are tries: a segment that always breaks fails after as many as any other."""
    served.origin.behave("/segment00002.ts", [Reset(after=300 * KB), Reset(after=10 * KB)])

    run = served.fetch("--retries", str(retries), "--retry-sleep", "0.01")

    served.check_failed(run, 3)
    assert served.origin.count("/segment00002.ts") == retries + 1
    assert run.receipt["retries"] == retries
    assert "Segment 2" in message(run)
    check_i5_requests_bounded(served.origin, served.stream, retries=retries)


def test_the_last_try_starts_over(served: Bench) -> None:
    """A server that cannot bear our ranges does not fail the segment for it."""

    def unbearable(exchange: Exchange) -> None:
        if exchange.request.byte_range is None:
            Right()(exchange)
        exchange.reset()

    served.origin.behave("/segment00002.ts", [Reset(after=300 * KB), unbearable])

    run = served.fetch(*BRIEF)

    served.check_right(run)
    begun, *continued, again = served.origin.requests_for("/segment00002.ts")
    assert begun.byte_range is None
    assert again.byte_range is None
    assert all(request.byte_range for request in continued)
    assert run.receipt["retries"] == 3


def test_pauses_are_kept(served: Bench) -> None:
    """A continuation waits like a retry, half of the time at least."""
    served.origin.behave("/segment00002.ts", first(2, Reset(after=300 * KB)))

    run = served.fetch("--retry-sleep", "0.2")

    served.check_right(run)
    times = [request.time for request in served.origin.requests_for("/segment00002.ts")]
    assert times[1] - times[0] >= 0.1
    assert times[2] - times[1] >= 0.2
    assert [e["event"] for e in run.events].count("retried") == 2


def test_a_server_that_says_when(served: Bench) -> None:
    """Retry-After in answer to a continuation is kept."""
    busy = Status(503, retry_after=1)
    served.origin.behave("/segment00002.ts", [Reset(after=300 * KB), busy, Right()])

    run = served.fetch(*BRIEF)

    served.check_right(run)
    _, early, late = served.origin.requests_for("/segment00002.ts")
    assert late.time - early.time >= 0.9


def test_a_death_in_a_continuation(served: Bench) -> None:
    """A downloader that dies in the middle of one is replaced, and the segment starts over."""
    gate = threading.Event()
    held = Held(gate, after=100 * KB)
    served.origin.behave("/segment00002.ts", [Reset(after=300 * KB), held, Right()])
    with served.start(*BRIEF, "--processes", "1") as running:
        served.origin.wait_for("/segment00002.ts", 2)
        os.kill(running.wait_role("downloader"), signal.SIGKILL)
        gate.set()
        run = running.wait()

    served.check_right(run)


@pytest.mark.parametrize("seed", range(3))
def test_a_line_that_breaks_all_the_time(seed: int, served: Bench) -> None:
    """Breaks anywhere, again and again: the bytes are right, and the tries bounded."""

    def breaks(exchange: Exchange) -> None:
        request = exchange.request
        name = f"{seed} {request.path} {request.attempt}".encode()
        number = int.from_bytes(hashlib.sha256(name).digest()[:4])
        fault = (Reset, Cut)[number % 2]
        (Right() if request.attempt > 5 else fault(number % MB - 1))(exchange)

    served.origin.behave("/segment*", breaks)

    run = served.fetch("--retries", "6", "--retry-sleep", "0.01", "--memory-threshold", "1MB")

    served.check_right(run)
    check_i5_requests_bounded(served.origin, served.stream, retries=6)
