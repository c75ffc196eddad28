"""The `.part` of an output: its name, that of its journal, and the lock that makes it one run's."""

import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path

from pipeline.errors import HlspipeError, OutputBusyError, StorageError
from pipeline.store.files import close_quietly, is_still, remove_all, storage_error

_PART = ".part"
_JOURNAL = ".journal"
_FORMER = ".former"

#: Bytes in a file name, on every common file system.
_LONGEST_NAME = 255


def part_path(output: Path) -> Path:
    """Where the bytes of `output` are until it is whole.

    A name that leaves no room for the ending loses its own last bytes to it.
    """
    stem = os.fsencode(output.name)[: _LONGEST_NAME - len(_PART)]
    return output.with_name(os.fsdecode(stem) + _PART)


def journal_path(part: Path) -> Path:
    """Where the journal of a `.part` is."""
    return _beside(part, _JOURNAL)


def former_path(part: Path) -> Path:
    """Where the file is that has been replaced, while that may yet be taken back."""
    return _beside(part, _FORMER)


def _beside(part: Path, ending: str) -> Path:
    stem = os.fsencode(part.name)[: _LONGEST_NAME - len(ending)]
    return part.with_name(os.fsdecode(stem) + ending)


def open_locked(part: Path) -> int:
    """A descriptor of `part`, locked for this process, and still the file of that name."""
    while True:
        try:
            descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
        except OSError as error:
            raise storage_error("create", part, error) from error
        ours = False
        try:
            _lock(descriptor)
            ours = is_still(part, descriptor)
        except BlockingIOError as error:
            raise OutputBusyError(f"Another run is writing {part}") from error
        except OSError as error:
            _remove_empty(part, descriptor)
            raise storage_error("lock", part, error) from error
        finally:
            if not ours:
                close_quietly(descriptor)
        if ours:
            _refuse_linked(part, descriptor)
            return descriptor
        # Its owner published or removed it between our open and our lock.


def _refuse_linked(part: Path, descriptor: int) -> None:
    """Refuse a file with another name: somebody may have planted it to have that one written."""
    if os.fstat(descriptor).st_nlink > 1:
        close_quietly(descriptor)
        raise StorageError(f"Cannot write {part}: another file is linked to this name")


def _remove_empty(part: Path, descriptor: int) -> None:
    """Take back a `.part` that we have just made and cannot lock."""
    with suppress(OSError):
        if os.fstat(descriptor).st_size == 0 and is_still(part, descriptor):
            part.unlink()


def _lock(descriptor: int) -> None:
    """Lock the file, or raise BlockingIOError: another run has it.

    Asked three times within 20 ms, because a run that merely looks (`refuse_busy`) has it as well,
    for some microseconds.
    """
    for wait in (0.01, 0.01):
        with suppress(BlockingIOError):
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        time.sleep(wait)
    return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def refuse_busy(output: Path) -> None:
    """Raise OutputBusyError if another run is writing `output` at this moment.

    An early look only: `open_locked` takes the lock.
    """
    part = part_path(output)
    try:
        descriptor = os.open(part, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise OutputBusyError(f"Another run is writing {part}") from error
    except OSError:
        return  # there are no locks here: `open_locked` has the words for that
    finally:
        close_quietly(descriptor)


def remove_part(output: Path) -> None:
    """Remove what a killed storage process left of `output`, unless another run has it now."""
    with suppress(HlspipeError, OSError):
        part = part_path(output)
        if part.exists():
            descriptor = open_locked(part)
            try:
                remove_all([part, journal_path(part), former_path(part)])
            finally:
                close_quietly(descriptor)


def kept_bytes(output: Path) -> int:
    """Bytes of an unfinished `output` that are left, with a journal that vouches for them."""
    part = part_path(output)
    try:
        return part.stat().st_size if journal_path(part).exists() else 0
    except OSError:
        return 0


def forget(output: Path) -> None:
    """Remove what is kept of an unfinished `output`. What another run is writing stays."""
    part = part_path(output)
    try:
        descriptor = os.open(part, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return
    # Another run's, or in a directory that nothing may be removed from: then it stays.
    with suppress(OSError):
        _lock(descriptor)
        if is_still(part, descriptor):
            remove_all([part, journal_path(part)])
    close_quietly(descriptor)
