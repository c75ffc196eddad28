"""Children that are forks of the command line's own process: they need not import anything again.

A fork copies locks that other threads hold and files that others have opened. So it is kept to a
process that says it is hlspipe's alone (`allow`, by the command line), that has one thread at that
moment, and runs on Linux; all else is spawned. What a fork has too much of, it drops at once:
descriptors that are not its own, signal handlers, and the garbage collector's interest in objects
whose end might close a descriptor that by then is another's.

Not for the remuxer: what parses hostile input gets nothing of this process's memory.
"""

import gc
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, NoReturn

from pipeline.processes.signals import GROUP_SIGNALS

_ROLES = {"downloader", "storage"}

#: Where the arguments begin and end in memory: fields 48 and 49 of /proc/PID/stat (proc(5)).
_ARGUMENTS = slice(45, 47)

_allowed = False


def allow() -> None:
    """This process is hlspipe's alone, from its first instruction to its last."""
    global _allowed  # noqa: PLW0603  (a fact of the process, settled once at its start)
    _allowed = True


def is_safe(role: str) -> bool:
    """Whether a child in this role may be a fork, now."""
    return _allowed and role in _ROLES and sys.platform == "linux" and _threads() == 1


def _threads() -> int:
    """Threads of this process, those of libraries included; 0 if nobody knows."""
    try:
        return len(os.listdir("/proc/self/task"))  # noqa: PTH208  (names only)
    except OSError:
        return 0


def fork(role: str, setup: dict[str, Any], descriptors: Sequence[int]) -> int:
    """Start a child in `role` with `descriptors` open; returns its pid. Raises OSError."""
    from pipeline.processes import child  # noqa: PLC0415  (a process that spawns does not need it)

    # Before the first fork, so that they share the pages.
    child.prepare()
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, GROUP_SIGNALS)
    try:
        pid = os.fork()
        if pid == 0:
            _become(role, setup, descriptors)
        return pid
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def _become(role: str, setup: Mapping[str, Any], descriptors: Sequence[int]) -> NoReturn:
    from pipeline.processes import child  # noqa: PLC0415  (imported above)

    try:
        gc.freeze()
        _forget_handlers()
        _keep_only(descriptors)
        _rename(role)
        child.live(role, dict(setup))
    finally:
        os._exit(1)  # into the parent's frames never


def _forget_handlers() -> None:
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals():
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)


def _keep_only(descriptors: Sequence[int]) -> None:
    """Close all but these and standard error; nothing is read from or written to the other two."""
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    kept = {0, 1, 2, *descriptors}
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208  (names only)
        if int(name) not in kept:
            with suppress(OSError):  # the listing's own
                os.close(int(name))


def _rename(role: str) -> None:
    """Have `ps` show "hlspipe storage" in place of the parent's command line, with its secrets."""
    import ctypes  # noqa: PLC0415  (imported by the parent)

    with open("/proc/self/stat") as stat:  # noqa: PTH123  (pathlib would take longer)
        fields = stat.read().rpartition(")")[2].split()
    start, end = map(int, fields[_ARGUMENTS])
    title = b"hlspipe\0" + role.encode()
    ctypes.memmove(start, title[: end - start - 1].ljust(end - start, b"\0"), end - start)
