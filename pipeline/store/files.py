"""The few file operations that storage stands on, each complete or an `OSError`.

One place, so that short writes, full disks and directories are handled once. What the files are
for is the business of `output`, `segments` and `sweep`.
"""

import errno
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from pipeline.errors import StorageError

#: What `posix_fallocate` says where the file system cannot do it (musl, for one, does not emulate).
_NOT_HERE = {errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}


class UnsyncedError(OSError):
    """Bytes that were written may not be on the disk, although reading them back shows them.

    After a failed fsync the system takes its cached copy for clean.
    """


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


def reserve(descriptor: int, size: int, offset: int = 0) -> None:
    """Allocate `size` bytes of a file from `offset` on: a full disk is an error now, not half way.

    Raises OSError (ENOSPC, EFBIG). Does nothing where there is no such call (macOS), or where the
    file system has none.
    """
    if size > 0 and hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(descriptor, offset, size)
        except OSError as error:
            if error.errno not in _NOT_HERE:
                raise


def sync(descriptor: int) -> None:
    """Have a file's bytes on the disk. Raises UnsyncedError."""
    try:
        os.fsync(descriptor)
    except OSError as error:
        raise UnsyncedError(error.errno, error.strerror) from error


def settle(descriptor: int) -> None:
    """Let errors that writing has put off come to light. Raises UnsyncedError.

    A network file system, or one with quotas, reports them when a descriptor is closed. It is a
    copy that is closed here: the file's lock goes with the last one.
    """
    copy = os.dup(descriptor)
    try:
        os.close(copy)
    except OSError as error:
        raise UnsyncedError(error.errno, error.strerror) from error


def close_quietly(descriptor: int) -> None:
    """Close a descriptor that nothing was written through, or nothing that still matters."""
    with suppress(OSError):
        os.close(descriptor)


def is_still(path: Path, descriptor: int) -> bool:
    """Whether `descriptor` is the file of this name now: a lock on another is worth nothing."""
    try:
        return os.path.samestat(path.stat(follow_symlinks=False), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def rename_synced(old: Path, new: Path) -> None:
    """Rename a file within its directory, and have that on the disk. Raises OSError.

    What is renamed and not on the disk is renamed back.
    """
    # Opened before anything is done: descriptors are what may be lacking.
    directory = os.open(new.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        old.replace(new)
        try:
            os.fsync(directory)
        except OSError:
            new.replace(old)
            raise
    finally:
        close_quietly(directory)


def remove_all(paths: Iterable[Path], but_for: tuple[type[OSError], ...] = ()) -> None:
    """Remove each file that is there. Raises the first OSError when all have been tried.

    What cannot be removed for a reason in `but_for` is passed over.
    """
    failed: OSError | None = None
    for path in paths:
        try:
            path.unlink(missing_ok=True)
        except but_for:
            pass
        except OSError as error:
            failed = failed or error
    if failed is not None:
        raise failed


def free_bytes(directory: Path) -> int:
    """Bytes that this user may still write below `directory`."""
    found = os.statvfs(directory)
    return found.f_bavail * found.f_frsize


def storage_error(action: str, path: Path | str, error: OSError) -> StorageError:
    """The `OSError` as a sentence: what could not be done, where, and why."""
    return StorageError(f"Cannot {action} {path}: {error.strerror or error}")
