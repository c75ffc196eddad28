"""HTTP as it is in the wild: what passes by itself is tried again, what is wrong is refused."""

import threading

import pytest

from tests.e2e.bench import KB, MB, Bench, message
from tests.support.behaviours import (
    Chaos,
    Chunked,
    CloseDelimited,
    Cut,
    Gzipped,
    Held,
    LastOne,
    Late,
    OtherRange,
    RangeIgnored,
    Redirect,
    Reset,
    Right,
    ShortRange,
    Stale,
    Stall,
    Status,
    TooMuch,
    first,
)
from tests.support.exchange import Behaviour
from tests.support.framing import NotHttp
from tests.support.origin import Origin
from tests.support.streams import Aes

pytestmark = pytest.mark.processes

BRIEF = ("--retries", "2", "--retry-sleep", "0.01")

PASSING = {
    "500": Status(500),
    "503": Status(503),
    "429": Status(429),
    "408": Status(408),
    "404 once": Status(404),
    "reset": Reset(after=0),
    "reset in the body": Reset(after=100 * KB),
    "cut behind the head": Cut(after=0),
    "cut in the body": Cut(after=100 * KB),
    "cut at an arena block": Cut(after=256 * KB),
    "a chunked body that is cut": Chunked(cut_after=100 * KB),
    "a bad chunk": Chunked(bad_after=100 * KB),
    "no HTTP at all": NotHttp(),
    "compressed": Gzipped(),
}


@pytest.fixture
def served(bench: Bench) -> Bench:
    """2.4 MB in 8 encrypted segments, of whole transport packets."""
    bench.serve([1600 * 188] * 8, aes=Aes())
    return bench


class TestRetries:
    """Another try mends it."""

    @pytest.mark.parametrize("behaviour", PASSING.values(), ids=PASSING)
    @pytest.mark.parametrize("threshold", ["50MB", "100KB"], ids=["memory", "disk"])
    def test_a_segment(self, threshold: str, behaviour: Behaviour, served: Bench) -> None:
        """Whatever happens to a segment once, the bytes are right in the end."""
        served.origin.behave("/segment00000.ts", first(1, behaviour))
        served.origin.behave("/segment00004.ts", first(1, behaviour))

        run = served.fetch(*BRIEF, "--memory-threshold", threshold)

        served.check_right(run)
        assert run.receipt["retries"] == 2
        assert served.origin.count("/segment*") == 10

    @pytest.mark.parametrize("behaviour", [Cut(), Reset()], ids=["end", "reset"])
    def test_no_answer_at_all(self, behaviour: Behaviour, served: Bench) -> None:
        """On a connection that was kept it is asked again at once, and else as a retry."""
        served.origin.behave("/segment00000.ts", first(2, behaviour))
        served.origin.behave("/segment00004.ts", first(2, behaviour))

        run = served.fetch(*BRIEF)

        served.check_right(run)
        assert served.origin.count("/segment*") == 12
        assert run.receipt["retries"] in {2, 3, 4}

    @pytest.mark.parametrize("path", ["/video.m3u8", "/key0.key"])
    @pytest.mark.parametrize(
        "behaviour", [Status(500), Reset(), Cut(after=5), NotHttp()], ids=lambda each: str(each)[:7]
    )
    def test_documents(self, behaviour: Behaviour, path: str, served: Bench) -> None:
        """The same goes for playlist and key."""
        served.origin.behave(path, first(2, behaviour))

        run = served.fetch(*BRIEF)

        served.check_right(run)
        assert served.origin.count(path) == 3

    @pytest.mark.parametrize("after", [-1, 0, 100 * KB], ids=["head", "no byte", "in the body"])
    def test_a_stall(self, after: int, served: Bench) -> None:
        """A server that falls silent is left after `--timeout`, and asked again."""
        served.origin.behave("/segment00004.ts", first(1, Stall(after)))

        run = served.fetch(*BRIEF, "--timeout", "0.3")

        served.check_right(run)
        assert served.origin.count("/segment00004.ts") == 2

    @pytest.mark.parametrize("as_date", [False, True], ids=["seconds", "a date"])
    def test_a_server_that_says_when(self, as_date: bool, served: Bench) -> None:
        """Retry-After is honoured: nobody comes back earlier."""
        busy = Status(429, retry_after=1, as_date=as_date)
        served.origin.behave("/segment00004.ts", first(1, busy))

        run = served.fetch(*BRIEF)

        served.check_right(run)
        early, late = served.origin.requests_for("/segment00004.ts")
        assert late.time - early.time >= 0.9

    @pytest.mark.parametrize("seed", range(4))
    def test_a_bad_day(self, seed: int, served: Bench) -> None:
        """Everything at random, and right from the fifth try on: the bytes are right."""
        choices = [*PASSING.values(), Cut(), Stale(), Stale(reset=True)]
        choices += [Right(), Late(0.02), LastOne(), CloseDelimited()]
        choices.remove(PASSING["404 once"])
        served.origin.behave("*", Chaos(choices, seed, right_from=5))

        run = served.fetch("--retries", "5", "--retry-sleep", "0.01", "--memory-threshold", "1MB")

        served.check_right(run)

    def test_a_retry_does_not_wait_for_others(self, served: Bench) -> None:
        """While one segment is held, the others and their retries go on."""
        gate = threading.Event()
        served.origin.behave("/segment00000.ts", Held(gate))
        served.origin.behave("/segment00005.ts", first(2, Status(500)))
        with served.start(*BRIEF) as running:
            served.origin.wait_for("/segment00005.ts", 3)
            gate.set()
            run = running.wait()

        served.check_right(run)


