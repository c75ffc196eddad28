"""The temp directory: where it is put, who owns it, and what is in it.

Each temp directory holds a lock file that its storage process keeps locked; a directory whose
lock is free has no owner and may be swept (`sweep`). The kernel releases the lock with the
process, however it ends. Not covered: what segment files contain (`segments`).
"""

import fcntl
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from pipeline.store.files import close_quietly, free_bytes, is_still, remove_all

PREFIX = "m3u8-segments-"
LOCK_NAME = ".lock"

#: File systems whose files are memory: spilling there would not save any.
_MEMORY_BACKED = {"tmpfs", "ramfs", "devtmpfs"}


class Place(NamedTuple):
    """A directory chosen for temp directories, and why the first choice was passed over."""

    directory: Path
    reason: str | None = None


def choose_place(asked: Path | None, beside: Path | None, needed: int) -> Place:
    """Where a temp directory for `needed` bytes goes.

    `asked` (`--temp-dir`) is final. Otherwise $TMPDIR or the system's temp directory, unless it
    is held in memory or has too little room: then `beside`, the output's directory.
    """
    if asked is not None:
        return Place(asked)
    usual = system_temp_dir()
    fallback = beside if beside is not None else Path("/var/tmp")  # noqa: S108
    if is_memory_backed(usual):
        return Place(fallback, f"{usual} is held in memory")
    try:
        if free_bytes(usual) < needed:
            return Place(fallback, f"{usual} has too little room")
    except OSError as error:
        return Place(fallback, f"{usual} cannot be used: {error.strerror}")
    return Place(usual)


def system_temp_dir() -> Path:
    """$TMPDIR, or /tmp. `tempfile.gettempdir` would try them out by writing a file there."""
    return Path(os.environ.get("TMPDIR") or "/tmp")  # noqa: S108


def is_memory_backed(path: Path) -> bool:
    """Whether files below `path` live in memory. False where the system does not say."""
    try:
        device = path.stat().st_dev
        mounts = Path("/proc/self/mountinfo").read_text()
    except OSError:
        return False
    number = f"{os.major(device)}:{os.minor(device)}"
    for line in mounts.splitlines():
        fields, _, kind = line.partition(" - ")
        if fields.split(" ")[2] == number:
            return kind.split(" ")[0] in _MEMORY_BACKED
    return False


class TempDirectory:
    """A directory of segment files, owned by this process until `remove` or its end."""

    def __init__(self, parent: Path) -> None:
        """Make the directory, 0700, below `parent`. Raises OSError, and leaves nothing then."""
        while True:
            self.path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
            try:
                lock = _new_lock(self.path / LOCK_NAME)
            except OSError:
                with suppress(OSError):
                    remove_tree(self.path)
                raise
            if lock is not None:
                self._lock = lock
                return

    def segment_path(self, job: int, index: int) -> Path:
        """The file for item `index` of a job's plan; jobs after the first have a prefix."""
        prefix = f"job{job}_" if job else ""
        return self.path / f"{prefix}segment_{index:06d}.ts"

    def remove(self) -> None:
        """Delete the directory and what is in it; what others have put there stays.

        Raises OSError when something is left.
        """
        try:
            remove_tree(self.path)
        finally:
            close_quietly(self._lock)

    def keep(self) -> None:
        """Leave the directory to the user: without a lock file it is nobody's to sweep.

        Raises OSError when the lock file cannot be removed.
        """
        try:
            (self.path / LOCK_NAME).unlink(missing_ok=True)
        finally:
            close_quietly(self._lock)


def _new_lock(path: Path) -> int | None:
    """A new file that is locked for this process; None if it is gone again. Raises OSError.

    A sweep between two of these steps takes the directory for stale.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:
        return None
    ours = False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        ours = is_still(path, descriptor)
    finally:
        if not ours:
            close_quietly(descriptor)
    return descriptor if ours else None


def remove_tree(directory: Path) -> None:
    """Delete a temp directory: its files, then itself. It has no subdirectories of ours.

    The lock file goes last: as long as anything is left, a later sweep can tell whose it was.
    Raises OSError when something is left; what is gone already is no error.
    """
    try:
        names = os.listdir(directory)  # noqa: PTH208  (names only, one call)
    except FileNotFoundError:
        return
    foreign = (IsADirectoryError, PermissionError)  # somebody else's, and it stays
    remove_all((directory / name for name in names if name != LOCK_NAME), but_for=foreign)
    (directory / LOCK_NAME).unlink(missing_ok=True)
    directory.rmdir()
