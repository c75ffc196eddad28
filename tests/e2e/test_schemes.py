"""S1, S2, S18: what a playlist from the web names besides http(s) is not opened, and not run.

A canary file lies where the playlist says; strace shows that no process so much as looked at it.
"""

import sys
from pathlib import Path

import pytest

from tests.e2e.bench import KB, Bench, message
from tests.support.behaviours import Redirect
from tests.support.playlists import (
    Entry,
    KeyTag,
    MapTag,
    Variant,
    media_playlist,
    multivariant_playlist,
)
from tests.support.traces import Trace

pytestmark = pytest.mark.processes

BRIEF = ("--retries", "1", "--retry-sleep", "0.01")


@pytest.fixture
def canary(bench: Bench) -> Path:
    """A file that is everything at once: a playlist, and long enough for a key."""
    path = bench.workspace.root / "canary.m3u8"
    path.write_text(media_playlist([Entry("segment00000.ts")]))
    bench.serve([20 * KB])
    return path


def lists(uri: str) -> dict[str, str]:
    """Playlists that lead to `uri`, each by another tag."""
    segment = "segment00000.ts"
    groups = 'AUDIO="a",SUBTITLES="s"'
    audio = f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="x",DEFAULT=YES,URI="{uri}"'
    subtitles = f'#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="x",LANGUAGE="en",URI="{uri}"'
    variant = Variant("video.m3u8", 1000, more=groups)
    return {
        "segment": media_playlist([Entry(segment), Entry(uri)]),
        "byte range": media_playlist([Entry(segment), Entry(uri, byte_range="10@0")]),
        "key": media_playlist([Entry(segment, tags=[KeyTag("AES-128", uri)])]),
        "map": media_playlist([Entry(segment, tags=[MapTag(uri)])]),
        "variant": multivariant_playlist([Variant(uri, 1000)]),
        "audio": multivariant_playlist([variant], [audio]),
        "subtitles": multivariant_playlist([variant], [subtitles]),
    }


@pytest.mark.parametrize("place", lists(""))
def test_files_are_not_opened(place: str, canary: Path, bench: Bench, trace: Trace) -> None:
    """Wherever one is named: the run ends before anything but the playlist is asked for."""
    bench.serve_playlist(lists(canary.as_uri())[place])

    run = bench.fetch("--subtitles", "all", *BRIEF, prefix=trace.prefix)

    assert run.exit_code == 4, run.stderr
    assert "only http and https" in message(run)
    assert not trace.mentions(canary)
    assert {call.arguments.split('"')[1] for call in trace.calls("execve") if not call.failed} == {
        sys.executable
    }
    assert bench.origin.count() == 1


@pytest.mark.parametrize("path", ["/playlist.m3u8", "/segment00000.ts", "/key", "/map"])
def test_redirects_to_files_are_not_followed(
    path: str, canary: Path, bench: Bench, trace: Trace
) -> None:
    """What the server says instead of the playlist counts as little."""
    tags = [KeyTag("AES-128", "key", bytes(16))] if path == "/key" else []
    more = [MapTag("map")] if path == "/map" else []
    bench.serve_playlist(media_playlist([Entry("segment00000.ts", tags=[*tags, *more])]))
    bench.origin.behave(path, Redirect(canary.as_uri()))

    run = bench.fetch(*BRIEF, prefix=trace.prefix)

    assert run.exit_code == (5 if path == "/key" else 3), run.stderr
    assert "not http or https" in message(run)
    assert not trace.mentions(canary)


@pytest.mark.parametrize(
    ("uri", "exit_code"),
    [
        ("FILE:{path}", 4),
        ("file:{path}", 4),
        ("concat:{path}|{path}", 4),
        ("crypto+file://{path}", 4),
        ("pipe:0", 4),
        ("data:video/mp2t;base64,R0A=", 4),
        ("gopher://127.0.0.1/x", 4),
        ("ftp://127.0.0.1/x", 4),
        ("javascript:0", 4),
        ("subfile,,start,0,end,9,,:{path}", 6),
        ("{path}", 6),
        ("http:{path}", 6),
        ("http://{path}", 6),
        ("..{path}", 6),
        ("\\\\127.0.0.1\\x", 6),
    ],
)
def test_other_schemes_lead_nowhere(
    uri: str, exit_code: int, canary: Path, bench: Bench, trace: Trace
) -> None:
    """They are refused, or are no schemes, but names of what the server does not have."""
    bench.serve_playlist(media_playlist([Entry(uri.format(path=canary))]))

    run = bench.fetch(*BRIEF, prefix=trace.prefix)

    bench.check_failed(run, exit_code)
    assert not trace.mentions(canary)


@pytest.mark.parametrize("place", ["key", "map"])
def test_data_urls_are_no_keys(place: str, canary: Path, bench: Bench) -> None:
    """Not by default: a playlist that brings its own key is encrypted for no one."""
    bench.serve_playlist(lists("data:text/plain;base64,MDEyMzQ1Njc4OWFiY2RlZg==")[place])

    run = bench.fetch(*BRIEF)

    bench.check_failed(run, 4)
    assert "MDEy" not in message(run)
