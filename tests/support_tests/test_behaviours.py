"""Each behaviour does on the wire what it says: read with a bare socket, not with a client."""

import gzip
import threading
from email.utils import parsedate_to_datetime
from time import monotonic, time

import pytest

from tests.support.behaviours import (
    Chaos,
    Cut,
    Drip,
    Garbage,
    Gzipped,
    Held,
    LastOne,
    Late,
    Page,
    Paused,
    Redirect,
    Reset,
    Right,
    Stale,
    Stall,
    Status,
    Throttled,
    TooMuch,
)
from tests.support.framing import NotHttp, Overlong
from tests.support.origin import Origin
from tests.support_tests.wire import BODY, Ask, Peer


class TestAnswers:
    def test_right_takes_another_body_and_headers(self, ask: Ask) -> None:
        """A changed entity has its own body and ETag, and may set a cookie."""
        changed = Right(body="new", headers={"Set-Cookie": "a=b"}, etag='"2"')

        status, headers, body = ask(changed)

        assert status == "HTTP/1.1 200 OK"
        assert (headers["Set-Cookie"], headers["ETag"], body) == ("a=b", '"2"', b"new")

    def test_status(self, ask: Ask) -> None:
        """Any status, with Retry-After in seconds."""
        status, headers, body = ask(Status(429, retry_after=2))

        assert status == "HTTP/1.1 429 Too Many Requests"
        assert headers["Retry-After"] == "2"
        assert body == b"this is an error page\n"

    def test_retry_after_as_a_date(self, ask: Ask) -> None:
        """Retry-After may be a date, never earlier than the seconds say."""
        asked = time()

        _, headers, _ = ask(Status(503, retry_after=3, as_date=True))

        assert parsedate_to_datetime(headers["Retry-After"]).timestamp() >= asked + 3

    def test_page(self, ask: Ask) -> None:
        """An HTML page comes with 200."""
        status, headers, body = ask(Page())

        assert status == "HTTP/1.1 200 OK"
        assert headers["Content-Type"].startswith("text/html")
        assert body.startswith(b"<!DOCTYPE html>")

    def test_redirect_to_another_scheme(self, ask: Ask) -> None:
        """Location may be anything."""
        status, headers, _ = ask(Redirect("file:///etc/passwd", 307))

        assert status == "HTTP/1.1 307 Temporary Redirect"
        assert headers["Location"] == "file:///etc/passwd"

    def test_gzip(self, ask: Ask) -> None:
        """The body is compressed though nobody asked, and the header says so."""
        _, headers, body = ask(Gzipped(), "Accept-Encoding: identity")

        assert headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(body) == BODY

    def test_gzip_bomb(self, ask: Ask) -> None:
        """A small body may be a large one."""
        _, _, body = ask(Gzipped(bomb=1_000_000))

        assert len(body) < 2_000
        assert gzip.decompress(body) == bytes(1_000_000)

    def test_garbage(self, ask: Ask) -> None:
        """As many bytes as are right, and none of them is."""
        _, headers, body = ask(Garbage())

        assert headers["Content-Length"] == str(len(BODY)) == str(len(body))
        assert body != BODY

    def test_not_http(self, origin: Origin, peer: Peer) -> None:
        """An answer may be no HTTP at all."""
        origin.behave("/a", NotHttp(b"hello\r\n"))
        peer.ask()

        assert peer.reader.read() == b"hello\r\n"


class TestTime:
    def test_late(self, ask: Ask) -> None:
        """The headers come after the delay, then what was asked for."""
        started = monotonic()

        _, _, body = ask(Late(0.1, Right()))

        assert body == BODY
        assert monotonic() - started >= 0.1

    def test_paused(self, ask: Ask) -> None:
        """A pause in the middle of a body."""
        started = monotonic()

        _, _, body = ask(Paused(after=10, seconds=0.1))

        assert body == BODY
        assert monotonic() - started >= 0.1

    def test_held_before_the_headers(self, origin: Origin, peer: Peer) -> None:
        """Nothing comes before the gate opens."""
        gate = threading.Event()
        origin.behave("/a", Held(gate))
        peer.ask("/a", "Connection: close")
        silent = peer.is_silent()
        gate.set()
        peer.sock.settimeout(10)

        assert silent
        assert peer.sock.recv(12) == b"HTTP/1.1 200"

    def test_held_in_the_body(self, ask: Ask) -> None:
        """Bytes before the place come at once, the rest when the gate opens."""
        gate = threading.Event()
        ask.begin(Held(gate, after=10))
        before = ask.peer.reader.read(10)
        gate.set()

        assert before + ask.peer.reader.read(len(BODY) - 10) == BODY

    def test_stall_after_bytes(self, ask: Ask) -> None:
        """So many bytes, then nothing: neither data nor an end."""
        _, headers = ask.begin(Stall(after=10))

        assert headers["Content-Length"] == str(len(BODY))
        assert ask.peer.reader.read(10) == BODY[:10]
        assert ask.peer.is_silent()

    def test_stall_without_an_answer(self, origin: Origin, peer: Peer) -> None:
        """Not even a status line."""
        origin.behave("/a", Stall())
        peer.ask()

        assert peer.is_silent()

    def test_drip(self, ask: Ask) -> None:
        """A byte per interval, until all are there."""
        ask.origin.serve({"/a": b"1234"})
        started = monotonic()

        _, _, body = ask(Drip(0.02))

        assert body == b"1234"
        assert monotonic() - started >= 0.08

    def test_throttled(self, ask: Ask) -> None:
        """The whole body takes its size divided by the rate."""
        started = monotonic()

        _, _, body = ask(Throttled(rate=10_000))

        assert body == BODY
        assert monotonic() - started >= 0.1


