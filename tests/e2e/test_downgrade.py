"""A playlist that came over https and leads to http."""

import ssl
from collections.abc import Iterator

import pytest

from tests.e2e.bench import KB, Bench, message
from tests.support.behaviours import Redirect, Right
from tests.support.exchange import Behaviour, Exchange
from tests.support.origin import Origin
from tests.support.playlists import (
    Entry,
    KeyTag,
    MapTag,
    Variant,
    media_playlist,
    multivariant_playlist,
)
from tests.support.runs import Run
from tests.support.streams import encrypt

pytestmark = pytest.mark.processes


@pytest.fixture
def secure(bench: Bench, tls_context: ssl.SSLContext) -> Iterator[Origin]:
    """An https origin; the stream itself is on the plain one."""
    bench.serve([20 * KB] * 4)
    with Origin(tls=tls_context) as found:
        found.serve({f"/{path.name}": path for path in bench.stream.segments})
        bench.url = found.url("/own.m3u8")
        yield found


def steps_down(run: Run) -> list[str]:
    """What the run has said of them."""
    warnings = [event["message"] for event in run.events if event["event"] == "warned"]
    return [text for text in warnings if "http:" in text]


def ways(plain: str) -> dict[str, str]:
    """Playlists with one step down, each another."""
    names = [f"segment{number:05d}.ts" for number in range(4)]
    clear = [Entry(name) for name in names]
    return {
        "segments": media_playlist([Entry(plain + name) for name in names]),
        "key": media_playlist([Entry(names[0], tags=[KeyTag("AES-128", f"{plain}key")]), *clear]),
        "map": media_playlist([Entry(names[0], tags=[MapTag(f"{plain}{names[0]}")]), *clear[1:]]),
        "variant": multivariant_playlist([Variant(f"{plain}video.m3u8", 1000)]),
    }


@pytest.mark.parametrize("way", ways(""))
def test_it_can_be_refused(way: str, bench: Bench, secure: Origin) -> None:
    """`--strict-tls` ends the run before anything is asked of the plain host."""
    secure.serve({"/own.m3u8": ways(bench.origin.url("/"))[way]})

    run = bench.fetch("--no-verify", "--strict-tls")

    bench.check_failed(run, 4)
    assert "--strict-tls refuses" in message(run)
    assert bench.origin.url("/") in message(run)
    assert bench.origin.connections == 0


@pytest.mark.parametrize("way", ["segments", "variant"])
def test_it_is_said_once(way: str, bench: Bench, secure: Origin) -> None:
    """By default there is a warning, and the download."""
    secure.serve({"/own.m3u8": ways(bench.origin.url("/"))[way]})

    run = bench.fetch("--no-verify")

    bench.check_right(run)
    assert len(steps_down(run)) == 1


@pytest.mark.parametrize("step", ["/own.m3u8", "/key", "/segment00002.ts", "/segment0000*"])
def test_redirects(step: str, bench: Bench, secure: Origin) -> None:
    """A step down that only the server makes is said once, or refused where it is met."""
    key, iv = bytes(range(16)), bytes(16)
    segments = [b"".join(encrypt([path.read_bytes()], key, iv)) for path in bench.stream.segments]
    names = [f"/segment{number:05d}.ts" for number in range(4)]
    entries = [Entry(name[1:], tags=[KeyTag("AES-128", "key", iv)]) for name in names]
    for origin in (secure, bench.origin):
        origin.serve({"/own.m3u8": media_playlist(entries), "/key": key})
        origin.serve(dict(zip(names, segments, strict=True)))
    secure.behave(step, _moved_to(bench.origin))

    allowed = bench.fetch("--no-verify")
    refused = bench.fetch("--no-verify", "--strict-tls", "--force")

    bench.check_right(allowed)
    assert len(steps_down(allowed)) == 1
    assert refused.exit_code == (5 if "key" in step else 3)
    assert "--strict-tls refuses" in message(refused)


def _moved_to(origin: Origin) -> Behaviour:
    def redirect(exchange: Exchange) -> None:
        Redirect(origin.url(exchange.request.path))(exchange)

    return redirect


@pytest.mark.parametrize("by", ["playlist", "redirect"])
def test_headers_and_cookies_never_step_down(by: str, bench: Bench, secure: Origin) -> None:
    """What was given for the https origin is not told in the clear, on the same host as little."""
    secure.serve({"/own.m3u8": ways(bench.origin.url("/") if by == "playlist" else "")["segments"]})
    secure.behave("/own.m3u8", Right(headers={"Set-Cookie": "session=hush-hush; Path=/; Secure"}))
    if by == "redirect":
        secure.behave("/segment*", _moved_to(bench.origin))

    run = bench.fetch(
        "--no-verify", "-H", "X-Api-Key: hush-hush", "-H", "Referer: https://hush-hush/"
    )

    bench.check_right(run)
    assert bench.origin.count("/segment*") == 4
    assert "hush-hush" in str(secure.requests[0].headers)
    assert "hush-hush" not in str([request.headers for request in bench.origin.requests])


def test_a_key_from_where_the_user_wants_it(bench: Bench, secure: Origin) -> None:
    """`--key-url` is the user's own choice, and no step down of the playlist."""
    key = bytes(range(16))
    segment = b"".join(encrypt([bench.stream.segments[0].read_bytes()], key, bytes(16)))
    entry = Entry("0.ts", tags=[KeyTag("AES-128", "elsewhere")])
    secure.serve({"/own.m3u8": media_playlist([entry]), "/0.ts": segment})
    bench.origin.serve({"/key": key})

    run = bench.fetch("--no-verify", "--strict-tls", "--key-url", bench.origin.url("/key"))

    assert run.exit_code == 0, run.stderr
    assert bench.output.read_bytes() == bench.stream.segments[0].read_bytes()


def test_no_step_down(bench: Bench, secure: Origin) -> None:
    """From https to https, and from http to http, there is nothing to say."""
    secure.serve({"/own.m3u8": ways("")["segments"]})

    bench.check_right(bench.fetch("--no-verify", "--strict-tls"))
