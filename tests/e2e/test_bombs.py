"""S10, S11: playlists and keys that are far larger than they look, or than they should be."""

import pytest

from tests.e2e.bench import MB, Bench, message
from tests.support.behaviours import Endless, Gzipped
from tests.support.exchange import Behaviour
from tests.support.playlists import Entry, KeyTag, media_playlist
from tests.support.runs import Run

pytestmark = pytest.mark.processes

BRIEF = ("--retries", "1", "--retry-sleep", "0.01")

_SEGMENT = "#EXTINF:1,\na\n"
_VARIANT = "#EXT-X-STREAM-INF:BANDWIDTH=1\nv\n"
_RENDITION = '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="b",URI="c"\n'
_KEY = '#EXT-X-KEY:METHOD=AES-128,URI="{}"\n'

#: Each of them 5 to 16 MB, and what is said of it.
LISTS = {
    "lines": ("#\n" * 7_000_000, "more than 2000000 lines"),
    "one line": ("#EXTINF:1,\n" + "a" * 10 * MB, "Line 3 of the playlist is longer than 65536"),
    "segments": (_SEGMENT * 450_000, "more than 200000 segments"),
    "variants": (_VARIANT * 400_000, "more than 1000 variants"),
    "renditions": (_RENDITION * 200_000 + _VARIANT, "more than 1000 renditions"),
    "keys": (
        "".join(_KEY.format(number) + _SEGMENT for number in range(100_000)),
        "more than 10000 different keys",
    ),
    "definitions": (
        "".join(f'#EXT-X-DEFINE:NAME="a{number}",VALUE="b"\n' for number in range(200_000)),
        "more than 1000 variables",
    ),
    "substitution": (
        f'#EXT-X-DEFINE:NAME="a",VALUE="{"b" * 60_000}"\n' + "#EXTINF:1,\n{$a}{$a}\n" * 300_000,
        "variables add more than 16777216 characters",
    ),
}


def fetch(bench: Bench) -> tuple[Run, int]:
    """A run, and the most memory that its processes took together."""
    with bench.start(*BRIEF) as running, running.memory() as memory:
        run = running.wait()
    return run, memory.peak


@pytest.mark.parametrize(("text", "reason"), LISTS.values(), ids=LISTS)
def test_lists_without_end(text: str, reason: str, bench: Bench) -> None:
    """Each has a cap, and a sentence that names it; neither time nor memory is lost on the rest.

    An honest playlist as large as these takes as much memory, and most of a second.
    """
    bench.serve_playlist(f"#EXTM3U\n{text}")

    run, memory = fetch(bench)

    bench.check_failed(run, 4)
    assert reason in message(run)
    assert run.elapsed < 30
    assert memory < 300 * MB
    assert bench.origin.count() == 1


@pytest.mark.parametrize(
    "behaviour",
    [Gzipped(bomb=300 * MB), Endless(), Endless(chunked=False)],
    ids=["compressed", "in chunks", "of 2^62 bytes"],
)
@pytest.mark.parametrize("what", ["playlist", "key"])
def test_documents_without_end(what: str, behaviour: Behaviour, bench: Bench) -> None:
    """They are read up to a cap, whatever they are announced as, and not once more."""
    bench.serve_playlist(media_playlist([Entry("0.ts", tags=[KeyTag("AES-128", "key")])]))
    path = "/playlist.m3u8" if what == "playlist" else "/key"
    bench.origin.serve({"/key": b""})
    bench.origin.behave(path, behaviour)

    run, memory = fetch(bench)

    bench.check_failed(run, 3 if what == "playlist" else 5)
    assert "the document is larger than" in message(run)
    assert memory < 300 * MB
    assert bench.origin.count(path) == 1
    assert bench.origin.bytes_sent < 40 * MB
