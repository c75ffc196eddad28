"""Requests that go through a proxy, and which ones do."""

import pytest

from pipeline.net.cookies import Cookies
from pipeline.net.failure import FetchFailure
from pipeline.net.requester import Requester
from pipeline.net.targets import target_of
from pipeline.options import HttpOptions
from tests.support.behaviours import Chunked
from tests.support.origin import Origin
from tests.support.proxy import Proxy

NOBODY = "http://127.0.0.1:9"


def requester(proxy: str | None = None) -> Requester:
    """A requester for a run with `--proxy`, or without."""
    return Requester(HttpOptions(proxy=proxy), 1, Cookies(None))


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment without a word of proxies."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("settings", "url", "through"),
    [
        ({"http_proxy": NOBODY}, "http://host/", True),
        ({"http_proxy": NOBODY}, "https://host/", False),
        ({"all_proxy": NOBODY}, "https://host/", True),
        ({"all_proxy": NOBODY, "no_proxy": "host"}, "http://host/", False),
        ({"all_proxy": NOBODY, "no_proxy": "10.0.0.0/8"}, "http://10.1.2.3/", False),
        ({"all_proxy": NOBODY, "no_proxy": "host"}, "http://other/", True),
        ({}, "http://host/", False),
    ],
)
def test_who_has_a_proxy(
    settings: dict[str, str], url: str, through: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the variables say, by scheme and by host."""
    for name, value in settings.items():
        monkeypatch.setenv(name, value)

    assert requester().goes_through_proxy(target_of(url)) is through


def test_an_option_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """`--proxy` is for every request."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, NOBODY)
    monkeypatch.setenv("no_proxy", "127.0.0.1")

    with Origin() as origin, Proxy() as proxy:
        origin.serve({"/a": b"right"})
        target = target_of(origin.url("/a"))
        asked = requester(proxy.url())

        assert asked.goes_through_proxy(target)
        answer = asked.send(target, {})
        assert answer.status == 200
        answer.release()
        assert proxy.connections == 1


@pytest.mark.parametrize("size", [b"zz", b"-1", b"0x5", b"0_5"], ids=repr)
def test_a_bad_chunk_through_a_proxy(size: bytes) -> None:
    """It is refused as it is on connections of our own, and the connection is not used again."""
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    with Origin() as origin, Proxy() as proxy:
        origin.serve({"/b": b"right"})
        origin.behave(
            "/a", lambda exchange: exchange.send(answer + size + b"\r\nwrong\r\n0\r\n\r\n")
        )
        asked = requester(proxy.url())
        bad = asked.send(target_of(origin.url("/a")), {})
        with pytest.raises(FetchFailure, match="chunked in no valid way"):
            bad.read_into(memoryview(bytearray(100)))
        bad.release()

        good = asked.send(target_of(origin.url("/b")), {})
        view = memoryview(bytearray(100))
        assert view[: good.read_into(view)] == b"right"
        good.release()


@pytest.mark.parametrize("step", [1, 3, 100])
def test_chunks_through_a_proxy(step: int) -> None:
    """The body comes whole, and the connection is used again."""
    with Origin() as origin, Proxy() as proxy:
        origin.serve({"/a": b"0123456789" * 20})
        origin.behave("/a", Chunked(size=7))
        asked = requester(proxy.url())
        for _ in range(3):
            answer = asked.send(target_of(origin.url("/a")), {})
            data, view = bytearray(), memoryview(bytearray(step))
            while size := answer.read_into(view):
                data += view[:size]
            answer.release()
            assert data == b"0123456789" * 20
        assert origin.count() == 3
        assert proxy.connections == 1
