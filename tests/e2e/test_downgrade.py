"""A playlist that came over https and leads to http."""

import ssl
from collections.abc import Iterator

import pytest

from tests.e2e.bench import KB, Bench, message
from tests.support.behaviours import Redirect
from tests.support.origin import Origin
from tests.support.playlists import Entry, KeyTag, Variant, media_playlist, multivariant_playlist

pytestmark = pytest.mark.processes


@pytest.fixture
def secure(bench: Bench, tls_context: ssl.SSLContext) -> Iterator[Origin]:
    """An https origin; the stream itself is on the plain one."""
    bench.serve([20 * KB] * 4)
    with Origin(tls=tls_context) as found:
        found.serve({f"/{path.name}": path for path in bench.stream.segments})
        bench.url = found.url("/own.m3u8")
        yield found


def ways(plain: str) -> dict[str, str]:
    """Playlists with one step down, each another."""
    names = [f"segment{number:05d}.ts" for number in range(4)]
    clear = [Entry(name) for name in names]
    return {
        "segments": media_playlist([Entry(plain + name) for name in names]),
        "key": media_playlist([Entry(names[0], tags=[KeyTag("AES-128", f"{plain}key")]), *clear]),
        "variant": multivariant_playlist([Variant(f"{plain}video.m3u8", 1000)]),
    }


@pytest.mark.parametrize("way", ways(""))
def test_it_can_be_refused(way: str, bench: Bench, secure: Origin) -> None:
    """`--strict-tls` ends the run before anything is asked of the plain host."""
    secure.serve({"/own.m3u8": ways(bench.origin.url("/"))[way]})

    run = bench.fetch("--no-verify", "--strict-tls")

    bench.check_failed(run, 4)
    assert "--strict-tls refuses" in message(run)
    assert bench.origin.count() == 0


@pytest.mark.parametrize("way", ["segments", "variant"])
def test_it_is_said_once(way: str, bench: Bench, secure: Origin) -> None:
    """By default there is a warning, and the download."""
    secure.serve({"/own.m3u8": ways(bench.origin.url("/"))[way]})

    run = bench.fetch("--no-verify")

    bench.check_right(run)
    warnings = [event["message"] for event in run.events if event["event"] == "warned"]
    assert len([text for text in warnings if "leads to http" in text]) == 1


def test_redirect(bench: Bench, secure: Origin) -> None:
    """A step down that only the server makes is refused where it is met."""
    secure.serve({"/own.m3u8": ways("")["segments"]})
    secure.behave("/segment00002.ts", Redirect(bench.origin.url("/segment00002.ts")))

    bench.check_right(bench.fetch("--no-verify", "--force"))
    bench.output.unlink()
    run = bench.fetch("--no-verify", "--strict-tls")

    bench.check_failed(run, 3)
    assert "--strict-tls refuses" in message(run)


def test_no_step_down(bench: Bench, secure: Origin) -> None:
    """From https to https, and from http to http, there is nothing to say."""
    secure.serve({"/own.m3u8": ways("")["segments"]})

    bench.check_right(bench.fetch("--no-verify", "--strict-tls"))
