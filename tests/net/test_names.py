"""Names to addresses, and a resolver that does not answer."""

import socket
import threading
import time

import pytest

from pipeline.net.names import resolve
from tests.support.tripwire import Tripwire


@pytest.mark.parametrize(
    ("host", "address"),
    [("127.0.0.1", "127.0.0.1"), ("::1", "::1"), ("0x7f.1", "127.0.0.1"), ("localhost", None)],
)
def test_what_the_system_says(host: str, address: str | None) -> None:
    """Addresses, however they are spelt, and names."""
    found = [entry[4][0] for entry in resolve(host, 80, 10.0)]

    assert found == [address] if address else set(found) <= {"127.0.0.1", "::1"}


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a..b", "x" * 300])
def test_name_of_nobody(host: str) -> None:
    """One kind of error, which says so."""
    with pytest.raises(socket.gaierror):
        resolve(host, 80, 10.0)


def test_resolver_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not waited for longer than was said, and what it says later goes nowhere."""
    gate = threading.Event()
    real = socket.getaddrinfo

    def hanging(host: str, *arguments: object, flags: int = 0, **named: object) -> object:
        if not flags & socket.AI_NUMERICHOST:
            gate.wait(20)
            return []
        return real(host, *arguments, flags=flags, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", hanging)
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        resolve("host", 80, 0.1)

    assert time.monotonic() - started < 10
    gate.set()


def test_no_thread_for_it() -> None:
    """A machine that gives no more threads is an error of the connection, and no bug."""
    refusal = pytest.raises(OSError, match="no thread is left")
    with Tripwire("thread", 1, "EAGAIN").set_up(), refusal:
        resolve("localhost", 80, 1.0)
