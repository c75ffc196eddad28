"""Where a stranger's playlist may not lead: private addresses, under `--block-private`.

In these runs 127.0.0.1 counts as public (`tests.support.public_loopback`), 127.0.0.2 is what it is.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.bench import KB, Bench, message
from tests.support import public_loopback
from tests.support.behaviours import Redirect
from tests.support.origin import Origin
from tests.support.playlists import (
    Entry,
    KeyTag,
    MapTag,
    Variant,
    media_playlist,
    multivariant_playlist,
)

pytestmark = pytest.mark.processes

ROOT = Path(__file__).parents[2]


@pytest.fixture
def private() -> Iterator[Origin]:
    """A server inside: it has everything that it is asked for."""
    with Origin("127.0.0.2") as found:
        found.serve({f"/{name}": bytes(16) for name in ("key", "0.ts", "init.mp4")})
        found.serve({"/video.m3u8": media_playlist([Entry("0.ts")])})
        yield found


@pytest.fixture
def public(bench: Bench) -> Bench:
    """A server outside."""
    package = Path(next(iter(public_loopback.__path__)))
    bench.workspace.env["PYTHONPATH"] = f"{package}:{ROOT}"
    bench.serve([20 * KB] * 3)
    return bench


def playlists(inside: str) -> dict[str, str]:
    """Playlists of the server outside that lead to the one inside, each in another way."""
    first = Entry("segment00000.ts")
    return {
        "segment": media_playlist([first, Entry(f"{inside}0.ts")]),
        "another spelling": media_playlist([first, Entry(f"{_spelt(inside)}0.ts")]),
        "login": media_playlist([first, Entry(inside.replace("//", "//a:b@") + "0.ts")]),
        "key": media_playlist([Entry("segment00000.ts", tags=[KeyTag("AES-128", f"{inside}key")])]),
        "map": media_playlist([Entry("segment00000.ts", tags=[MapTag(f"{inside}init.mp4")])]),
        "variant": multivariant_playlist([Variant(f"{inside}video.m3u8", 1000)]),
        "redirect": media_playlist([first, Entry("moved.ts")]),
        "rendition": multivariant_playlist(
            [Variant("video.m3u8", 1000, more='AUDIO="a"')],
            [f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="x",DEFAULT=YES,URI="{inside}video.m3u8"'],
        ),
    }


def _spelt(url: str) -> str:
    return url.replace("127.0.0.2", "0x7f.2")


WAYS = tuple(playlists(""))


@pytest.mark.parametrize("way", WAYS)
def test_playlist_that_leads_inside(way: str, public: Bench, private: Origin) -> None:
    """Refused, and nothing is sent to the server inside."""
    inside = private.url("/")
    public.origin.behave("/moved.ts", Redirect(f"{inside}0.ts"))
    public.serve_playlist(playlists(inside)[way], "/own.m3u8")

    run = public.fetch("--block-private")

    public.check_failed(run, 5 if way == "key" else 3)
    assert "--allow-private" in message(run)
    assert private.count() == 0


@pytest.mark.parametrize("option", [(), ("--allow-private",)], ids=["by default", "if asked"])
def test_allowed(option: tuple[str, ...], public: Bench, private: Origin) -> None:
    """A download is made by its user, who may have it."""
    private.serve({"/0.ts": public.stream.segments[0].read_bytes()})
    public.serve_playlist(media_playlist([Entry(private.url("/0.ts"))]), "/own.m3u8")

    run = public.fetch(*option)

    assert run.exit_code == 0, run.stderr
    assert private.count("/0.ts") == 1


def test_users_own_url_is_private(public: Bench, private: Origin) -> None:
    """What is asked for by its address may lead to its like, and to the world."""
    segments = [path.read_bytes() for path in public.stream.segments]
    private.serve({"/0.ts": segments[0]})
    private.serve(
        {"/own.m3u8": media_playlist([Entry("0.ts"), Entry(public.origin.url("/segment00001.ts"))])}
    )
    public.url = private.url("/own.m3u8")

    run = public.fetch("--block-private")

    assert run.exit_code == 0, run.stderr
    assert public.output.read_bytes() == segments[0] + segments[1]


def test_redirect_of_the_users_own_url(public: Bench, private: Origin) -> None:
    """A public URL stays one, wherever it redirects to."""
    public.origin.behave("/own.m3u8", Redirect(private.url("/video.m3u8")))
    public.url = public.origin.url("/own.m3u8")

    run = public.fetch("--block-private")

    public.check_failed(run, 3)
    assert private.count() == 0
