"""The few file operations that storage stands on, each complete or an `OSError`.

One place, so that short writes, full disks and directories are handled once. What the files are
for is the business of `output`, `segments` and `sweep`.
"""

import os
from pathlib import Path

from pipeline.errors import StorageError


def write_all(descriptor: int, data: bytes | memoryview) -> int:
    """Write every byte of `data`; returns how many. Raises OSError (ENOSPC, EIO, EPIPE, ...).

    A write may be short without being an error: one of 3 MiB returned 1 MiB on a disk that was
    nearly full, and only the next one said ENOSPC.
    """
    view = memoryview(data)
    size = view.nbytes
    done = os.write(descriptor, view)
    while done < size:
        done += os.write(descriptor, view[done:])
    return size


def reserve(descriptor: int, size: int) -> None:
    """Allocate `size` bytes for a file, so that a full disk is an error now and not half way.

    Raises OSError (ENOSPC, EFBIG). Does nothing where the system has no such call (macOS).
    """
    if size > 0 and hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)


def is_still(path: Path, descriptor: int) -> bool:
    """Whether `descriptor` is the file of this name now: a lock on another is worth nothing."""
    try:
        return os.path.samestat(path.stat(follow_symlinks=False), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def sync_directory(directory: Path) -> None:
    """Make names in `directory` survive a power failure. Raises OSError."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def free_bytes(directory: Path) -> int:
    """Bytes that this user may still write below `directory`."""
    found = os.statvfs(directory)
    return found.f_bavail * found.f_frsize


def storage_error(action: str, path: Path | str, error: OSError) -> StorageError:
    """The `OSError` as a sentence: what could not be done, where, and why."""
    return StorageError(f"Cannot {action} {path}: {error.strerror or error}")
