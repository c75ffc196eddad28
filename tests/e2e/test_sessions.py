"""Sessions that a server begins with a cookie: every process goes on with them."""

import os
import signal
import threading
from collections.abc import Callable

import pytest

from tests.e2e.bench import KB, Bench
from tests.support.behaviours import Held, Right, Status
from tests.support.exchange import Exchange
from tests.support.streams import Aes

pytestmark = pytest.mark.processes

#: As many downloaders as may be, so that one alone has seen the playlist.
MANY = ("--processes", "4", "-N", "8", "--retries", "0")


def with_session(value: str, then: Callable[[Exchange], None]) -> Callable[[Exchange], None]:
    """Right for those who bring the cookie; the others are turned away."""

    def answer(exchange: Exchange) -> None:
        told = exchange.request.header("Cookie") or ""
        (then if f"session={value}" in told else Status(403))(exchange)

    return answer


@pytest.fixture
def guarded(bench: Bench) -> Bench:
    """A playlist that begins a session, without which there is neither key nor segment."""
    bench.serve([20 * KB] * 24, aes=Aes())
    path = f"/{bench.stream.playlist_path.name}"
    bench.origin.behave(path, Right(headers={"Set-Cookie": "session=one; Path=/"}))
    for guarded in ("/*.key", "/segment*"):
        bench.origin.behave(guarded, with_session("one", Right()))
    return bench


def test_the_playlists_cookie(guarded: Bench) -> None:
    """Whoever fetches a segment has it."""
    guarded.check_right(guarded.fetch(*MANY))

    assert {request.status for request in guarded.origin.requests} == {200}


def test_the_keys_cookie(guarded: Bench) -> None:
    """What the key's answer changes of the session holds for the segments."""
    key = Right(headers={"Set-Cookie": "session=two; Path=/"})
    guarded.origin.behave("/*.key", with_session("one", key))
    guarded.origin.behave("/segment*", with_session("two", Right()))

    guarded.check_right(guarded.fetch(*MANY))


def test_the_successor_of_one_that_died(guarded: Bench) -> None:
    """It is told what the others know."""
    gate = threading.Event()
    guarded.origin.behave("/segment*", with_session("one", Held(gate)))
    with guarded.start("--processes", "2", "-N", "4", "--retries", "0") as running:
        guarded.origin.wait_for("/segment*", 4)
        for pid in running.role("downloader"):
            os.kill(pid, signal.SIGKILL)
        guarded.origin.wait_for("/segment*", 8)
        gate.set()
        run = running.wait(30)

    guarded.check_right(run)
    assert {request.status for request in guarded.origin.requests_for("/segment*")} == {200}
