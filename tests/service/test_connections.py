"""Clients that dawdle, and clients that are many."""

import socket
import time
from contextlib import ExitStack

import h11
import pytest

from tests.service.harness import TOKEN, URL, Harness, lines, until

AUTHORIZED = f"Host: localhost\r\nAuthorization: Bearer {TOKEN}\r\n"
HEAD = f"GET /healthz HTTP/1.1\r\n{AUTHORIZED}"
POST = (
    f"POST /api/v1/jobs HTTP/1.1\r\n{AUTHORIZED}"
    "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
)
EVENTS = f"GET /events HTTP/1.1\r\n{AUTHORIZED}\r\n"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deadlines that a test can wait for."""
    seconds = {h11.IDLE: 0.3, h11.SEND_BODY: 0.3}
    monkeypatch.setattr("pipeline.service.connections._SECONDS", seconds)
    monkeypatch.setattr("pipeline.service.connections._STALL_SECONDS", 0.3)


def drip(client: socket.socket, data: bytes) -> int:
    """Send a byte every 50 ms until the other side has had enough; how many it took."""
    for sent, byte in enumerate(data):
        try:
            client.sendall(bytes([byte]))
        except OSError:
            return sent
        time.sleep(0.05)
    return len(data)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("tcp", [True, False], ids=["tcp", "unix"])
@pytest.mark.parametrize(
    ("at_once", "slowly"),
    [("", HEAD), (HEAD, "X-A: " + "b" * 100), (POST, "{" * 100), (HEAD + "\r\n", HEAD)],
    ids=["head", "header", "body", "second request"],
)
def test_a_request_in_drops_is_given_up(
    daemon: Harness, at_once: str, slowly: str, tcp: bool
) -> None:
    """However small the drops, the deadline counts from the first; the daemon serves on."""
    with daemon.connect(tcp=tcp) as client:
        client.sendall(at_once.encode())

        assert drip(client, slowly.encode()) < len(slowly)
    assert daemon.ask("GET", "/healthz", tcp=tcp).status == 200


@pytest.mark.usefixtures("impatient")
def test_a_connection_without_a_request_is_ended(daemon: Harness) -> None:
    """It would keep a descriptor."""
    with daemon.connect(tcp=True) as client:
        assert client.recv(1) == b""


@pytest.mark.usefixtures("impatient")
def test_an_answer_that_nobody_takes_is_given_up(daemon: Harness) -> None:
    """A client that asks and does not read."""
    jobs = [{"url": URL, "audio": "x" * 500} for _ in range(400)]
    daemon.ask("POST", "/api/v1/jobs", {"jobs": jobs})
    request = f"GET /api/v1/jobs?limit=1000 HTTP/1.1\r\n{AUTHORIZED}\r\n".encode()
    with daemon.connect(tcp=True) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.sendall(request * 50)

        until(lambda: not daemon.in_loop(lambda: daemon.connections(tcp=True)))


def test_a_request_in_pieces_is_fine(daemon: Harness) -> None:
    """Slowness alone is no offence."""
    with daemon.connect() as client:
        for piece in (HEAD[:10], HEAD[10:40], HEAD[40:] + "\r\n"):
            client.sendall(piece.encode())
            time.sleep(0.02)

        assert next(lines(client)) == "HTTP/1.1 200 OK"


@pytest.mark.parametrize(
    "junk",
    [b"\0" * 100, b"GET / HTTP/x\r\n\r\n", b"GET /" + b"x" * 20_000, b"\x16\x03\x01\x02\x00"],
    ids=["zeros", "version", "endless", "TLS"],
)
def test_what_is_not_http_is_refused(daemon: Harness, junk: bytes) -> None:
    """With 400; the daemon serves on."""
    with daemon.connect() as client:
        client.sendall(junk + b"\r\n\r\n")

        assert next(lines(client)).startswith("HTTP/1.1 400")
    assert daemon.ask("GET", "/healthz").status == 200


def test_a_large_body_is_refused_and_not_kept(daemon: Harness) -> None:
    """100 MB that nobody asked for: 413, whether announced or not."""
    length = 100 << 20
    request = POST.replace("Content-Length: 1000", f"Content-Length: {length}")
    with daemon.connect(tcp=True) as client:
        client.sendall(request.encode())
        for _ in range(100):
            client.sendall(bytes(1 << 20))
        assert next(lines(client)).startswith("HTTP/1.1 413")

    chunked = POST.replace("Content-Length: 1000", "Transfer-Encoding: chunked")
    with daemon.connect(tcp=True) as client:
        client.sendall(chunked.encode())
        for _ in range(100):
            client.sendall(b"10000\r\n" + bytes(1 << 16) + b"\r\n")
        client.sendall(b"0\r\n\r\n")
        assert next(lines(client)).startswith("HTTP/1.1 413")


def test_many_listeners_keep_nobody_away(daemon: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those beyond the limit are told so, and may come back."""
    monkeypatch.setattr("pipeline.service.hub.MOST_CLIENTS", 50)
    with ExitStack() as stack:
        clients = [stack.enter_context(daemon.connect(tcp=True)) for _ in range(60)]
        for client in clients:
            client.sendall(EVENTS.encode())
        statuses = [next(lines(client)) for client in clients]

        assert statuses.count("HTTP/1.1 200 OK") == 50
        assert statuses.count("HTTP/1.1 503 Service Unavailable") == 10
        assert daemon.submit() == 1
    until(lambda: daemon.hub.clients == 0)


def test_more_connections_than_there_may_be_are_cut(
    daemon: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over TCP; the unix socket has connections of its own."""
    monkeypatch.setattr("pipeline.service.connections.MOST_CONNECTIONS", 20)
    with ExitStack() as stack:
        clients = [stack.enter_context(daemon.connect(tcp=True)) for _ in range(30)]
        cut = [client.recv(1) for client in clients[20:]]

        assert cut == [b""] * 10
        assert daemon.ask("GET", "/healthz").status == 200
        assert daemon.connections(tcp=True) == 20