class TestBodies:
    """Right bytes in unusual wrapping."""

    @pytest.mark.parametrize(
        "behaviour",
        [Chunked(), Chunked(size=1000), CloseDelimited(), LastOne(), Late(0.05)],
        ids=["chunked", "small chunks", "until the end", "last one", "late"],
    )
    def test_framing(self, behaviour: Behaviour, served: Bench) -> None:
        """However a body is delimited, it is taken whole."""
        served.origin.behave("*", behaviour)

        run = served.fetch(*BRIEF)

        served.check_right(run)
        assert run.receipt["retries"] == 0, run.stderr

    def test_connections_are_kept(self, bench: Bench) -> None:
        """Segments share connections: no more are opened than were allowed."""
        bench.serve([10 * KB] * 60, aes=Aes())

        run = bench.fetch("-N", "4", "--processes", "2")

        bench.check_right(run)
        assert bench.origin.connections <= 6
        assert bench.origin.peak_in_flight <= 4

    def test_connections_that_are_not_kept_in_the_end(self, bench: Bench) -> None:
        """A server may end a kept connection when the next request is already under way."""
        bench.serve([10 * KB] * 30, aes=Aes())
        bench.origin.behave("*", Stale())

        run = bench.fetch("--retries", "0")

        bench.check_right(run)
        assert run.receipt["retries"] == 0, run.stderr
        assert any(request.place == 2 for request in bench.origin.requests)