class TestCuts:
    @pytest.mark.parametrize("after", [0, 10, 999])
    def test_reset_after_bytes(self, ask: Ask, after: int) -> None:
        """Exactly so many bytes arrive, then the connection is reset."""
        _, headers = ask.begin(Reset(after))

        assert headers["Content-Length"] == str(len(BODY))
        assert ask.peer.reader.read(after) == BODY[:after]
        with pytest.raises(ConnectionResetError):
            ask.peer.reader.read(1)

    def test_reset_without_an_answer(self, origin: Origin, peer: Peer) -> None:
        """Not even a status line."""
        origin.behave("/a", Reset())
        peer.ask()

        with pytest.raises(ConnectionResetError):
            peer.reader.read(1)

    @pytest.mark.parametrize("after", [0, 10])
    def test_cut(self, ask: Ask, after: int) -> None:
        """The declared length is the full one, and the body ends early."""
        _, headers, body = ask(Cut(after))

        assert headers["Content-Length"] == str(len(BODY))
        assert body == BODY[:after]

    def test_last_one(self, ask: Ask) -> None:
        """A right answer that does not announce that the connection ends."""
        _, headers = ask.begin(LastOne())

        assert "Connection" not in headers
        assert ask.peer.reader.read() == BODY

    @pytest.mark.parametrize("reset", [False, True], ids=["FIN", "RST"])
    def test_stale(self, origin: Origin, peer: Peer, reset: bool) -> None:
        """A connection's first request is answered, the second one ends it."""
        origin.behave("/a", Stale(reset))
        peer.ask()
        status, _ = peer.head()
        body = peer.reader.read(len(BODY))
        silent = peer.is_silent()
        peer.sock.settimeout(10)
        peer.ask()

        assert (status, body, silent) == ("HTTP/1.1 200 OK", BODY, True)
        if reset:
            with pytest.raises(ConnectionResetError):
                peer.sock.recv(1)
        else:
            assert peer.sock.recv(1) == b""

    def test_overlong(self, ask: Ask) -> None:
        """More bytes than declared."""
        _, headers, body = ask(Overlong(by=100))

        assert headers["Content-Length"] == str(len(BODY) - 100)
        assert body == BODY

    def test_too_much(self, ask: Ask) -> None:
        """More bytes than are right, all declared."""
        _, headers, body = ask(TooMuch(by=3))

        assert headers["Content-Length"] == str(len(BODY) + 3) == str(len(body))
        assert body == BODY + b"GGG"


class TestChaos:
    def test_is_the_same_for_the_same_seed(self, ask: Ask) -> None:
        """The choice depends on seed, path and attempt alone."""
        statuses = [Status(code) for code in (500, 501, 502, 503)]

        first, second = (self._codes(ask, Chaos(statuses, seed=seed)) for seed in (1, 1))
        other = self._codes(ask, Chaos(statuses, seed=2))

        assert first == second
        assert first != other
        assert len(set(first)) > 1

    def test_is_right_in_the_end_when_asked(self, ask: Ask) -> None:
        """From a given attempt on every answer is right."""
        codes = self._codes(ask, Chaos([Status(500)], right_from=3))

        assert codes == ["500", "500"] + ["200"] * 8

    @staticmethod
    def _codes(ask: Ask, chaos: Chaos) -> list[str]:
        ask.origin.forget()
        ask.origin.behave("/a", chaos)
        found = []
        for _ in range(10):
            ask.peer.ask()
            status, headers = ask.peer.head()
            ask.peer.reader.read(int(headers["Content-Length"]))
            found.append(status.split()[1])
        return found
