import contextlib
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.support.behaviours import Held, Redirect, Right, Status, first
from tests.support.origin import Origin
from tests.support.payloads import payload
from tests.support.streams import MB


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


class TestServing:
    def test_bytes_text_and_files_are_served(
        self, origin: Origin, session: requests.Session, tmp_path: Path
    ) -> None:
        """A payload may be bytes, text, a file, or any file below a directory."""
        (tmp_path / "file.ts").write_bytes(b"from a file")
        (tmp_path / "sub").mkdir()
        (tmp_path / "sub" / "b.ts").write_bytes(b"from a directory")
        origin.serve({"/a": b"bytes", "/t": "täxt", "/f": tmp_path / "file.ts"})
        origin.serve_directory(tmp_path)

        bodies = [session.get(origin.url(p)).content for p in ("/a", "/t", "/f", "/sub/b.ts")]

        assert bodies == [b"bytes", "täxt".encode(), b"from a file", b"from a directory"]

    def test_what_is_not_served_is_404(self, origin: Origin, session: requests.Session) -> None:
        """Unknown paths, and paths that lead out of a directory, are not found."""
        origin.serve_directory(Path(__file__).parent)

        codes = [
            session.get(origin.url(path)).status_code for path in ("/no", "/%2e%2e/conftest.py")
        ]

        assert codes == [404, 404]

    def test_head_tells_the_length_and_sends_no_body(
        self, origin: Origin, session: requests.Session
    ) -> None:
        """HEAD is answered as GET is, without the body, and the connection stays usable."""
        origin.serve({"/a.ts": b"12345"})

        head = session.head(origin.url("/a.ts"))
        body = session.get(origin.url("/a.ts")).content

        assert head.headers["Content-Length"] == "5"
        assert head.headers["Content-Type"] == "video/mp2t"
        assert body == b"12345"
        assert origin.connections == 1

    @pytest.mark.parametrize(
        ("asked", "status", "content_range", "body"),
        [
            pytest.param("bytes=2-4", 206, "bytes 2-4/10", b"234", id="middle"),
            pytest.param("bytes=7-", 206, "bytes 7-9/10", b"789", id="open end"),
            pytest.param("bytes=8-99", 206, "bytes 8-9/10", b"89", id="past the end"),
            pytest.param("bytes=10-12", 416, "bytes */10", b"", id="behind the end"),
        ],
    )
    def test_ranges(
        self,
        origin: Origin,
        session: requests.Session,
        asked: str,
        status: int,
        content_range: str,
        body: bytes,
    ) -> None:
        """A Range request gets that range, or 416."""
        origin.serve({"/a": b"0123456789"})

        reply = session.get(origin.url("/a"), headers={"Range": asked})

        assert reply.status_code == status
        assert reply.headers["Content-Range"] == content_range
        assert reply.content == body

    def test_if_range_with_another_etag_gets_the_whole(
        self, origin: Origin, session: requests.Session
    ) -> None:
        """If-Range lets a client continue the same entity only."""
        origin.serve({"/a": b"0123456789"})
        etag = session.head(origin.url("/a")).headers["ETag"]

        same, other = (
            session.get(origin.url("/a"), headers={"Range": "bytes=5-", "If-Range": value})
            for value in (etag, '"other"')
        )

        assert (same.status_code, same.content) == (206, b"56789")
        assert (other.status_code, other.content) == (200, b"0123456789")

    @pytest.mark.parametrize("in_file", [False, True], ids=["memory", "file"])
    def test_large_payloads_arrive_whole(
        self, origin: Origin, session: requests.Session, tmp_path: Path, in_file: bool
    ) -> None:
        """A payload larger than any buffer arrives, and is counted."""
        data = payload(0, 32 * MB + 1)
        (tmp_path / "a").write_bytes(data)
        origin.serve({"/a": tmp_path / "a" if in_file else data})

        body = session.get(origin.url("/a")).content

        assert body == data
        assert origin.bytes_sent == len(data)

    def test_tls(self, tls_context: ssl.SSLContext, certificate: Path) -> None:
        """With a context it speaks https."""
        with Origin("localhost", tls=tls_context) as origin, requests.Session() as session:
            session.trust_env = False
            origin.serve({"/a": b"secret"})

            body = session.get(origin.url("/a"), verify=str(certificate)).content

        assert body == b"secret"

    def test_it_is_its_own_proxy(self, origin: Origin, session: requests.Session) -> None:
        """A request with an absolute target, as a proxy gets, is answered for its path."""
        origin.serve({"/a.ts": b"through the proxy"})
        session.proxies = {"http": origin.url("")}

        body = session.get("http://video.invalid/a.ts").content

        assert body == b"through the proxy"
        assert origin.requests[0].target == "http://video.invalid/a.ts"


