"""URLs whose token runs out in mid-run: the playlist is read again, and the run goes on."""

import itertools
import re
import threading
from dataclasses import dataclass, field

import pytest

from tests.e2e.bench import KB, Bench, message, segments
from tests.support.behaviours import Right, Status
from tests.support.exchange import Exchange
from tests.support.invariants import check_i5_requests_bounded
from tests.support.playlists import Variant, multivariant_playlist
from tests.support.streams import Aes

pytestmark = pytest.mark.processes

BRIEF = ("--retries", "2", "--retry-sleep", "0.01")
URI = re.compile(r'^(?!#)\S+|(?<=URI=")[^"]+', re.MULTILINE)


@dataclass
class Tokens:
    """A server whose URLs carry a token that is good for `uses` answers, and refused with `code`.

    Reading the playlist hands out a new token when the last one is used up, or never (`renews`).
    """

    text: str
    uses: int
    code: int = 403
    renews: bool = True
    tokens: list[str] = field(default_factory=lambda: ["t0"])
    left: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.left = self.uses

    def playlist(self, exchange: Exchange) -> None:
        """The playlist, its URIs with the token that is good now."""
        with self.lock:
            if self.left <= 0 and self.renews:
                self.tokens.append(f"t{len(self.tokens)}")
                self.left = self.uses
            token = self.tokens[-1]
        text = URI.sub(lambda match: f"{match[0]}?token={token}", self.text)
        Right(text)(exchange)

    def file(self, exchange: Exchange) -> None:
        """A segment or a key, for those with the token that is good now."""
        with self.lock:
            good = exchange.request.query == f"token={self.tokens[-1]}" and self.left > 0
            self.left -= good
        (Right() if good else Status(self.code))(exchange)


def guarded(bench: Bench, uses: int, **tokens: object) -> Tokens:
    """Serve the bench's stream behind tokens."""
    text = bench.stream.playlist_path.read_text()
    found = Tokens(text, uses, **tokens)  # type: ignore[arg-type]
    bench.origin.behave("/video.m3u8", found.playlist)
    bench.origin.behave("/segment*", found.file)
    bench.origin.behave("/key*", found.file)
    return found


def playlist_requests(bench: Bench) -> int:
    """How often the media playlist was asked for."""
    return bench.origin.count("/video.m3u8")


@pytest.mark.parametrize("code", [401, 403, 410])
def test_run_goes_on_with_fresh_urls(bench: Bench, code: int) -> None:
    """One expiry in the middle: the playlist is read once more, and every byte is right."""
    bench.serve([100 * KB] * 20, aes=Aes())
    tokens = guarded(bench, uses=15, code=code)

    run = bench.fetch(*BRIEF)

    bench.check_right(run)
    assert len(tokens.tokens) == 2
    assert playlist_requests(bench) == 2
    (renewal,) = [event for event in run.events if event["event"] == "urls_renewed"]
    assert f"HTTP {code}" in renewal["reason"]
    check_i5_requests_bounded(bench.origin, bench.stream, retries=2)


def test_once_for_each_expiry(bench: Bench) -> None:
    """One reading for each token that runs out, not one for each refusal."""
    bench.serve([20 * KB] * 40, aes=Aes(rotate_every=5))
    tokens = guarded(bench, uses=12)

    run = bench.fetch("-N", "4")

    bench.check_right(run)
    assert playlist_requests(bench) == len(tokens.tokens)
    assert len(tokens.tokens) >= 4


def test_tokens_are_not_shown(bench: Bench) -> None:
    """Neither the old nor the new query is in anything that is printed."""
    bench.serve([100 * KB] * 20, aes=Aes())
    guarded(bench, uses=10)

    run = bench.fetch(*BRIEF, "-v")

    bench.check_right(run)
    assert "token=" not in run.stderr + run.stdout


def test_refused_for_good(bench: Bench) -> None:
    """The playlist, read again, names the same URLs: the refusal of the segment stands."""
    bench.serve([100 * KB] * 8)
    guarded(bench, uses=5, renews=False)

    run = bench.fetch(*BRIEF, "-N", "1")

    bench.check_failed(run, 6)
    assert re.match(r"Segment \d .*HTTP 403.*: its URL may have expired", message(run))
    assert playlist_requests(bench) == 2


def test_gone_segments_do_not_reread_for_ever(bench: Bench) -> None:
    """With gaps allowed, many segments that are gone cost one further reading, not one each."""
    bench.serve([20 * KB] * 30)
    bench.origin.behave("/segment0001*", Status(410))

    run = bench.fetch(*BRIEF, "--allow-gaps")

    assert run.exit_code == 0
    assert segments(run) == (30, 20, list(range(10, 20)))
    assert playlist_requests(bench) == 2


def test_matched_by_media_sequence_number(bench: Bench) -> None:
    """The list has moved on when it is read again: segments are known by their number."""
    bench.serve([50 * KB] * 12, media_sequence_number=100)
    tokens = guarded(bench, uses=8)
    whole = tokens.text
    moved = itertools.count()

    def playlist(exchange: Exchange) -> None:
        if next(moved):
            head, *entries = whole.split("#EXTINF")
            later = head.replace("MEDIA-SEQUENCE:100", "MEDIA-SEQUENCE:104")
            tokens.text = "#EXTINF".join([later, *entries[4:]])
        tokens.playlist(exchange)

    bench.origin.behave("/video.m3u8", playlist)
    run = bench.fetch(*BRIEF, "-N", "1")

    bench.check_right(run)
    assert len(tokens.tokens) == 2


def test_variant_playlist_with_a_token_of_its_own(bench: Bench) -> None:
    """The multivariant playlist is read again too: the media playlist's URL may have expired."""
    bench.serve([100 * KB] * 12, aes=Aes())
    tokens = guarded(bench, uses=9)

    def media(exchange: Exchange) -> None:
        stale = exchange.request.query != f"v={len(tokens.tokens)}" and tokens.left > 0
        (Status(403) if stale else tokens.playlist)(exchange)

    def multivariant(exchange: Exchange) -> None:
        number = len(tokens.tokens) + (tokens.left <= 0)
        variants = [Variant(f"video.m3u8?v={number}", 1000, "640x360")]
        Right(multivariant_playlist(variants))(exchange)

    bench.origin.behave("/video.m3u8", media)
    bench.origin.behave("/main.m3u8", multivariant)
    bench.url = bench.origin.url("/main.m3u8")
    run = bench.fetch(*BRIEF)

    bench.check_right(run)
    assert bench.origin.count("/main.m3u8") == 2


def test_playlist_gone_when_it_is_asked_again(bench: Bench) -> None:
    """Reading again fails too: the segment's refusal is what ends the run."""
    bench.serve([100 * KB] * 8)
    tokens = guarded(bench, uses=3)
    bench.origin.behave("/video.m3u8", [tokens.playlist, Status(404)])

    run = bench.fetch(*BRIEF)

    bench.check_failed(run, 6)
    assert "HTTP 403" in message(run)


def test_without_retries(bench: Bench) -> None:
    """No further try is allowed, so no fresh URL is of any use."""
    bench.serve([100 * KB] * 8)
    guarded(bench, uses=3)

    run = bench.fetch("--retries", "0")

    bench.check_failed(run, 6)
    assert playlist_requests(bench) == 1
