"""Makes the n-th call of one kind fail in this process, once or for ever.

The calls are those through which hlspipe reaches files and memory: everything in `pipeline` goes
through the attributes of `os`, `mmap`, `fcntl` and `threading` that are replaced here. Only what
concerns files is counted: pipes, sockets, standard streams and /proc are left alone.
"""

import errno
import fcntl
import mmap
import os
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

#: Instead of an errno: the call does half of its work, and says so.
SHORT = "SHORT"

#: The real ones, for our own use.
_open, _write, _close = os.open, os.write, os.close


@dataclass
class Tripwire:
    """Counts calls of one kind, and fails the chosen ones."""

    op: str
    nth: int
    error: str  # the name of an errno, or SHORT
    persistent: bool = False
    log: str | None = None
    #: Whether calls of this process count: a fork has its parent's tripwire.
    armed: Callable[[], bool] = lambda: True
    calls: int = 0
    fired: list[str] = field(default_factory=list)  # what the calls that failed were about
    _lock: Any = field(default_factory=threading.Lock)

    @classmethod
    def parse(cls, spec: str, log: str | None = None) -> Self:
        """The tripwire that "write:3:ENOSPC:persistent" describes."""
        op, nth, error, *more = spec.split(":")
        if op not in OPS or not (error == SHORT or hasattr(errno, error)):
            raise ValueError(f"no such fault: {spec}")
        return cls(op, int(nth), error, more == ["persistent"], log)

    def trips(self, op: str, what: object = "") -> bool:
        """Count a call; True if it is to fall short. Raises OSError if it is to fail."""
        if op != self.op or not self.armed():
            return False
        with self._lock:
            self.calls += 1
            if self.calls != self.nth and not (self.persistent and self.calls > self.nth):
                return False
            self._note(f"{op} {what}")
        if self.error == SHORT:
            return True
        number = getattr(errno, self.error)
        raise OSError(number, os.strerror(number))

    def met_before(self) -> bool:
        """Whether a process that shares the log has met it."""
        return self.log is not None and Path(self.log).exists()

    def _note(self, line: str) -> None:
        self.fired.append(line)
        if self.log is not None:
            descriptor = _open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            _write(descriptor, f"{line}\n".encode())
            _close(descriptor)

    def install(self) -> Callable[[], None]:
        """Replace the calls of this process; what is returned puts the real ones back."""
        replaced = list(_replacements(self))
        before = [(owner, name, getattr(owner, name)) for owner, name, _ in replaced]
        for owner, name, substitute in replaced:
            setattr(owner, name, substitute)

        def restore() -> None:
            for owner, name, real in before:
                setattr(owner, name, real)

        return restore

    @contextmanager
    def set_up(self) -> Iterator[Self]:
        """Installed while this is entered."""
        restore = self.install()
        try:
            yield self
        finally:
            restore()


def _is_file(descriptor: int) -> bool:
    """Whether it is a file of some directory: no pipe, no memory, none of the standard streams."""
    if descriptor <= 2:
        return False
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return False
        return not _name_of(descriptor).startswith("/memfd:")
    except OSError:
        return False


def _name_of(descriptor: int) -> str:
    return os.fsdecode(Path(f"/proc/self/fd/{descriptor}").readlink())


def _open_kind(path: Any, flags: int) -> str | None:
    text = os.fsdecode(path)
    if text.startswith(("/proc/", "/dev/", "/sys/")):
        return None
    return "create" if flags & os.O_CREAT else "open"


def _replacements(wire: Tripwire) -> Iterator[tuple[Any, str, Any]]:
    """(module, name, substitute) for every call that is watched."""
    yield from _of_names(wire)
    yield from _of_descriptors(wire)
    yield from _of_data(wire)
    yield from _of_memory(wire)


def _of_names(wire: Tripwire) -> Iterator[tuple[Any, str, Any]]:
    real_open = os.open

    def open_(path: Any, flags: int, *more: Any, **named: Any) -> int:
        kind = _open_kind(path, flags)
        if kind is not None:
            wire.trips(kind, path)
        return real_open(path, flags, *more, **named)

    yield os, "open", open_
    kinds = {"rename": "rename", "replace": "rename", "unlink": "unlink", "remove": "unlink"}
    kinds |= {"mkdir": "mkdir", "rmdir": "rmdir", "listdir": "listdir", "scandir": "listdir"}
    kinds |= {"statvfs": "statvfs"}
    for name, kind in kinds.items():
        yield os, name, _watched(wire, kind, getattr(os, name))


def _of_descriptors(wire: Tripwire) -> Iterator[tuple[Any, str, Any]]:
    for name in ("fsync", "ftruncate"):
        yield os, name, _watched(wire, name, getattr(os, name), _name_of)
    yield os, "posix_fallocate", _watched(wire, "fallocate", os.posix_fallocate, _name_of)
    yield fcntl, "flock", _watched(wire, "flock", fcntl.flock, _name_of)
    real_close = os.close

    def close(descriptor: int) -> None:
        """What a close puts off comes to light; the descriptor is gone in any case."""
        watched = _is_file(descriptor)
        what = _name_of(descriptor) if watched else ""
        real_close(descriptor)
        if watched:
            wire.trips("close", what)

    yield os, "close", close


def _of_data(wire: Tripwire) -> Iterator[tuple[Any, str, Any]]:
    real_write, real_preadv = os.write, os.preadv

    def write(descriptor: int, data: Any) -> int:
        if _is_file(descriptor) and wire.trips("write", _name_of(descriptor)):
            view = memoryview(data)
            return real_write(descriptor, view[: max(1, len(view) // 2)])
        return real_write(descriptor, data)

    def preadv(descriptor: int, buffers: Any, *more: Any) -> int:
        if wire.trips("read", _name_of(descriptor)):
            first = memoryview(buffers[0])
            return real_preadv(descriptor, [first[: max(1, len(first) // 2)]], *more)
        return real_preadv(descriptor, buffers, *more)

    yield os, "write", write
    yield os, "preadv", preadv


def _of_memory(wire: Tripwire) -> Iterator[tuple[Any, str, Any]]:
    real_mmap, real_start = mmap.mmap, threading.Thread.start

    def map_(descriptor: int, *more: Any, **named: Any) -> mmap.mmap:
        if descriptor == -1:
            wire.trips("memory")
        else:
            wire.trips("mmap", _name_of(descriptor))
        return real_mmap(descriptor, *more, **named)

    def start(thread: threading.Thread) -> None:
        try:
            wire.trips("thread", thread.name)
        except OSError:
            raise RuntimeError("can't start new thread") from None
        real_start(thread)

    yield mmap, "mmap", map_
    yield threading.Thread, "start", start
    kinds = {"memfd_create": "memfd", "posix_spawn": "spawn", "fork": "spawn", "pipe": "pipe"}
    for name, kind in kinds.items():
        yield os, name, _watched(wire, kind, getattr(os, name))


def _watched(
    wire: Tripwire, kind: str, real: Any, describe: Callable[[Any], object] = str
) -> Callable[..., Any]:
    def substitute(*arguments: Any, **named: Any) -> Any:
        wire.trips(kind, describe(arguments[0]) if arguments else "")
        return real(*arguments, **named)

    return substitute


OPS = (
    *("create", "open", "rename", "unlink", "mkdir", "rmdir", "listdir", "statvfs"),
    *("fsync", "ftruncate", "fallocate", "flock", "close", "write", "read", "mmap"),
    *("memory", "thread", "memfd", "spawn", "pipe"),
)
