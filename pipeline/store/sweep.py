"""Removing what killed runs left: temp directories whose lock nobody holds.

Safe beside living runs, because the kernel says who holds a lock; and safe for other people's
files, because only directories of our name, owned by this user, are touched.
"""

import fcntl
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pipeline.store.files import is_still
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
    for path in _candidates(directories):
        with suppress(OSError), _claimed(path) as stale:
            if stale:  # one that cannot be removed now is met again next time
                remove_tree(path)
                removed.append(path)
    return removed


def stale(directories: Iterable[Path]) -> Iterator[Path]:
    """Temp directories directly below `directories` that nobody owns any more."""
    for path in _candidates(directories):
        with suppress(OSError), _claimed(path) as found:
            if found:
                yield path


def _candidates(directories: Iterable[Path]) -> Iterator[Path]:
    """Directories of our name that belong to this user."""
    for directory in directories:
        with suppress(OSError):  # a place that is absent or closed to us has nothing of ours
            for entry in list(os.scandir(directory)):
                ours = entry.name.startswith(PREFIX) and entry.is_dir(follow_symlinks=False)
                if ours and entry.stat(follow_symlinks=False).st_uid == os.getuid():
                    yield Path(entry.path)


@contextmanager
def _claimed(path: Path) -> Iterator[bool]:
    """Whether the directory is nobody's. Its lock is ours meanwhile, so that it stays so."""
    try:
        lock = os.open(path / LOCK_NAME, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        yield _is_abandoned_shell(path)
        return
    try:
        # Its owner may have given it up for good (`keep`) between our open and our lock.
        yield _lock_is_free(lock) and is_still(path / LOCK_NAME, lock)
    finally:
        os.close(lock)


def _lock_is_free(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_abandoned_shell(path: Path) -> bool:
    """A directory without a lock: stale if empty and old. With files in it, a user kept it."""
    try:
        old = time.time() - path.stat().st_mtime > _UNLOCKED_GRACE
        return old and not any(path.iterdir())
    except OSError:
        return False