class TestRanges:
    """Byte ranges, and servers that get them wrong."""

    @pytest.fixture
    def ranged(self, bench: Bench) -> Bench:
        """Eight byte ranges of one file."""
        bench.serve([100 * KB] * 8, byte_ranges="explicit", aes=Aes())
        return bench

    def test_a_server_without_ranges(self, ranged: Bench) -> None:
        """A 200 with the whole file is good for any range of it."""
        ranged.origin.behave("/video.ts", RangeIgnored())

        ranged.check_right(ranged.fetch(*BRIEF))

    @pytest.mark.parametrize(
        "behaviour", [OtherRange(), ShortRange(), Status(416)], ids=["other", "short", "416"]
    )
    @pytest.mark.parametrize("times", [1, 99], ids=["once", "for ever"])
    def test_another_range(self, times: int, behaviour: Behaviour, ranged: Bench) -> None:
        """Another range than the one asked for is refused, each time."""
        ranged.origin.behave("/video.ts", first(times, behaviour))

        run = ranged.fetch(*BRIEF)

        if times == 1:
            ranged.check_right(run)
        else:
            ranged.check_failed(run, 6 if isinstance(behaviour, Status) else 3)

    def test_a_206_that_nobody_asked_for(self, served: Bench) -> None:
        """A part where the whole was asked for is refused."""

        def part(exchange: object) -> None:
            Status(206, b"x" * 1000, {"Content-Range": "bytes 0-999/300000"})(exchange)

        served.origin.behave("/segment00004.ts", part)

        served.check_failed(served.fetch(*BRIEF), 3)

    def test_more_than_the_range(self, ranged: Bench) -> None:
        """A 206 that is longer than the range it names is refused like another range."""
        ranged.origin.behave("/video.ts", TooMuch(1000))

        run = ranged.fetch(*BRIEF)

        ranged.check_failed(run, 3)


class TestRedirects:
    """Redirects, and where they must not lead."""

    @pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
    def test_followed(self, code: int, served: Bench) -> None:
        """Each kind is followed; relative URIs are seen from where the playlist was in the end."""
        served.origin.behave("/a/b/list", Redirect("/video.m3u8", code))
        served.url = served.origin.url("/a/b/list")

        served.check_right(served.fetch())

    @pytest.mark.parametrize("count", [20, 21])
    def test_a_chain(self, count: int, served: Bench) -> None:
        """Twenty redirects are followed, and not one more."""
        for number in range(count):
            last = number == count - 1
            target = "/video.m3u8" if last else f"/r{number + 1}"
            served.origin.behave(f"/r{number}", Redirect(target))
        served.url = served.origin.url("/r0")

        run = served.fetch(*BRIEF)

        if count == 20:
            served.check_right(run)
        else:
            served.check_failed(run, 3)
            assert "redirects" in message(run)

    def test_a_loop(self, served: Bench) -> None:
        """A segment that redirects to itself is exit 3 after a bounded number of requests."""
        served.origin.behave("/segment00004.ts", Redirect("/segment00004.ts"))

        run = served.fetch(*BRIEF)

        served.check_failed(run, 3)
        assert served.origin.count("/segment00004.ts") <= 3 * 21

    @pytest.mark.parametrize("to", ["file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://x/"])
    @pytest.mark.parametrize("path", ["/video.m3u8", "/segment00004.ts", "/key0.key"])
    def test_to_another_scheme(self, path: str, to: str, served: Bench) -> None:
        """A redirect to anything but http(s) is refused at once."""
        served.origin.behave(path, Redirect(to))

        run = served.fetch(*BRIEF)

        served.check_failed(run, 5 if "key" in path else 3)
        assert served.origin.count(path) == 1


