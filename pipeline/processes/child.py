"""What every child process does first and last, whatever its role.

A child ignores the signals of its group, ends when its parent does, and reports what goes wrong
as a message, never as a traceback on the user's terminal.
"""

import json
import os
import resource
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import Any, NoReturn

from pipeline.errors import InternalError
from pipeline.processes.channel import Sender
from pipeline.processes.messages import Crashed
from pipeline.processes.scarcity import as_scarcity
from pipeline.processes.signals import GROUP_SIGNALS

_PR_SET_PDEATHSIG, _PR_SET_NAME = 1, 15

#: What the kernel sends when the parent is gone. A downloader has nothing to clean up. Storage and
#: the remuxer have: they are only woken, should they have been stopped, and see the end of their
#: instructions.
_DEATH_SIGNALS = {
    "downloader": signal.SIGKILL,
    "storage": signal.SIGCONT,
    "remuxer": signal.SIGCONT,
}

_HOMES = {
    "downloader": "pipeline.processes.downloader",
    "storage": "pipeline.processes.storage",
    "remuxer": "pipeline.processes.remuxer",
}


def main() -> None:
    """Entry point of a child that was spawned: `python -c ... ROLE SETUP`."""
    live(sys.argv[1], json.loads(sys.argv[2]))


def prepare() -> None:
    """Import what downloaders need, and most of what storage does: for this process's forks."""
    import_module(_HOMES["downloader"])
    if sys.platform == "linux":
        import_module("ctypes")


def live(role: str, setup: dict[str, Any]) -> NoReturn:
    """The whole life of a child."""
    enter(role, setup["parent"])
    reports = Sender(setup["reports"])
    # A thread that is missing would be missed for ever: the process goes with it.
    threading.excepthook = lambda thread: _end(reports, role, thread.exc_value)
    try:
        run: Callable[[dict[str, Any], Sender], None] = import_module(_HOMES[role]).run
        run(setup, reports)
    except BaseException as error:  # noqa: BLE001  (told to the supervisor, whatever it is)
        _end(reports, role, error)
    # No interpreter shutdown: it takes time, and nothing of ours waits for it.
    os._exit(0)


def enter(role: str, parent: int) -> None:
    """Leave signals to the supervisor, and do not outlive it."""
    for number in GROUP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, GROUP_SIGNALS)
    if sys.platform == "linux":
        _tell_kernel(role)
    # It went before the call above. Who has something to clean up sees that by the instructions.
    if os.getppid() != parent and _DEATH_SIGNALS[role] == signal.SIGKILL:
        os._exit(1)
    _allow_all_descriptors()


def _allow_all_descriptors() -> None:
    """Each connection needs a descriptor: take as many as this process may have."""
    with suppress(OSError, ValueError):
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _tell_kernel(role: str) -> None:
    """What the parent's death means, and a name by which `ps -e` and `top` tell children apart."""
    import ctypes  # noqa: PLC0415  (Linux alone has the calls)

    prctl = ctypes.CDLL(None).prctl
    prctl(_PR_SET_PDEATHSIG, _DEATH_SIGNALS[role])
    prctl(_PR_SET_NAME, f"hlspipe-{role}".encode())


def _end(reports: Sender, role: str, error: BaseException | None) -> NoReturn:
    """Say why, if there is memory enough to say it, and end."""
    try:
        tell_crash(reports, role, error or InternalError("A thread ended"))
    finally:
        os._exit(1)


def tell_crash(reports: Sender, role: str, error: BaseException) -> None:
    """Tell the supervisor, if there is one, that a process in this role cannot go on."""
    import traceback  # noqa: PLC0415  (6 ms that no child should need)

    text = "".join(traceback.format_exception(error))
    error = as_scarcity(error, role) or error
    with suppress(OSError):  # nobody may be listening any more
        reports.send(Crashed(type(error).__name__, str(error), text))
