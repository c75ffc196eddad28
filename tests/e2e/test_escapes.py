"""S16: server text moves no cursor and forges no line, wherever it comes from and is shown."""

import re
import unicodedata

import pytest

from tests.e2e.bench import KB, Bench
from tests.support.behaviours import Redirect
from tests.support.exchange import Exchange
from tests.support.playlists import Entry, Variant, media_playlist, multivariant_playlist

pytestmark = pytest.mark.processes

BRIEF = ("--retries", "1", "--retry-sleep", "0.01", "-v")

#: Sets a title, begins a link, colours, goes back to the beginning, turns the direction around.
HOSTILE = "\x1b]0;owned\x07\x1b]8;;http://x\x1b\\\x9b31m\u202eb\rc\x7f\x85d\u2028e\ud7ff"

SEGMENT = "segment00000.ts"


MEDIA = {
    "URI": media_playlist([Entry(f"x{HOSTILE}y")]),
    "query": media_playlist([Entry(f"x?{HOSTILE}")]),
    "host": media_playlist([Entry(f"http://x{HOSTILE}y/")]),
    "scheme": media_playlist([Entry(f"ftp://x{HOSTILE}y/")]),
    "title and type": f"#EXTM3U\n#EXT-X-PLAYLIST-TYPE:{HOSTILE}\n#EXTINF:4,{HOSTILE}\n{SEGMENT}\n",
    "duration": f"#EXTM3U\n#EXTINF:1e400{HOSTILE},\n{SEGMENT}\n",
    "method": f"#EXTM3U\n#EXT-X-KEY:METHOD={HOSTILE},URI=k\n#EXTINF:4,\n{SEGMENT}\n",
    "key format": "#EXTM3U\n#EXT-X-KEY:METHOD=SAMPLE-AES,URI=k,"
    f'KEYFORMAT="{HOSTILE}"\n#EXTINF:4,\n{SEGMENT}\n',
    "IV": f"#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI=k,IV={HOSTILE}\n#EXTINF:4,\n{SEGMENT}\n",
    "byte range": f"#EXTM3U\n#EXTINF:4,\n#EXT-X-BYTERANGE:{HOSTILE}\n{SEGMENT}\n",
    "variable": f'#EXTM3U\n#EXT-X-DEFINE:NAME="{HOSTILE}"\n#EXT-X-DEFINE:NAME="{HOSTILE}",VALUE=x',
    "no playlist": HOSTILE,
}

_RENDITION = (
    f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="{HOSTILE}",NAME="{HOSTILE}",LANGUAGE="{HOSTILE}",'
    f'CHANNELS="{HOSTILE}",URI="video.m3u8"'
)
_VARIANT = Variant(
    f"video.m3u8?{HOSTILE}", 1000, codecs=HOSTILE, more=f'AUDIO="{HOSTILE}",NAME="{HOSTILE}"'
)
MULTIVARIANT = multivariant_playlist([_VARIANT], [_RENDITION])


def check_harmless(bench: Bench) -> None:
    """No run has written anything that a terminal obeys."""
    logs = [path.read_bytes() for path in (bench.workspace.root / "logs").iterdir()]
    assert any(logs)
    for log in logs:
        obeyed = {
            each
            for each in log.decode()
            if each != "\n" and unicodedata.category(each) in {"Cc", "Cf", "Zl", "Zp"}
        }
        assert not obeyed, log


@pytest.mark.parametrize("text", MEDIA.values(), ids=MEDIA)
def test_in_a_media_playlist(text: str, bench: Bench) -> None:
    """Tags, attributes, URIs, and what stands in the place of a playlist."""
    bench.serve([20 * KB])
    bench.serve_playlist(text, "/own.m3u8")

    bench.workspace.run("fetch", bench.url, *BRIEF, "--progress", "plain")
    bench.workspace.run("inspect", bench.url)

    check_harmless(bench)


@pytest.mark.parametrize(
    "command",
    [
        ("fetch", "--audio", "all", "--progress", "plain"),
        ("fetch", "--audio", "all", "--progress", "json", "--json"),
        ("fetch", "-F"),
        ("fetch", "-F", "--json"),
        ("inspect",),
        ("inspect", "--json"),
    ],
    ids=" ".join,
)
def test_in_a_multivariant_playlist(command: tuple[str, ...], bench: Bench) -> None:
    """However it is shown; and names of files are made of plain letters."""
    bench.serve([20 * KB])
    bench.serve_playlist(MULTIVARIANT, "/own.m3u8")

    run = bench.workspace.run(*command, bench.url, "-v")

    assert run.exit_code == 0, run.stderr
    check_harmless(bench)
    names = [path.name for path in bench.workspace.cwd.iterdir()]
    assert all(re.fullmatch("[A-Za-z0-9._-]+", name) for name in names)
    assert len(names) == (2 if "--audio" in command else 0)


def _refused(exchange: Exchange) -> None:
    """404, with a reason of its own."""
    head = b"HTTP/1.1 404 " + HOSTILE.replace("\r", "").encode()
    exchange.keep_alive = False
    exchange.sock.sendall(head + b"\r\nContent-Length: 0\r\nX-" + head[13:] + b": x\r\n\r\n")


def _refused_in_latin_1(exchange: Exchange) -> None:
    """404, with C1 controls that are one byte each."""
    exchange.keep_alive = False
    exchange.sock.sendall(b"HTTP/1.1 404 \x9b31m\x85\x1b[31m\r\nContent-Length: 0\r\n\r\n")


@pytest.mark.parametrize("path", ["/own.m3u8", f"/{SEGMENT}"])
@pytest.mark.parametrize(
    "behaviour",
    [
        _refused,
        _refused_in_latin_1,
        Redirect("/x\x1b]0;owned\x07y\x9b"),
        Redirect("ftp://x\x1b]0;owned\x07y\x9b/"),
        Redirect("http://x\x1b]0;owned\x07y\x9b/"),
    ],
    ids=["reason", "reason in Latin-1", "redirect", "to another scheme", "to another host"],
)
def test_in_an_answer(path: str, behaviour: object, bench: Bench) -> None:
    """Reasons, and where redirects lead."""
    bench.serve([20 * KB])
    bench.serve_playlist(media_playlist([Entry(SEGMENT)]), "/own.m3u8")
    bench.origin.behave(path, behaviour)

    bench.workspace.run("fetch", bench.url, *BRIEF, "--progress", "plain")

    check_harmless(bench)
