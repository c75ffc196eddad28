"""Removing what killed runs left: temp directories whose lock nobody holds.

Safe beside living runs, because the kernel says who holds a lock; and safe for other people's
files, because only directories of our name, owned by this user, are touched.
"""

import fcntl
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from pipeline.store.tempdir import LOCK_NAME, PREFIX, remove_tree, system_temp_dir

#: A directory without a lock file is either being made at this moment, or was left by a kill
#: between two system calls. After this many seconds it is the latter.
_UNLOCKED_GRACE = 60.0


def likely_places(temp_dir: Path | None, output: Path | None) -> list[Path]:
    """Directories in which runs with these options put their temp directories."""
    places = [temp_dir, output.parent if output else None]
    places += [system_temp_dir(), Path("/tmp"), Path("/var/tmp")]  # noqa: S108
    return list(dict.fromkeys(place for place in places if place is not None))


def sweep(directories: Iterable[Path]) -> list[Path]:
    """Remove every stale temp directory directly below `directories`; returns those removed."""
    removed = []
    for path in stale(directories):
        with suppress(OSError):  # a directory that cannot be removed now is met again next time
            remove_tree(path)
            removed.append(path)
    return removed


def stale(directories: Iterable[Path]) -> Iterator[Path]:
    """Temp directories directly below `directories` that nobody owns any more."""
    for directory in directories:
        with suppress(OSError):  # a place that is absent or closed to us has nothing of ours
            found = [entry for entry in os.scandir(directory) if entry.name.startswith(PREFIX)]
            yield from (Path(entry.path) for entry in found if _is_stale(entry))


def _is_stale(entry: "os.DirEntry[str]") -> bool:
    try:
        found = entry.stat(follow_symlinks=False)
        if not entry.is_dir(follow_symlinks=False) or found.st_uid != os.getuid():
            return False
        return _lock_is_free(Path(entry.path) / LOCK_NAME)
    except FileNotFoundError:
        return _is_abandoned_shell(Path(entry.path))
    except OSError:
        return False


def _lock_is_free(lock: Path) -> bool:
    descriptor = os.open(lock, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def _is_abandoned_shell(path: Path) -> bool:
    """A directory without a lock: stale if empty and old. With files in it, a user kept it."""
    try:
        old = time.time() - path.stat().st_mtime > _UNLOCKED_GRACE
        return old and not any(path.iterdir())
    except OSError:
        return False
