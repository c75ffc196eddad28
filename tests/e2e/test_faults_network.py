"""Faults of the network and of HTTP servers, by their numbers in docs/faults.md (F1 to F13).

What `test_failures` and `test_transport` show already is left out. Wrong answers are in
`test_faults_answers`, TLS and proxies in `test_faults_tls` and `test_faults_proxies`.
"""

import socket

import pytest

from tests.e2e.bench import KB, Bench, message, segments
from tests.support.behaviours import (
    Chunked,
    CloseDelimited,
    Drip,
    Garbage,
    Page,
    Right,
    Stall,
    Status,
    first,
)
from tests.support.exchange import Behaviour
from tests.support.framing import Chunks, Raw, Surplus
from tests.support.invariants import check_i4_rerun_succeeds, check_i5_requests_bounded
from tests.support.streams import Aes

pytestmark = pytest.mark.processes

BRIEF = ("--retries", "2", "--retry-sleep", "0.01")
IMPATIENT = (*BRIEF, "--timeout", "0.3")
ONE_BY_ONE = ("-N", "1", "--processes", "1")

#: Whole transport packets.
SIZE = 800 * 188
SEGMENT = "/segment00004.ts"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
TRANSPORT_STREAM = b"\x47\x1f\xff\x10".ljust(188, b"\xff")


@pytest.fixture
def clear(bench: Bench) -> Bench:
    """1.2 MB in 8 segments that are not encrypted: only their bytes say whether they are right."""
    bench.serve([SIZE] * 8)
    return bench


@pytest.fixture
def sealed(bench: Bench) -> Bench:
    """The same, encrypted."""
    bench.serve([SIZE] * 8, aes=Aes())
    return bench


class TestUnreachable:
    """F1: a host that has no address, or that nobody answers for."""

    @pytest.mark.parametrize(
        ("host", "reason"), [("", "refused"), ("absent.invalid", "name could not be resolved")]
    )
    def test_a_segments_host(self, host: str, reason: str, clear: Bench) -> None:
        """After the tries the run ends with exit 3 and names segment, host and reason."""
        with socket.create_server(("127.0.0.1", 0)) as probe:
            place = host or f"127.0.0.1:{probe.getsockname()[1]}"
        text = clear.stream.playlist_path.read_text()
        clear.serve_playlist(text.replace(SEGMENT[1:], f"http://{place}{SEGMENT}"))

        run = clear.fetch(*BRIEF)

        clear.check_failed(run, 3)
        assert f"Segment 4 (http://{place}{SEGMENT})" in message(run)
        assert reason in message(run).lower()
        assert "after 3 tries" in message(run)


class TestMoreThanAnnounced:
    """F4: a Content-Length that is smaller than what is sent."""

    ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 188\r\n\r\n" + TRANSPORT_STREAM

    @pytest.mark.parametrize(
        ("size", "surplus"),
        [(1880, b"\r\n"), (SIZE, TRANSPORT_STREAM), (1880, ANSWER), (SIZE, ANSWER)],
        ids=["a line end", "a packet", "an answer", "an answer behind much"],
    )
    def test_the_connection_is_not_used_again(
        self, size: int, surplus: bytes, bench: Bench
    ) -> None:
        """The announced bytes are taken; what follows them is nobody's answer."""
        bench.serve([size] * 6)
        bench.origin.behave("/segment*", Surplus(surplus))

        run = bench.fetch(*ONE_BY_ONE)

        bench.check_right(run)
        assert run.receipt["retries"] == 0
        used = [request.connection for request in bench.origin.requests_for("/segment*")]
        assert len(set(used)) == 6


