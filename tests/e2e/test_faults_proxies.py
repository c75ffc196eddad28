"""F21: proxies that refuse, or end in the middle; and what they are told is told to nobody."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.bench import Bench, message
from tests.support.behaviours import Drip
from tests.support.exchange import Behaviour
from tests.support.framing import Raw
from tests.support.origin import Origin
from tests.support.proxy import Break, Proxy
from tests.support.runs import Run, Workspace
from tests.support.streams import Aes

pytestmark = pytest.mark.processes

BRIEF = ("--retries", "2", "--retry-sleep", "0.01")
USERINFO = "user:hush-hush"
SIZE = 800 * 188


@pytest.fixture(params=["http", "https"])
def served(
    request: pytest.FixtureRequest, workspace: Workspace, stream_dir: Path, certificate: Path
) -> Iterator[Bench]:
    """An encrypted stream of 1.2 MB behind http, and behind https, where a proxy makes a tunnel."""
    context = request.getfixturevalue("tls_context") if request.param == "https" else None
    workspace.env["REQUESTS_CA_BUNDLE"] = str(certificate)
    with Origin(tls=context) as origin:
        bench = Bench(origin, workspace, stream_dir)
        bench.serve([SIZE] * 8, aes=Aes())
        yield bench
        bench.close()


def fetch(bench: Bench, proxy: Proxy, *more: str) -> Run:
    """Fetch through the proxy, as verbosely as can be; nothing of the credentials is shown."""
    run = bench.fetch(*BRIEF, "-v", "--proxy", proxy.url(USERINFO), *more)

    assert "hush" not in run.stdout + run.stderr
    return run


def test_everything_goes_through_it(served: Bench) -> None:
    """Playlist, key and segments; and the proxy is told who asks."""
    with Proxy(credentials=USERINFO) as proxy:
        run = fetch(served, proxy)

        served.check_right(run)
        assert proxy.connections == served.origin.connections > 0


def test_from_the_environment(served: Bench) -> None:
    """`http_proxy` and `https_proxy` are followed."""
    with Proxy(credentials=USERINFO) as proxy:
        for name in ("http_proxy", "https_proxy"):
            served.workspace.env[name] = proxy.url(USERINFO)

        run = served.fetch(*BRIEF, "-v")

        served.check_right(run)
        assert proxy.connections > 0
        assert "hush" not in run.stdout + run.stderr


@pytest.mark.parametrize("after", [0, 3 * SIZE], ids=["at once", "in the middle"])
def test_it_breaks_for_a_moment(after: int, served: Bench) -> None:
    """What was under way is asked for again, and the bytes are right."""
    with Proxy(end=Break(after)) as proxy:
        run = fetch(served, proxy)

        served.check_right(run)
        assert run.receipt["retries"] >= 1


@pytest.mark.parametrize("after", [0, 3 * SIZE], ids=["at once", "in the middle"])
def test_it_ends_for_good(after: int, served: Bench) -> None:
    """After the tries the run ends with exit 3 and says that it is the proxy."""
    with Proxy(end=Break(after, for_good=True)) as proxy:
        run = fetch(served, proxy)

        served.check_failed(run, 3)
        assert "the proxy" in message(run)
        assert "after 3 tries" in message(run)


@pytest.mark.parametrize(
    "behaviour",
    [
        Raw(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"a", 0.02),
        Raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0", 0.02),
        Raw(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.02),
        Drip(0.02),
    ],
    ids=["header", "chunk size", "interim answers", "body"],
)
def test_a_drip_behind_it(behaviour: Behaviour, served: Bench) -> None:
    """F8 holds for what comes through a proxy, too."""
    served.origin.behave("/segment00004.ts", behaviour)
    with Proxy() as proxy:
        run = fetch(served, proxy, "--retries", "1", "--timeout", "0.3")

        served.check_failed(run, 3)
        assert served.origin.count("/segment00004.ts") == 2


@pytest.mark.parametrize("status", [403, 407, 502])
def test_it_refuses(status: int, served: Bench) -> None:
    """Its status is told, and nothing is asked of the origin past it."""
    with Proxy(refusal=status) as proxy:
        run = fetch(served, proxy)

        served.check_failed(run, 3)
        assert str(status) in message(run)
        assert served.origin.connections == 0


@pytest.mark.parametrize(
    "url",
    [f"socks5://{USERINFO}@127.0.0.1:1", f"nonsense://{USERINFO}@x", f"http://{USERINFO}@:x"],
    ids=["SOCKS", "nonsense", "no port"],
)
@pytest.mark.parametrize("how", ["option", "environment"])
def test_what_is_no_proxy(url: str, how: str, bench: Bench) -> None:
    """It is said that the proxy is meant, and nothing of its URL is shown."""
    bench.serve([SIZE])
    if how == "environment":
        bench.workspace.env["http_proxy"] = url

    run = bench.fetch(*BRIEF, "-v", *(["--proxy", url] if how == "option" else []))

    assert run.exit_code in {2, 3}
    assert "proxy" in run.stderr.lower()
    assert "hush" not in run.stdout + run.stderr
    assert bench.origin.connections == 0
