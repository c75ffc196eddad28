"""Where a stranger's playlist may not lead: private addresses, under `--block-private`.

In these runs 127.0.0.1 counts as public, and 127.0.0.2 is what it is; both have names
(`tests.support.public_loopback`).
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
from tests.support.proxy import Proxy

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
        **{how: media_playlist([first, Entry(url)]) for how, url in spellings(inside).items()},
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


def spellings(inside: str) -> dict[str, str]:
    """A segment of the server inside, by whatever leads there."""
    hosts = {
        "one number": "2130706434",
        "hexadecimal": "0x7f.2",
        "octal": "0177.0.0.02",
        "IPv6": "[::ffff:127.0.0.2]",
        "circled digits": "\u2460\u2461\u2466.\u24ea.\u24ea.\u2461",
        "a name": "inside.test",
    }
    return {how: f"{inside.replace('127.0.0.2', host)}0.ts" for how, host in hosts.items()}


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
    assert private.connections == 0


def test_who_listens_inside_is_not_told(public: Bench, private: Origin) -> None:
    """A port at which nobody answers gives the same sentence as one at which somebody does."""
    segments = [private.url("/0.ts"), "http://127.0.0.2:9/0.ts"]
    said = []
    for segment in segments:
        public.serve_playlist(media_playlist([Entry(segment)]), "/own.m3u8")
        said.append(message(public.fetch("--block-private")).replace(segment, "it"))

    assert said[0] == said[1]


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
    assert private.connections == 0


def test_name_that_changes_its_address(public: Bench, private: Origin) -> None:
    """What is connected to is what was judged: a second answer of the DNS gains nothing."""
    segment = private.url("/0.ts").replace("127.0.0.2", "changing.test")
    public.serve_playlist(media_playlist([Entry(segment)]), "/own.m3u8")
    public.url = public.origin.url("/own.m3u8").replace("127.0.0.1", "changing.test")

    run = public.fetch("--block-private", "--processes", "1")

    public.check_failed(run, 3)
    assert "--allow-private" in message(run)
    assert private.connections == 0


class TestProxies:
    """What goes through a proxy, and what a setting of proxies leaves alone."""

    @pytest.mark.parametrize("way", ["segment", "octal", "circled digits", "redirect", "map"])
    def test_addresses_are_not_asked_of_a_proxy(
        self, way: str, public: Bench, private: Origin
    ) -> None:
        """However they are spelt: they would be the proxy's own network."""
        inside = private.url("/")
        public.origin.behave("/moved.ts", Redirect(f"{inside}0.ts"))
        public.serve_playlist(playlists(inside)[way], "/own.m3u8")

        with Proxy() as proxy:
            run = public.fetch("--block-private", "--proxy", proxy.url())

        public.check_failed(run, 3)
        assert "--allow-private" in message(run)
        assert private.connections == 0

    def test_names_are_the_proxys_business(self, public: Bench, private: Origin) -> None:
        """It resolves them, and it knows where it is."""
        public.serve_playlist(media_playlist([Entry("segment00000.ts")]), "/own.m3u8")
        public.url = public.origin.url("/own.m3u8").replace("127.0.0.1", "outside.test")

        with Proxy(hosts={"outside.test": "127.0.0.1"}) as proxy:
            run = public.fetch("--block-private", "--proxy", proxy.url())

        assert run.exit_code == 0, run.stderr
        assert proxy.connections > 0

    @pytest.mark.parametrize(
        "settings",
        [{"https_proxy": "http://127.0.0.1:9"}, {"all_proxy": "http://127.0.0.1:9"}],
        ids=["a proxy for https", "a host without one"],
    )
    def test_requests_without_one_are_judged(
        self, settings: dict[str, str], public: Bench, private: Origin
    ) -> None:
        """Variables may name a proxy for others only: this request is made by ourselves."""
        public.workspace.env |= {**settings, "no_proxy": "127.0.0.1,inside.test"}
        segment = private.url("/0.ts").replace("127.0.0.2", "inside.test")
        public.serve_playlist(media_playlist([Entry(segment)]), "/own.m3u8")

        run = public.fetch("--block-private")

        public.check_failed(run, 3)
        assert "--allow-private" in message(run)
        assert private.connections == 0


def test_reading_a_playlist_only(public: Bench, private: Origin) -> None:
    """`inspect` follows redirects no further than `fetch` does."""
    public.origin.behave("/own.m3u8", Redirect(private.url("/video.m3u8")))
    url = public.origin.url("/own.m3u8")

    run = public.workspace.run("inspect", "--block-private", url)

    assert run.exit_code == 3
    assert "--allow-private" in run.stderr
    assert private.connections == 0
    assert public.workspace.run("inspect", url).exit_code == 0
