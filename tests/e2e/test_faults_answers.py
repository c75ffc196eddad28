"""Answers that are none: other things, other forms, other ranges (F14, F16 and F20).

The numbers are those of docs/faults.md.
"""

import gzip

import pytest

from tests.e2e.bench import KB, Bench, message
from tests.support.behaviours import Gzipped, Page, Right, Status, first
from tests.support.exchange import Exchange
from tests.support.streams import Aes

pytestmark = pytest.mark.processes

BRIEF = ("--retries", "2", "--retry-sleep", "0.01")

#: Whole transport packets.
SIZE = 800 * 188
SEGMENT = "/segment00004.ts"
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


class TestOtherThings:
    """F14 and F20: something else in a segment's place, or the segment in another form."""

    @pytest.mark.parametrize(
        ("text", "named"),
        [
            ("<!DOCTYPE html><html><body>Please log in</body></html>\n", "web page"),
            (f"<html><body>{'Please wait. ' * 50}</body></html>", "web page"),
            ('{"error": "expired"}', "text"),
            (f'{{"errors": [{"0, " * 200}0]}}', "text"),
            ("Gone", "text"),
            ("\0" * 400, "neither"),
        ],
        ids=["page", "long page", "JSON", "long JSON", "a word", "zeros"],
    )
    def test_200_with_something_else(self, text: str, named: str, clear: Bench) -> None:
        """It is recognised by its bytes, never written, and named."""
        clear.origin.behave(SEGMENT, Page(text))

        run = clear.fetch(*BRIEF)

        clear.check_failed(run, 3)
        assert "Segment 4" in message(run)
        assert named in message(run)

    def test_once(self, clear: Bench) -> None:
        """If the next answer is the segment, that is what is written."""
        clear.origin.behave(SEGMENT, first(1, Page()))

        clear.check_right(clear.fetch(*BRIEF))

    @pytest.mark.parametrize("path", ["/segment*", "/key0.key", "/video.m3u8"])
    def test_compressed(self, path: str, sealed: Bench) -> None:
        """Documents are decoded; a segment that was to come as it is is refused otherwise."""
        sealed.origin.behave(path, Gzipped())

        run = sealed.fetch(*BRIEF)

        if path == "/segment*":
            sealed.check_failed(run, 3)
            assert "compressed" in message(run)
            assert {one.header("Accept-Encoding") for one in sealed.origin.requests_for(path)} == {
                "identity"
            }
        else:
            sealed.check_right(run)

    @pytest.mark.parametrize("path", ["/key0.key", "/video.m3u8"])
    def test_compressed_with_garbage_behind_it(self, path: str, sealed: Bench) -> None:
        """What follows the end of the compressed bytes, as some servers have it, is left out."""

        def padded(exchange: Exchange) -> None:
            body = gzip.compress(exchange.right_reply().payload.read()) + bytes(100)
            Right(body, {"Content-Encoding": "gzip"})(exchange)

        sealed.origin.behave(path, padded)

        sealed.check_right(sealed.fetch(*BRIEF))


class TestRanges:
    """F16: answers to a Range that contradict it, or themselves."""

    @pytest.fixture
    def ranged(self, bench: Bench) -> Bench:
        """Eight byte ranges of one file."""
        bench.serve([100 * KB] * 8, byte_ranges="explicit")
        return bench

    @staticmethod
    def unnamed(exchange: Exchange) -> None:
        """A 206 that does not say which range it is."""
        reply = exchange.right_reply()
        del reply.headers["Content-Range"]
        exchange.reply(reply)

    @staticmethod
    def lying(exchange: Exchange) -> None:
        """A 206 that is shorter than it says."""
        reply = exchange.right_reply()
        exchange.head(reply.status, reply.headers, reply.length - 188)
        exchange.send_part(reply.payload, reply.start, reply.end - 188)

    @staticmethod
    def short(exchange: Exchange) -> None:
        """A 200 with a file that does not reach as far as the range."""
        Status(200, TRANSPORT_STREAM)(exchange)

    @pytest.mark.parametrize("name", ["unnamed", "lying", "short"])
    def test_an_answer_that_cannot_be_it(self, name: str, ranged: Bench) -> None:
        """It is refused, each time."""
        ranged.origin.behave("/video.ts", getattr(self, name))

        run = ranged.fetch(*BRIEF)

        ranged.check_failed(run, 3)
        assert "range" in message(run)

    def test_not_satisfiable(self, ranged: Bench) -> None:
        """416: the file is shorter than the playlist says, and the segment is not there."""
        ranged.origin.serve({"/video.ts": TRANSPORT_STREAM})

        run = ranged.fetch(*BRIEF)

        assert {one.status for one in ranged.origin.requests_for("/video.ts")} <= {206, 416}
        assert run.exit_code in {3, 6}
        ranged.check_failed(run, run.exit_code)
