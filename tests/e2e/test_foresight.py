"""What is done for a stream a long way off while its first answers are on their way.

No line here is long: the program is told that it is (`Bench.move_away`).
"""

import http.server
import threading
import time
from collections.abc import Callable
from functools import partial

import pytest

from tests.e2e.bench import KB, Bench
from tests.support.behaviours import Held, Late, Redirect, Right, Status
from tests.support.exchange import Exchange
from tests.support.origin import Origin
from tests.support.streams import Aes

pytestmark = pytest.mark.processes


class Waiting:
    """A document that is held back until something is seen at the server, or for a moment."""

    def __init__(self, seen: Callable[[], int], wanted: int, moment: float = 10.0) -> None:
        self.seen = seen
        self.wanted = wanted
        self.moment = moment
        self.found = 0

    def __call__(self, exchange: Exchange) -> None:
        """Wait, look, answer."""
        deadline = time.monotonic() + self.moment
        while self.seen() < self.wanted and time.monotonic() < deadline:
            exchange.pause(0.01)
        self.found = self.seen()
        Right()(exchange)


def test_connections_are_made_while_the_playlist_is_fetched(far: Bench) -> None:
    """As many as there may be, and no more."""
    waiting = Waiting(lambda: far.origin.connections, 4)
    far.origin.behave("/*.m3u8", waiting)

    far.check_right(far.fetch("-N", "4"))

    assert waiting.found == 4
    assert far.origin.connections == 4


def test_segments_are_asked_for_while_the_key_is_fetched(far: Bench) -> None:
    """Those that have a connection by then; each of them once."""
    waiting = Waiting(lambda: far.origin.count("/segment*"), 2)
    far.origin.behave("/*.key", waiting)

    run = far.fetch("-N", "4")

    far.check_right(run)
    assert 2 <= waiting.found <= 3
    assert far.origin.count("/segment*") == len(far.stream.segments)
    assert run.receipt["requests"] == len(far.stream.segments) + 2


def test_a_key_that_takes_its_time(far: Bench) -> None:
    """What was asked for is not kept for ever: a server may wait for it to be read."""
    gate = threading.Event()
    far.origin.behave("/*.key", Held(gate))
    with far.start("-N", "4") as running:
        far.origin.wait_for("/segment*")
        # The key's, and perhaps the playlist's, but none of theirs.
        running.wait_until(lambda: far.origin.open_connections <= 2, "they are closed")
        gate.set()
        run = running.wait()

    far.check_right(run)
    assert run.receipt["retries"] == 0


def test_no_more_is_under_way_than_allowed(far: Bench) -> None:
    """A batch of far streams, each with its key: early requests count."""
    far.origin.behave("/segment*", Late(0.02))
    lines = "".join(f"{far.url}?{number}\n" for number in range(4))
    (far.workspace.cwd / "list.txt").write_text(lines)

    run = far.workspace.run("batch", "list.txt", "-N", "4", "-j", "4", "--json")

    assert run.exit_code == 0, run.stderr
    assert far.origin.peak_in_flight <= 4


def test_a_key_that_cannot_be_had(far: Bench) -> None:
    """What was asked for in vain is forgotten with everything else."""
    far.origin.behave("/*.key", Status(403))

    far.check_failed(far.fetch(), 5)


def test_a_key_with_a_cookie(far: Bench) -> None:
    """Segments that want it are asked for with it, whatever was asked before."""

    def guarded(exchange: Exchange) -> None:
        cookie = exchange.request.header("Cookie") or ""
        (Right() if "seen=key" in cookie else Status(403))(exchange)

    far.origin.behave("/segment*", guarded)
    far.origin.behave("/*.key", Right(headers={"Set-Cookie": "seen=key; Path=/"}))

    far.check_right(far.fetch("--retries", "0"))


class OneByOne(http.server.SimpleHTTPRequestHandler):
    """HTTP/1.0: each connection ends with its answer. Playlists take a while."""

    def do_GET(self) -> None:
        """Answer; other connections may be made meanwhile."""
        if self.path.endswith(".m3u8"):
            time.sleep(0.2)
        super().do_GET()

    def log_message(self, *_: object) -> None:
        """Nothing is told."""


@pytest.mark.parametrize("segments", [1, 12])
def test_a_server_that_has_one_connection_at_a_time(segments: int, bench: Bench) -> None:
    """It does not wait for requests on connections that nobody is going to use."""
    bench.move_away()
    stream = bench.serve([30 * KB] * segments, aes=Aes())
    handler = partial(OneByOne, directory=str(stream.directory))
    with http.server.HTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        bench.url = f"http://127.0.0.1:{server.server_port}/{stream.playlist_path.name}"
        run = bench.fetch("--retries", "0", "--timeout", "10")
        server.shutdown()

    bench.check_right(run)


def test_a_playlist_that_leads_elsewhere(far: Bench) -> None:
    """Nothing is left open to the host that it was redirected from."""
    with Origin("127.0.0.2") as other:
        other.behave("/moved.m3u8", Late(0.5, Redirect(far.url)))
        far.url = other.url("/moved.m3u8")
        gate = threading.Event()
        far.origin.behave("/segment*", Held(gate))
        with far.start() as running:
            far.origin.wait_for("/segment*")
            running.wait_until(lambda: other.open_connections <= 1, "connections are closed")
            gate.set()
            run = running.wait()

        far.check_right(run)
        assert other.connections > 1


def test_nearby_no_connection_is_made_beforehand(bench: Bench) -> None:
    """It would gain nothing."""
    bench.serve([30 * KB] * 12, aes=Aes())
    waiting = Waiting(lambda: bench.origin.connections, 2, moment=1.0)
    bench.origin.behave("/*.key", waiting)

    bench.check_right(bench.fetch())

    assert waiting.found == 1
