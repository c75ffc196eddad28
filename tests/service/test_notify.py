"""What systemd hears of the daemon."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.service.notify import Notifier


class Ear:
    """The other end of $NOTIFY_SOCKET."""

    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.socket.settimeout(5)

    def hear(self) -> str:
        """The next message."""
        return self.socket.recv(4096).decode()


@pytest.fixture
def ear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ear]:
    """Somebody who listens."""
    found = Ear(str(tmp_path / "notify"))
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    yield found
    found.socket.close()


def test_messages_in_order(ear: Ear) -> None:
    """As sd_notify(3) has them."""
    notifier = Notifier()
    notifier.ready()
    notifier.status("3 running")
    notifier.reloading()
    notifier.stopping(20.0)

    assert ear.hear() == "READY=1"
    assert ear.hear() == "STATUS=3 running"
    assert ear.hear().startswith("RELOADING=1\nMONOTONIC_USEC=")
    assert ear.hear() == "STOPPING=1\nEXTEND_TIMEOUT_USEC=20000000"


def test_signs_of_life(ear: Ear, monkeypatch: pytest.MonkeyPatch) -> None:
    """Well before systemd loses patience, and not all the time."""
    monkeypatch.setenv("WATCHDOG_USEC", "10000000")
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
    notifier = Notifier()
    assert notifier.is_beat_due(100.0)
    notifier.beat(100.0)

    assert ear.hear() == "WATCHDOG=1"
    assert not notifier.is_beat_due(103.0)
    assert notifier.is_beat_due(104.5)


@pytest.mark.parametrize(("usec", "pid"), [("", ""), ("0", ""), ("soon", ""), ("10000000", "1")])
def test_no_watchdog(usec: str, pid: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """None is wanted, or not of this process."""
    monkeypatch.setenv("WATCHDOG_USEC", usec)
    monkeypatch.setenv("WATCHDOG_PID", pid)

    assert not Notifier().is_beat_due(1e9)


def test_abstract_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """An address that begins with @ is none in the file system."""
    name = f"hlspipe-test-{os.getpid()}"
    ear = Ear(f"\0{name}")
    monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
    Notifier().ready()

    assert ear.hear() == "READY=1"
    ear.socket.close()


@pytest.mark.parametrize("address", ["", "/nowhere/at/all"])
def test_nobody_listens(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then nothing is said, and nothing fails."""
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    notifier = Notifier()
    notifier.ready()

    assert not notifier.is_beat_due(0.0)
