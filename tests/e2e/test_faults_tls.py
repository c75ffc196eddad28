"""F18: servers whose TLS cannot be trusted, or breaks. No retry storm, and never clear text."""

import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.bench import KB, Bench, message
from tests.support.behaviours import Cut, Reset, first
from tests.support.certificates import make_certificate, server_context
from tests.support.exchange import Behaviour, HungUp
from tests.support.origin import Origin
from tests.support.runs import Workspace
from tests.support.streams import Aes

pytestmark = pytest.mark.processes

BRIEF = ("--retries", "2", "--retry-sleep", "0.01")

Serve = Callable[[Origin], Bench]

#: What is special about a certificate, and what is said of it.
DISTRUSTED = {
    "expired": ([], {"age": 10, "days": 2}, "expired"),
    "not valid yet": ([], {"age": -5}, "not yet valid"),
    "another host": (["elsewhere.example"], {}, "not valid for '127.0.0.1'"),
}


def outdated(certificate: Path) -> ssl.SSLContext:
    """A server that speaks TLS 1.1 and nothing newer."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.load_cert_chain(certificate)
    return context


class Reluctant(Origin):
    """Breaks so many connections in the middle of the handshake."""

    def __init__(self, tls: ssl.SSLContext, breaks: int) -> None:
        self.breaks = breaks
        super().__init__(tls=tls)

    def _secure(self, plain: socket.socket) -> socket.socket:
        if self.breaks:
            self.breaks -= 1
            plain.recv(65536)
            plain.close()
            raise HungUp
        return super()._secure(plain)


@pytest.fixture
def serve(workspace: Workspace, stream_dir: Path, certificate: Path) -> Iterator[Serve]:
    """Serves an encrypted stream at an origin whose certificates are trusted, `certificate`'s."""
    workspace.env["REQUESTS_CA_BUNDLE"] = str(certificate)
    benches = []

    def serving(origin: Origin) -> Bench:
        bench = Bench(origin, workspace, stream_dir)
        benches.append(bench)
        bench.serve([50 * KB] * 6, aes=Aes())
        return bench

    yield serving
    for bench in benches:
        bench.close()


class TestDistrust:
    """Who cannot show who it is gets no request."""

    @pytest.mark.parametrize(("hosts", "span", "reason"), DISTRUSTED.values(), ids=DISTRUSTED)
    def test_a_certificate(
        self, hosts: list[str], span: dict[str, int], reason: str, serve: Serve, tmp_path: Path
    ) -> None:
        """One handshake, exit 3, and the reason; not one request is made."""
        path = tmp_path / "certificate.pem"
        make_certificate(path, *hosts, **span)
        with Origin(tls=server_context(path)) as origin:
            bench = serve(origin)
            bench.workspace.env["REQUESTS_CA_BUNDLE"] = str(path)

            run = bench.fetch(*BRIEF)

            bench.check_failed(run, 3)
            assert reason in message(run)
            assert (origin.connections, origin.count()) == (1, 0)

    def test_an_authority_that_nobody_knows(self, serve: Serve, tls_context: object) -> None:
        """A certificate that its owner has signed is good for those only who were told of it."""
        with Origin(tls=tls_context) as origin:
            bench = serve(origin)
            bench.workspace.env["REQUESTS_CA_BUNDLE"] = ""

            run = bench.fetch(*BRIEF)

            bench.check_failed(run, 3)
            assert "self-signed" in message(run)
            assert (origin.connections, origin.count()) == (1, 0)

    @pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
    def test_a_protocol_of_long_ago(self, serve: Serve, certificate: Path) -> None:
        """TLS 1.1 is refused."""
        with Origin(tls=outdated(certificate)) as origin:
            bench = serve(origin)

            run = bench.fetch(*BRIEF)

            bench.check_failed(run, 3)
            assert "TLS" in message(run)
            assert (origin.connections, origin.count()) == (1, 0)

    def test_segments_only(self, bench: Bench, other_origin: Origin, tls_context: object) -> None:
        """A playlist may name segments at such a server: they are not tried again either."""
        stream = bench.serve([50 * KB] * 6)
        with Origin(tls=tls_context) as origin:
            text = stream.playlist_path.read_text()
            bench.serve_playlist(text.replace("segment", origin.url("/segment")))

            run = bench.fetch(*BRIEF)

            bench.check_failed(run, 3)
            assert "Segment " in message(run)
            assert origin.count() == 0
            assert origin.connections <= 6

    @pytest.mark.parametrize("bundle", ["", "certificate"], ids=["no bundle", "a bundle"])
    def test_trust_on_request(
        self, bundle: str, serve: Serve, certificate: Path, tmp_path: Path
    ) -> None:
        """With `--no-verify` any certificate will do, whatever the environment says."""
        expired = make_certificate(tmp_path / "certificate.pem", age=10, days=2)
        with Origin(tls=server_context(expired)) as origin:
            bench = serve(origin)
            bench.workspace.env["REQUESTS_CA_BUNDLE"] = str(certificate) if bundle else ""

            bench.check_right(bench.fetch("--no-verify"))


class TestBreaks:
    """TLS that is sound, and a connection that is not: another try may mend it."""

    def test_in_the_handshake(self, serve: Serve, tls_context: ssl.SSLContext) -> None:
        """A server that hangs up before TLS has come about is asked again."""
        with Reluctant(tls_context, breaks=2) as origin:
            bench = serve(origin)

            run = bench.fetch(*BRIEF)

            bench.check_right(run)
            assert run.receipt["retries"] == 2

    @pytest.mark.parametrize("behaviour", [Cut(), Cut(20 * KB), Reset(20 * KB)], ids=str)
    def test_in_an_answer(
        self, behaviour: Behaviour, serve: Serve, tls_context: ssl.SSLContext
    ) -> None:
        """What ends without TLS's own goodbye is not whole."""
        with Origin(tls=tls_context) as origin:
            bench = serve(origin)
            origin.behave("/segment00002.ts", first(2, behaviour))

            run = bench.fetch(*BRIEF)

            bench.check_right(run)
            assert origin.count("/segment00002.ts") == 3
