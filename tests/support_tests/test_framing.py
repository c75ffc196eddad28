"""Bodies and ranges that are framed wrongly, read with a bare socket."""

import pytest

from tests.support.behaviours import (
    Chunked,
    CloseDelimited,
    Cut,
    Endless,
    OtherRange,
    RangeIgnored,
    ShortRange,
)
from tests.support.framing import Chunks, Raw, Surplus
from tests.support.origin import Origin
from tests.support_tests.wire import BODY, Ask, Peer


class TestFraming:
    def test_chunked(self, ask: Ask) -> None:
        """A body in chunks, with the last one."""
        _, headers, body = ask(Chunked(size=600))

        assert headers["Transfer-Encoding"] == "chunked"
        assert "Content-Length" not in headers
        assert body == b"258\r\n" + BODY[:600] + b"\r\n190\r\n" + BODY[600:] + b"\r\n0\r\n\r\n"

    def test_chunked_and_cut(self, ask: Ask) -> None:
        """The connection ends between chunks, without the last one."""
        _, _, body = ask(Chunked(cut_after=16))

        assert body == b"10\r\n" + BODY[:16] + b"\r\n"

    def test_chunked_and_cut_before_the_last_chunk(self, ask: Ask) -> None:
        """All bytes are there, the end mark is not."""
        _, _, body = ask(Chunked(cut_after=len(BODY)))

        assert body == b"3e8\r\n" + BODY + b"\r\n"

    def test_bad_chunk_size(self, ask: Ask) -> None:
        """A chunk size that is no number."""
        _, _, body = ask(Chunked(bad_after=16))

        assert body == b"10\r\n" + BODY[:16] + b"\r\nzz\r\nnot a chunk\r\n"

    def test_close_delimited(self, ask: Ask) -> None:
        """HTTP/1.0 without a length."""
        status, headers, body = ask(CloseDelimited())

        assert status == "HTTP/1.0 200 OK"
        assert "Content-Length" not in headers
        assert body == BODY

    @pytest.mark.parametrize("chunked", [True, False], ids=["chunked", "declared"])
    def test_endless(self, ask: Ask, chunked: bool) -> None:
        """There is always more."""
        _, headers = ask.begin(Endless(chunked=chunked))

        assert ("Transfer-Encoding" in headers) == chunked
        assert len(ask.peer.reader.read(3_000_000)) == 3_000_000


class TestRanges:
    ASKED = "Range: bytes=100-199"

    def test_faults_keep_to_the_range(self, ask: Ask) -> None:
        """A behaviour that spoils something else starts from the right 206."""
        status, headers, body = ask(Cut(after=10), self.ASKED)

        assert status == "HTTP/1.1 206 Partial Content"
        assert headers["Content-Range"] == "bytes 100-199/1000"
        assert (headers["Content-Length"], body) == ("100", BODY[100:110])

    def test_other_range(self, ask: Ask) -> None:
        """Another range than asked for, as its Content-Range says."""
        status, headers, body = ask(OtherRange(shift=50), self.ASKED)

        assert status == "HTTP/1.1 206 Partial Content"
        assert headers["Content-Range"] == "bytes 150-249/1000"
        assert body == BODY[150:250]

    def test_short_range(self, ask: Ask) -> None:
        """Less than asked for, as its Content-Range says."""
        _, headers, body = ask(ShortRange(by=30), self.ASKED)

        assert headers["Content-Range"] == "bytes 100-169/1000"
        assert body == BODY[100:170]

    def test_range_ignored(self, ask: Ask) -> None:
        """The whole, with 200."""
        status, headers, body = ask(RangeIgnored(), self.ASKED)

        assert status == "HTTP/1.1 200 OK"
        assert "Content-Range" not in headers
        assert body == BODY


class TestBrokenFraming:
    def test_surplus(self, ask: Ask) -> None:
        """The whole body and its length, and bytes that nobody announced."""
        _, headers, body = ask(Surplus(b"more"))

        assert headers["Content-Length"] == "1000"
        assert body == BODY + b"more"

    def test_chunks(self, ask: Ask) -> None:
        """Whatever is to stand for chunks, as it is."""
        _, headers, body = ask(Chunks(b"zz\r\nnot a chunk\r\n"))

        assert headers["Transfer-Encoding"] == "chunked"
        assert body == b"zz\r\nnot a chunk\r\n"

    def test_raw(self, origin: Origin, peer: Peer) -> None:
        """A beginning, and then no end."""
        origin.behave("/a", Raw(b"HTTP/1.1 ", b"2", 0.001))
        peer.ask()

        assert peer.reader.read(59) == b"HTTP/1.1 " + b"2" * 50
