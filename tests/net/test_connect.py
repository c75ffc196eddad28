"""Which address a connection is made to, and how long that may take."""

import socket
from collections.abc import Iterator

import pytest

from pipeline.net import connect
from pipeline.net.connect import open_socket
from pipeline.net.failure import FetchFailure, broken


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


Address = tuple[str, int]


def resolving(
    monkeypatch: pytest.MonkeyPatch, *addresses: Address, family: int = socket.AF_INET
) -> None:
    """Every name stands for these addresses; the first of them is of this `family`."""
    families = [family, *[socket.AF_INET] * (len(addresses) - 1)]
    found = [
        (kind, socket.SOCK_STREAM, 6, "", address)
        for kind, address in zip(families, addresses, strict=True)
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)


def unused() -> Address:
    """An address at which connections are refused."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()


@pytest.mark.parametrize("silent", [1, 3])
def test_a_silent_address_is_not_waited_for(
    silent: int, monkeypatch: pytest.MonkeyPatch, hole: socket.socket, listener: socket.socket
) -> None:
    """The one behind it is reached (an IPv6 that leads nowhere, before an IPv4 that works)."""
    resolving(monkeypatch, *[hole.getsockname()] * silent, listener.getsockname())

    with open_socket("host", 80, 20.0, str) as sock:
        assert sock.getpeername() == listener.getsockname()
        assert sock.getblocking()


def test_a_refusal_leads_to_the_next_address_at_once(
    monkeypatch: pytest.MonkeyPatch, listener: socket.socket
) -> None:
    """Nobody has a head start who has lost already."""
    monkeypatch.setattr(connect, "_HEAD_START", 1000.0)
    resolving(monkeypatch, unused(), unused(), listener.getsockname())

    with open_socket("host", 80, 20.0, str) as sock:
        assert sock.getpeername() == listener.getsockname()


def test_a_refusal_beside_a_silent_address(
    monkeypatch: pytest.MonkeyPatch, hole: socket.socket, listener: socket.socket
) -> None:
    """What fails later does not keep others from being tried."""
    resolving(monkeypatch, hole.getsockname(), unused(), listener.getsockname())

    with open_socket("host", 80, 20.0, str) as sock:
        assert sock.getpeername() == listener.getsockname()


def test_an_address_of_an_unknown_kind(
    monkeypatch: pytest.MonkeyPatch, listener: socket.socket
) -> None:
    """A system without IPv6 may still be told of such addresses."""
    resolving(monkeypatch, ("::1", 80), listener.getsockname(), family=9999)

    with open_socket("host", 80, 20.0, str) as sock:
        assert sock.getpeername() == listener.getsockname()


def test_the_first_address_is_preferred(
    monkeypatch: pytest.MonkeyPatch, listener: socket.socket
) -> None:
    """Where it answers, no other is asked."""
    monkeypatch.setattr(connect, "_HEAD_START", 1000.0)
    with socket.create_server(("127.0.0.1", 0)) as other:
        resolving(monkeypatch, listener.getsockname(), other.getsockname())

        with open_socket("host", 80, 20.0, str) as sock:
            assert sock.getpeername() == listener.getsockname()
        other.setblocking(False)
        with pytest.raises(BlockingIOError):
            other.accept()


def test_nobody_answers(monkeypatch: pytest.MonkeyPatch, hole: socket.socket) -> None:
    """After the time that was allowed for all addresses together it is over."""
    resolving(monkeypatch, hole.getsockname(), hole.getsockname())

    with pytest.raises(TimeoutError):
        open_socket("host", 80, 0.1, str)


def test_everybody_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last refusal is the one that is told."""
    resolving(monkeypatch, unused(), unused())

    with pytest.raises(ConnectionRefusedError):
        open_socket("host", 80, 20.0, str)


def examine(address: str) -> None:
    """Nobody may go to 127.0.0.2."""
    if address == "127.0.0.2":
        raise broken("not there")


def test_addresses_that_must_not_be_connected_to(
    monkeypatch: pytest.MonkeyPatch, listener: socket.socket
) -> None:
    """They are left out, and no packet is sent to them."""
    with socket.create_server(("127.0.0.2", 0)) as forbidden:
        resolving(monkeypatch, forbidden.getsockname(), listener.getsockname())

        with open_socket("host", 80, 20.0, examine) as sock:
            assert sock.getpeername() == listener.getsockname()
        forbidden.setblocking(False)
        with pytest.raises(BlockingIOError):
            forbidden.accept()


def test_no_address_may_be_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is said of the last one is why there is no connection, whoever listens there."""
    resolving(monkeypatch, ("127.0.0.2", 1), ("127.0.0.2", 2))

    with pytest.raises(FetchFailure, match="not there"):
        open_socket("host", 80, 20.0, examine)


@pytest.mark.parametrize("name", ["a..b", ".b", "a" * 64 + ".b"])
def test_names_that_no_host_can_have(name: str) -> None:
    """They have no address, as names that nobody has."""
    with pytest.raises(socket.gaierror):
        open_socket(name, 80, 20.0, str)


def test_the_round_trip_is_the_kernels(listener: socket.socket) -> None:
    """On loopback it is no time at all, however busy this process is."""
    with open_socket(*listener.getsockname(), 20.0, str) as sock:
        assert 0 < connect._round_trip(sock) < 0.005


def test_where_the_kernel_does_not_say(
    monkeypatch: pytest.MonkeyPatch, listener: socket.socket
) -> None:
    """Then every server counts as near."""
    with open_socket(*listener.getsockname(), 20.0, str) as sock:
        monkeypatch.setattr(connect, "_TCP_INFO_BYTES", 4096)  # it says less than that
        assert connect._round_trip(sock) == 0.0
        monkeypatch.setattr(socket, "TCP_INFO", 9999)
        assert connect._round_trip(sock) == 0.0
        monkeypatch.delattr(socket, "TCP_INFO")
        assert connect._round_trip(sock) == 0.0
