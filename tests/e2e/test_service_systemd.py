"""The daemon under systemd's eyes, its spool, and the files that install it."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.bench import KB, Bench
from tests.e2e.servicebench import ServiceBench
from tests.support.streams import Aes

pytestmark = pytest.mark.processes


@pytest.fixture
def daemon(bench: Bench) -> ServiceBench:
    """A daemon, and a small stream for it."""
    bench.serve([20 * KB] * 4, aes=Aes())
    return ServiceBench(bench)


@pytest.fixture
def ear(tmp_path: Path, bench: Bench) -> Iterator[socket.socket]:
    """Where systemd would listen."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as found:
        found.bind(str(tmp_path / "notify"))
        found.settimeout(20)
        bench.workspace.env["NOTIFY_SOCKET"] = str(tmp_path / "notify")
        bench.workspace.env["WATCHDOG_USEC"] = "5000000"
        yield found


def test_what_systemd_hears(daemon: ServiceBench, ear: socket.socket) -> None:
    """Ready, its state, signs of life, and that it stops: in this order."""
    heard: list[str] = []
    with daemon.running() as running:
        while not heard or heard[-1] != "WATCHDOG=1":
            heard.append(ear.recv(4096).decode())
        daemon.stop(running)
    ear.settimeout(0.5)
    while "STOPPING=1" not in heard[-1]:
        heard.append(ear.recv(4096).decode())

    kinds = [message.partition("=")[0] for message in heard]
    assert kinds[0] == "READY"
    assert "STATUS" in kinds
    assert kinds[-1] == "STOPPING"


def test_spool(daemon: ServiceBench) -> None:
    """What is moved in is downloaded; what cannot be taken has its reason beside it."""
    spool = daemon.bench.workspace.cwd / "spool"
    spool.mkdir()
    (spool / "good.url").write_text(f"{daemon.bench.url}\n")
    (spool / "bad.jsonl").write_text('{"url": "http://h/", "nonsense": 1}\n')
    with daemon.running("--spool", spool) as running:
        running.wait_until(lambda: bool(daemon.jobs()), "a job")
        daemon.wait_for("done", 1)
        running.wait_until((spool / "failed" / "bad.jsonl").exists, "a refusal")
        daemon.stop(running)

    assert (spool / "done" / "good.url").exists()
    assert "nonsense" in (spool / "failed" / "bad.jsonl.reason").read_text()


def test_installation_is_shown(bench: Bench) -> None:
    """With --print nothing is written."""
    run = bench.workspace.run("systemd", "install", "--print")

    assert run.exit_code == 0, run.stderr
    assert "# /etc/systemd/system/hlspipe.service" in run.stdout
    assert "ExecStart=/" in run.stdout


def test_installation_for_a_user(bench: Bench) -> None:
    """Into the user's own configuration; what to do next is said."""
    run = bench.workspace.run("systemd", "install", "--user")

    assert run.exit_code == 0, run.stderr
    assert (bench.workspace.home / ".config/systemd/user/hlspipe.service").exists()
    assert "systemctl --user" in run.stderr