class TestScripts:
    def test_the_last_behaviour_stays(self, origin: Origin, session: requests.Session) -> None:
        """The n-th request meets the n-th behaviour, and all later ones the last."""
        origin.serve({"/a": b"a"})
        origin.behave("/a", [Status(500), Status(503), Right()])

        codes = [session.get(origin.url("/a")).status_code for _ in range(4)]

        assert codes == [500, 503, 200, 200]

    def test_a_pattern_counts_each_path_for_itself(
        self, origin: Origin, session: requests.Session
    ) -> None:
        """`*` stands for anything, queries are ignored, and each path has its own attempts."""
        origin.serve({"/s1.ts": b"1", "/s2.ts": b"2"})
        origin.behave("/s*.ts", first(1, Status(500)))

        paths = ("/s1.ts", "/s2.ts?token=x", "/s1.ts?token=y", "/s2.ts")
        codes = [session.get(origin.url(path)).status_code for path in paths]

        assert codes == [500, 500, 200, 200]

    def test_a_query_can_be_meant(self, origin: Origin, session: requests.Session) -> None:
        """A script with a query is for that query only: tokens can expire."""
        origin.serve({"/a": b"a"})
        origin.behave("/a?token=old", Status(403))

        codes = [session.get(origin.url(f"/a?token={t}")).status_code for t in ("old", "new")]

        assert codes == [403, 200]

    def test_any_function_is_a_behaviour(self, origin: Origin, session: requests.Session) -> None:
        """A behaviour is called with the exchange, and no more is asked of it."""
        origin.behave("/a", lambda exchange: exchange.head(204, {"X-Own": "yes"}, 0))

        reply = session.get(origin.url("/a"))

        assert (reply.status_code, reply.headers["X-Own"]) == (204, "yes")

    def test_a_redirect_loop_is_followed_as_long_as_asked(
        self, origin: Origin, session: requests.Session
    ) -> None:
        """A path may redirect to itself."""
        origin.behave("/loop", Redirect("/loop"))

        with pytest.raises(requests.TooManyRedirects):
            session.get(origin.url("/loop"))

        assert origin.count("/loop") == 31

    def test_too_many_requests_at_a_time_are_turned_away(self, origin: Origin) -> None:
        """Above the limit of concurrent requests the given behaviour answers."""
        gate = threading.Event()
        origin.serve({"/a": b"a", "/b": b"b"})
        origin.behave("/a", Held(gate))
        origin.limit(1, Status(429, retry_after=1))
        thread = threading.Thread(target=_get, args=(origin.url("/a"),))
        thread.start()
        origin.wait_for("/a")

        while_busy = _get(origin.url("/b"))
        gate.set()
        thread.join()
        origin.wait_idle()
        when_free = _get(origin.url("/b"))

        assert (while_busy.status_code, while_busy.headers["Retry-After"]) == (429, "1")
        assert when_free.status_code == 200


class TestRecords:
    def test_every_request_is_recorded(self, origin: Origin, session: requests.Session) -> None:
        """Method, path, query, headers, order, connection, status and bytes are kept."""
        origin.serve({"/a": b"abc"})
        session.get(origin.url("/a?x=1"), headers={"X-Own": "yes"})
        session.head(origin.url("/none"))

        one, two = origin.requests

        assert (one.method, one.path, one.query, one.header("x-own")) == ("GET", "/a", "x=1", "yes")
        assert (one.status, one.sent, one.connection, one.attempt) == (200, 3, 1, 1)
        assert (two.method, two.status, two.sent, two.connection) == ("HEAD", 404, 0, 1)
        assert one.time <= two.time <= time.monotonic()

    def test_forget_starts_anew(self, origin: Origin, session: requests.Session) -> None:
        """Records and attempts can be dropped between two runs."""
        origin.serve({"/a": b"a"})
        origin.behave("/a", first(1, Status(500)))
        session.get(origin.url("/a"))

        origin.forget()

        assert origin.count() == 0
        assert session.get(origin.url("/a")).status_code == 500

    def test_waiting_for_a_request_that_never_comes_fails(self, origin: Origin) -> None:
        """A wait has an end, and says what was missing."""
        with pytest.raises(TimeoutError, match="0 of 1 requests for /never"):
            origin.wait_for("/never", timeout=0.01)

    def test_closing_ends_a_waiting_exchange(self) -> None:
        """The origin can be closed while a request waits, and no thread is left."""
        threads = threading.active_count()
        with Origin() as origin:
            origin.behave("/a", Held(threading.Event()))
            client = threading.Thread(target=_get_quietly, args=(origin.url("/a"),))
            client.start()
            origin.wait_for("/a")
        client.join()

        assert threading.active_count() == threads


def _get(url: str) -> requests.Response:
    """A request on a connection of its own."""
    with requests.Session() as session:
        session.trust_env = False
        return session.get(url)


def _get_quietly(url: str) -> None:
    with contextlib.suppress(requests.RequestException):
        _get(url)
