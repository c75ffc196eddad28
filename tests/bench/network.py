"""A slow way to the server: two network namespaces, and between them a line with a delay.

By netem where the kernel has it, else by `link.c`, a line in user space that is compiled here. This
process and what it starts move into the client's namespace; the server is started in the other one.
Takes root. Not covered: what is measured over it (`measure`).
"""

import ctypes
import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

SERVER_ADDRESS = "10.99.0.2"

_CLIENT_ADDRESS = "10.99.0.1"
_DEVICE = "line0"
_CLONE_NEWNET = 0x40000000

#: Packets that a device may hold: more than the line has under way and in its queue.
_QUEUE = 20_000

_SOURCE = Path(__file__).with_name("link.c")


@dataclass(frozen=True)
class Line:
    """What a line is like, each way."""

    round_trip: float  # milliseconds
    rate: float = 1000.0  # Mbit/s
    loss: float = 0.0  # percent

    @property
    def title(self) -> str:
        """What it is, in a table's heading."""
        loss = f", {self.loss:g} % loss" if self.loss else ""
        return f"{self.round_trip:g} ms, {self.rate:g} Mbit/s{loss}"


def parse_line(text: str) -> Line:
    """The line of `--line 40,1000,0.1`. Raises ValueError."""
    figures = [float(figure) for figure in text.split(",")]
    line = Line(*figures)
    if line.round_trip < 0 or line.rate <= 0 or not 0 <= line.loss < 100:
        raise ValueError("no such line")
    return line


@contextmanager
def network(line: Line) -> Iterator[list[str]]:
    """Move this process to one end of the line; what starts a command at the other end.

    Raises subprocess.CalledProcessError where that is not allowed or not possible.
    """
    client, server = (f"hlspipe-{end}-{os.getpid()}" for end in ("client", "server"))
    with ExitStack() as stack:
        for name in (client, server):
            _ip("netns", "add", name)
            stack.callback(_ip, "netns", "del", name)
        if not _has_netem(client, server, line):
            stack.enter_context(_link(client, server, line))
        for name, address in ((client, _CLIENT_ADDRESS), (server, SERVER_ADDRESS)):
            _ip("-n", name, "addr", "add", f"{address}/24", "dev", _DEVICE)
            _ip("-n", name, "link", "set", _DEVICE, "up", "txqueuelen", str(_QUEUE))
            _ip("-n", name, "link", "set", "lo", "up")
        stack.enter_context(_moved_to(client))
        yield ["ip", "netns", "exec", server]


def _has_netem(client: str, server: str, line: Line) -> bool:
    """Try a pair of devices whose queues delay; False, and nothing left of it, if they cannot."""
    peer = ["peer", "name", _DEVICE, "netns", server]
    _ip("-n", client, "link", "add", _DEVICE, "type", "veth", *peer)
    rules = ["delay", f"{line.round_trip / 2}ms", "rate", f"{line.rate}mbit", "limit", str(_QUEUE)]
    if line.loss:
        rules += ["loss", f"{line.loss}%"]
    for name in (client, server):
        command = ["tc", "-n", name, "qdisc", "add", "dev", _DEVICE, "root", "netem", *rules]
        if subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode:
            _ip("-n", client, "link", "del", _DEVICE)
            return False
    return True


@contextmanager
def _link(client: str, server: str, line: Line) -> Iterator[None]:
    """The line in user space, while this is entered."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "link"
        subprocess.run(["cc", "-O2", "-o", program, _SOURCE], check=True)
        figures = [str(line.round_trip / 2), str(line.rate), str(line.loss)]
        command = [program, client, server, *figures]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            try:
                assert process.stdout is not None
                if process.stdout.readline() != b"ready\n":
                    raise subprocess.CalledProcessError(process.wait(), "link")
                yield
            finally:
                process.kill()


@contextmanager
def _moved_to(namespace: str) -> Iterator[None]:
    """This thread, and what it starts, in that network namespace."""
    with Path("/proc/self/ns/net").open() as before:
        with Path("/run/netns", namespace).open() as there:
            _set_namespace(there.fileno())
        try:
            yield
        finally:
            _set_namespace(before.fileno())


def _set_namespace(descriptor: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)
