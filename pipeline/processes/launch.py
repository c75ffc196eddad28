"""Starting and ending child processes.

The start method is spawn: a fresh interpreter through `os.posix_spawn`, which inherits exactly
the descriptors named and nothing of this process's threads and locks. Not through
`multiprocessing.Process`: docs/decisions/001 has the reasons and the figures. Where the process is
the command line's own, children are forks of it instead (`forking`).
"""

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from pipeline.processes import forking
from pipeline.processes.signals import GROUP_SIGNALS

_BOOT = "from pipeline.processes.child import main; main()"


def launch(role: str, setup: Mapping[str, Any], descriptors: Sequence[int]) -> int:
    """Start a child in `role` with `setup` (JSON) and `descriptors` open; returns its pid."""
    setup = {**setup, "parent": os.getpid()}
    if forking.is_safe(role):
        return forking.fork(role, setup, descriptors)
    return _spawn(role, setup, descriptors)


def _spawn(role: str, setup: Mapping[str, Any], descriptors: Sequence[int]) -> int:
    """A fresh interpreter.

    `-P` keeps the current directory off the child's path; PYTHONPATH gives it this process's own,
    so that it finds the same packages however this program was started.
    """
    argv = [sys.executable, "-P", "-c", _BOOT, role, json.dumps(setup)]
    path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)  # noqa: PTH109
    return os.posix_spawn(
        sys.executable,
        argv,
        {**os.environ, "PYTHONPATH": path},
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
            *((os.POSIX_SPAWN_DUP2, number, number) for number in descriptors),
        ],
        setsigmask=GROUP_SIGNALS,
    )


def fill_standard_descriptors() -> None:
    """Open /dev/null wherever stdin, stdout or stderr is closed.

    Otherwise a pipe of ours would get one of these numbers, and a stray message would go into it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def kill(pid: int) -> None:
    """End a child that has not been reaped."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def reap(pid: int) -> str:
    """Wait for a child's end; says how it ended ("killed by SIGKILL", "exit status 1")."""
    try:
        _, status = os.waitpid(pid, 0)
    except ChildProcessError:  # the program around us reaps children of its own
        return "gone"
    return describe(status)


def reap_within(pid: int, seconds: float, give_up: Callable[[], bool]) -> bool:
    """Wait up to `seconds`, or until `give_up` says so, for a child to end by itself."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not give_up():
        try:
            if os.waitpid(pid, os.WNOHANG)[0]:
                return True
        except ChildProcessError:
            return True
        time.sleep(0.002)
    return False


def describe(status: int) -> str:
    """A wait status in words."""
    if os.WIFSIGNALED(status):
        return f"killed by {signal.Signals(os.WTERMSIG(status)).name}"
    return f"exit status {os.waitstatus_to_exitcode(status)}"