class TestSecrets:
    """Who is told what the user gave, and what is never shown."""

    HEADERS = ("-H", "X-Api-Key: hush-hush", "-H", "Authorization: Bearer hush-hush")

    @pytest.fixture
    def elsewhere(self, bench: Bench, other_origin: Origin) -> Bench:
        """A playlist here whose segments and key are there."""
        stream = bench.serve([20 * KB] * 3, aes=Aes())
        other_origin.serve_directory(stream.directory)
        text = stream.playlist_path.read_text()
        root = other_origin.url("/")
        for path in (*stream.segments, *stream.keys):
            text = text.replace(path.name, root + path.name)
        bench.serve_playlist(text)
        return bench

    def test_to_the_playlists_origin(self, served: Bench) -> None:
        """Headers go with every request to the origin that the user named."""
        served.check_right(served.fetch(*self.HEADERS))

        assert {request.header("X-Api-Key") for request in served.origin.requests} == {"hush-hush"}

    def test_several_of_one_name(self, served: Bench) -> None:
        """All of their values are told, in one header."""
        served.check_right(
            served.fetch("-H", "X-A: 1", "-H", "x-a: 2", "-H", "Cookie: a=1", "-H", "Cookie: b=2")
        )

        seen = {
            (request.header("X-A"), request.header("Cookie")) for request in served.origin.requests
        }
        assert seen == {("1, 2", "a=1; b=2")}

    def test_to_nobody_else(self, elsewhere: Bench, other_origin: Origin) -> None:
        """Another origin gets neither the headers nor a Referer nor the cookies."""
        cookie = Right(headers={"Set-Cookie": "session=hush-hush; Path=/"})
        elsewhere.origin.behave("/playlist.m3u8", cookie)

        run = elsewhere.fetch(*self.HEADERS, "-H", "Referer: http://hush-hush/")

        elsewhere.check_right(run)
        assert other_origin.count() == 4
        told = [pair for request in other_origin.requests for pair in request.headers]
        assert "hush-hush" not in str(told)
        assert "hush-hush" in str(elsewhere.origin.requests[0].headers)

    def test_not_after_a_redirect(self, served: Bench, other_origin: Origin) -> None:
        """A redirect to another origin leaves the headers behind."""
        other_origin.serve_directory(served.stream.directory)
        served.origin.behave("/segment*", self._moved(other_origin))

        run = served.fetch(*self.HEADERS)

        served.check_right(run)
        assert other_origin.count("/segment*") == 8
        assert "hush-hush" not in str([request.headers for request in other_origin.requests])

    @staticmethod
    def _moved(to: Origin) -> Behaviour:
        def redirect(exchange: object) -> None:
            Redirect(to.url(exchange.request.path))(exchange)

        return redirect

    def test_to_all_if_asked(self, elsewhere: Bench, other_origin: Origin) -> None:
        """`--header-all-hosts` sends them everywhere."""
        elsewhere.check_right(elsewhere.fetch(*self.HEADERS, "--header-all-hosts"))

        assert {request.header("X-Api-Key") for request in other_origin.requests} == {"hush-hush"}

    @pytest.mark.parametrize("failing", ["none", "/video.m3u8", "/segment*", "/key0.key"])
    def test_nothing_is_shown(self, failing: str, served: Bench) -> None:
        """Neither tokens in queries nor passwords nor headers are on stderr or in the receipt."""
        text = served.stream.playlist_path.read_text()
        for path in (*served.stream.segments, *served.stream.keys):
            text = text.replace(path.name, f"{path.name}?token=hush-hush")
        served.origin.serve({"/video.m3u8": text})
        served.url = served.url.replace("//", "//user:hush-hush@") + "?token=hush-hush#hush-hush"
        if failing != "none":
            served.origin.behave(failing, Status(500))

        run = served.fetch(*BRIEF, *self.HEADERS, "-v")

        assert (run.exit_code == 0) == (failing == "none"), run.stderr
        assert "hush-hush" not in run.stderr
        assert "hush-hush" not in run.stdout


class TestManyConnections:
    """Bounds on what is asked of a server."""

    @pytest.mark.parametrize("connections", [1, 3, 16], ids=str)
    def test_no_more_at_a_time(self, connections: int, bench: Bench) -> None:
        """`-N` is the most requests that are under way at any moment."""
        bench.serve([KB] * 60)
        bench.origin.behave("/segment*", Late(0.03))

        run = bench.fetch("-N", str(connections))

        bench.check_right(run)
        assert bench.origin.peak_in_flight <= connections
        assert run.receipt["connections"] == connections

    def test_one_request_for_each_thing(self, bench: Bench) -> None:
        """Without a fault, nothing is asked for twice."""
        stream = bench.serve([MB] * 6, aes=Aes(rotate_every=2))

        run = bench.fetch()

        bench.check_right(run)
        assert bench.origin.count() == stream.requests == run.receipt["requests"]