class TestChunks:
    """F5: chunked bodies that end early, or whose sizes are none."""

    PACKET = b"bc\r\n" + TRANSPORT_STREAM + b"\r\n"

    @pytest.mark.parametrize(
        "behaviour",
        [
            Chunked(cut_after=SIZE),
            Chunks(b"zz\r\n" + TRANSPORT_STREAM + b"\r\n0\r\n\r\n"),
            Chunks(b"-5\r\n" + TRANSPORT_STREAM * 4000 + b"\r\n0\r\n\r\n"),
            Chunks(PACKET + b"1" * 70_000 + b"\r\n"),
            Chunks(PACKET + b"ffffffffffffffff\r\n" + TRANSPORT_STREAM),
            Chunks(PACKET.replace(b"bc", b"bb") + b"0\r\n\r\n"),
        ],
        ids=["no last chunk", "no number", "negative", "many digits", "huge", "too small"],
    )
    def test_a_body_that_is_not_whole(self, behaviour: Behaviour, clear: Bench) -> None:
        """It is never taken for a segment: exit 3 after the tries."""
        clear.origin.behave(SEGMENT, behaviour)

        run = clear.fetch(*BRIEF)

        clear.check_failed(run, 3)
        assert "Segment 4" in message(run)
        assert clear.origin.count(SEGMENT) == 3


class TestNoLength:
    """F6: a body that ends where the connection does."""

    @pytest.mark.parametrize("container", ["ts", "fmp4"])
    @pytest.mark.parametrize("aes", [None, Aes()], ids=["clear", "encrypted"])
    def test_whole_ones(self, aes: Aes | None, container: str, bench: Bench) -> None:
        """What shows that it is whole is taken, and counted; `-v` says so."""
        bench.serve([SIZE] * 4, aes=aes, container=container)
        bench.origin.behave("/segment*", [CloseDelimited()])
        bench.origin.behave("/segment00001*", Right())

        run = bench.fetch(*BRIEF)

        bench.check_right(run)
        assert run.receipt["segments"]["unverified_lengths"] == 3
        assert run.receipt["retries"] == 0

    @pytest.mark.parametrize("more", [("-v",), ()], ids=["told", "not told"])
    def test_who_is_told(self, more: tuple[str, ...], clear: Bench) -> None:
        """The warning is for those who want to know more."""
        clear.origin.behave(SEGMENT, CloseDelimited())

        run = clear.workspace.run(
            "fetch", clear.url, "-o", "video.ts", "--progress", "plain", *more
        )

        clear.check_right(run)
        assert ("no length for 1 segment" in run.stderr) == bool(more)

    @pytest.mark.parametrize(
        ("container", "aes", "after"),
        [
            ("ts", None, 0),
            ("ts", None, 100),
            ("ts", None, 150_000),
            ("fmp4", None, 150_000),
            ("ts", Aes(), 0),
            ("fmp4", Aes(), 150_000),
        ],
        ids=["at once", "in a packet", "in the middle", "in a box", "sealed", "sealed boxes"],
    )
    def test_those_that_are_cut(
        self, container: str, aes: Aes | None, after: int, bench: Bench
    ) -> None:
        """A cut that shows is a failure, and another try may mend it."""
        stream = bench.serve([SIZE] * 4, aes=aes, container=container)
        path = f"/{stream.segments[2].name}"
        bench.origin.behave(path, CloseDelimited(after))

        run = bench.fetch(*BRIEF)

        bench.check_failed(run, 5 if aes else 3)
        assert "Segment 2" in message(run)
        bench.origin.behave(path, first(1, CloseDelimited(after)))
        check_i4_rerun_succeeds(
            bench.workspace, bench.arguments(*BRIEF), bench.output, stream.sha256
        )

    def test_those_that_show_nothing(self, clear: Bench) -> None:
        """Packed audio has no end of its own: without a length it is refused."""
        audio = b"ID3\x04\0\0\0\0\0\x3fPRIV" + bytes(5000)
        clear.origin.behave(SEGMENT, CloseDelimited())
        clear.origin.serve({SEGMENT: audio})

        run = clear.fetch(*BRIEF)

        clear.check_failed(run, 3)
        assert "announced no length" in message(run)


