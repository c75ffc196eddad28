"""Processes of a run as /proc shows them: found by a marker in the environment they inherit."""

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

#: Set to a run's own value; children inherit it, whoever starts them.
MARKER = "HLSPIPE_TEST_RUN"

_PROC = Path("/proc")


def _read(pid: int, name: str) -> bytes:
    try:
        return (_PROC / str(pid) / name).read_bytes()
    except OSError:  # gone, or a zombie
        return b""


def all_pids() -> list[int]:
    """Every process of the machine."""
    return [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit()]


def state(pid: int) -> str:
    """R, S, D, T, Z and so on; "" for a process that is gone."""
    return _read(pid, "stat").rpartition(b")")[2][1:2].decode()


def parent(pid: int) -> int | None:
    """The parent's pid."""
    fields = _read(pid, "stat").rpartition(b")")[2].split()
    return int(fields[1]) if fields else None


def arguments(pid: int) -> list[str]:
    """What the process was started with."""
    return _read(pid, "cmdline").decode(errors="replace").split("\0")


def command_line(pid: int) -> str:
    """The arguments, with spaces between them."""
    return " ".join(arguments(pid)).strip()


def has_role(pid: int, word: str) -> bool:
    """Whether it is a "downloader", "storage" or "remuxer" process: that is an argument of it."""
    return word in arguments(pid)


def marked(marker: str) -> list[int]:
    """The living processes (zombies are not) whose environment carries the marker."""
    entry = f"{MARKER}={marker}".encode()
    return [pid for pid in all_pids() if entry in _read(pid, "environ").split(b"\0")]


def descendants(pid: int) -> list[int]:
    """Children, their children and so on, the dead ones not yet waited for included."""
    children: dict[int, list[int]] = {}
    for each in all_pids():
        above = parent(each)
        if above is not None:
            children.setdefault(above, []).append(each)
    found, todo = [], [pid]
    while todo:
        below = children.get(todo.pop(), [])
        found += below
        todo += below
    return found


def pss(pid: int) -> int:
    """Proportional set size in bytes; 0 for a process that is gone."""
    for line in _read(pid, "smaps_rollup").splitlines():
        if line.startswith(b"Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def open_files(pid: int) -> int:
    """How many descriptors are open."""
    with contextlib.suppress(OSError):
        return len(os.listdir(_PROC / str(pid) / "fd"))  # noqa: PTH208 - counts only
    return 0


def polled(timeout: float, interval: float = 0.01) -> Iterator[None]:
    """Go round until `timeout` seconds are over, once at least, with a pause in between."""
    deadline = time.monotonic() + timeout
    while True:
        yield
        if time.monotonic() >= deadline:
            return
        time.sleep(interval)


class MemorySampler:
    """Peak PSS of the tree below a process and itself, read from outside every 50 ms."""

    def __init__(self, pid: int, interval: float = 0.05) -> None:
        self.pid = pid
        self.peak = 0
        self.samples = 0
        self._interval = interval
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._sample, name="memory", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._done.wait(self._interval):
            total = sum(map(pss, [self.pid, *descendants(self.pid)]))
            if total:
                self.samples += 1
                self.peak = max(self.peak, total)
