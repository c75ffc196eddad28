"""Which address a connection is made to, and how long that may take."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from pipeline.net import connect
from pipeline.net.connect import open_socket


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Somebody who answers."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        yield found


@pytest.fixture
def hole() -> Iterator[socket.socket]:
    """An address at which nobody answers: its queue of connections is full."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        found.listen(0)
        fillers = []
        for _ in range(8):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(found.getsockname())
            fillers.append(filler)
        yield found
        for filler in fillers:
            filler.close()


def resolving(monkeypatch: pytest.MonkeyPatch, *listeners: socket.socket) -> None:
    """Every name stands for the addresses of `listeners`, in this order."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", one.getsockname()) for one in listeners]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)


def test_silent_address_does_not_use_up_the_time(
    monkeypatch: pytest.MonkeyPatch, hole: socket.socket, listener: socket.socket
) -> None:
    """The one behind it is reached (an IPv6 that leads nowhere, before an IPv4 that works)."""
    monkeypatch.setattr(connect, "_PATIENCE", 0.2)
    resolving(monkeypatch, hole, listener)

    with open_socket("host", 80, 20.0) as sock:
        assert sock.getpeername() == listener.getsockname()


def test_refusal_leads_to_the_next_address(
    monkeypatch: pytest.MonkeyPatch, listener: socket.socket
) -> None:
    """As does every other error."""
    closed: Any = type("Closed", (), {"getsockname": lambda _: gone_address})()
    gone_address = ("127.0.0.1", _unused_port())
    resolving(monkeypatch, closed, listener)

    with open_socket("host", 80, 20.0) as sock:
        assert sock.getpeername() == listener.getsockname()


def _unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def test_nobody_answers(monkeypatch: pytest.MonkeyPatch, hole: socket.socket) -> None:
    """The last failure is the one that is told, after the time that was allowed."""
    resolving(monkeypatch, hole)

    with pytest.raises(TimeoutError):
        open_socket("host", 80, 0.1)