class TestSilence:
    """F7 and F8: a server that says nothing, or next to nothing."""

    @pytest.mark.parametrize("path", ["/video.m3u8", "/key0.key", SEGMENT])
    def test_an_idle_server(self, path: str, sealed: Bench) -> None:
        """Each try waits for `--timeout`, and there are no more than `--retries` allows."""
        sealed.origin.behave(path, Stall())

        run = sealed.fetch(*IMPATIENT)

        sealed.check_failed(run, 5 if "key" in path else 3)
        assert "did not answer in time" in message(run)
        assert sealed.origin.count(path) == 3
        check_i5_requests_bounded(sealed.origin, sealed.stream, retries=2)

    @pytest.mark.parametrize(
        ("path", "behaviour"),
        [
            (SEGMENT, Drip(0.02)),
            (SEGMENT, Drip(0.02, after=1000)),
            (SEGMENT, Raw(b"", b"H", 0.02)),
            (SEGMENT, Raw(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"a", 0.02)),
            (SEGMENT, Raw(CHUNKED, b"0", 0.02)),
            (SEGMENT, Raw(CHUNKED, b"1\r\nG\r\n", 0.1)),
            (SEGMENT, Raw(CHUNKED + b"0\r\n", b"X-Trailer: a\r\n", 0.02)),
            (SEGMENT, Raw(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.02)),
            ("/video.m3u8", Drip(0.02)),
            ("/key0.key", Raw(CHUNKED, b"0", 0.02)),
        ],
        ids=[
            "body",
            "rest",
            "status",
            "header",
            "chunk size",
            "chunks",
            "trailers",
            "interim answers",
            "playlist",
            "key",
        ],
    )
    def test_a_drip(self, path: str, behaviour: Behaviour, sealed: Bench) -> None:
        """A byte now and then is no sign of life: the floor rate ends such a try as well."""
        sealed.origin.behave(path, behaviour)

        run = sealed.fetch("--retries", "1", "--retry-sleep", "0.01", "--timeout", "0.3")

        sealed.check_failed(run, 5 if "key" in path else 3)
        assert sealed.origin.count(path) == 2


class TestStatuses:
    """F10, F12 and F13."""

    @pytest.mark.parametrize("status", [404, 410])
    def test_a_segment_that_is_gone(self, status: int, sealed: Bench) -> None:
        """It is asked for once more, and then the run ends with exit 6."""
        sealed.origin.behave(SEGMENT, Status(status))

        run = sealed.fetch("--retry-sleep", "0.01")

        sealed.check_failed(run, 6)
        assert f"HTTP {status}" in message(run)
        assert segments(run)[0] == 8
        assert sealed.origin.count(SEGMENT) == 2

    @pytest.mark.parametrize("times", [1, 2, 5])
    def test_a_server_that_recovers(self, times: int, sealed: Bench) -> None:
        """After n failures there have been n + 1 requests for that segment, and one for others."""
        sealed.origin.behave(SEGMENT, first(times, Status(500)))

        run = sealed.fetch("--retries", "5", "--retry-sleep", "0.01")

        sealed.check_right(run)
        assert sealed.origin.count(SEGMENT) == times + 1
        assert sealed.origin.count("/segment*") == 8 + times
        assert run.receipt["retries"] == times

    @pytest.mark.parametrize("status", [429, 503])
    def test_a_pause_is_for_all(self, status: int, bench: Bench) -> None:
        """Retry-After holds back every request to that host but those already given out."""
        bench.serve([KB] * 100)
        bench.origin.behave("/segment00001.ts", first(1, Status(status, retry_after=1)))

        run = bench.fetch(*BRIEF, *ONE_BY_ONE)

        bench.check_right(run)
        refused, again = bench.origin.requests_for("/segment00001.ts")
        assert again.time - refused.time >= 0.9
        waits = [one.time - refused.time for one in bench.origin.requests_for("/segment*")]
        assert sum(0 < wait < 0.9 for wait in waits) < 20


@pytest.mark.parametrize(
    "behaviour",
    [Status(500), Status(404), Stall(), Page(), Garbage(), CloseDelimited(100)],
    ids=["500", "404", "idle", "a page", "garbage", "cut"],
)
def test_it_is_over(behaviour: Behaviour, sealed: Bench) -> None:
    """I4: whatever a server did, the same command succeeds once it does it no more."""
    sealed.origin.behave(SEGMENT, behaviour)
    arguments = sealed.arguments(*IMPATIENT)
    failed = sealed.workspace.run(*arguments)
    assert failed.exit_code in {3, 5, 6}
    sealed.check_failed(failed, failed.exit_code)
    sealed.origin.behave(SEGMENT, Right())

    check_i4_rerun_succeeds(sealed.workspace, arguments, sealed.output, sealed.stream.sha256)
    sealed.check_nothing_left()
