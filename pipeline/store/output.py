"""The one output: a `.part` file that gets its name when it is whole, or a stream.

Both take bytes in order. A file also takes part of an item, because it can take it back
(`rollback`); a stream only whole items, because nothing that left can be called back. Publishing
is decided by the store, which knows whether every item is in (`segments`).
"""

import fcntl
import os
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pipeline.errors import (
    HlspipeError,
    OutputBusyError,
    OutputClosedError,
    OutputExistsError,
    StorageError,
)
from pipeline.store.digest import Digest
from pipeline.store.files import is_still, reserve, storage_error, sync_directory, write_all
from pipeline.store.journal import Journal, proven, recorded

_PART = ".part"
_JOURNAL = ".journal"

#: Bytes in a file name, on every common file system.
_LONGEST_NAME = 255

#: Called when a stream would block; returns when it may be worth another try.
WaitWritable = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Care:
    """How an output is to be treated."""

    force: bool = False  # replace what is there
    checksum: bool = False
    fsync: bool = False  # the file before it gets its name, then the directory
    #: What the items are, in a word: keep what is written of them, and take up what was kept.
    resume: str | None = None


class Output(Protocol):
    """Where the merged bytes go."""

    #: Whether part of an item may be written before the rest is there.
    takes_partial: bool
    #: Whether items are wanted as their turn comes, and not all at the end.
    in_turn: bool
    committed: int  # bytes of whole items
    digest: Digest
    resumed: int  # items that were there already
    notice: str | None  # what of an earlier run was left out, and why

    def write(self, data: memoryview) -> None: ...
    def commit(self, index: int) -> None: ...
    def rollback(self) -> None: ...
    def reserve(self, size: int) -> None: ...
    def publish(self) -> None: ...
    def discard(self) -> None: ...


class FileOutput:
    """`<output>.part` under a lock, renamed to the output when every byte is in."""

    takes_partial = True

    def __init__(self, path: Path, care: Care) -> None:
        """Take the output for this run.

        Raises OutputBusyError (another run has it), OutputExistsError (it is there, and force is
        not wanted) or StorageError.
        """
        self.path = path
        self.part = part_path(path)
        self.committed = self.resumed = 0
        self.digest = Digest(care.checksum)
        self._care = care
        self._position = 0
        self.notice: str | None = None
        self.in_turn = care.resume is not None
        self._journal: Journal | None = None
        self._descriptor = _open_locked(self.part)
        try:
            self._refuse_existing()
            self._take_up()
        except OSError as error:
            self.discard()
            raise storage_error("write", self.part, error) from error
        except BaseException:
            self.discard()
            raise

    def _take_up(self) -> None:
        """Begin behind the items that an earlier run has left, as far as they are proven."""
        path, plan = journal_path(self.part), self._care.resume
        if plan is None:
            path.unlink(missing_ok=True)
            os.ftruncate(self._descriptor, 0)
            return
        claimed = recorded(path, plan)
        entries = proven(self._descriptor, claimed, self.digest)
        self.notice = self._left_out(path, len(claimed), len(entries))
        self.resumed = len(entries)
        self.committed = self._position = sum(entry.length for entry in entries)
        os.ftruncate(self._descriptor, self.committed)
        os.lseek(self._descriptor, self.committed, os.SEEK_SET)
        self._journal = Journal(path, plan, entries, self._descriptor)

    def _left_out(self, journal: Path, claimed: int, proven: int) -> str | None:
        """What of an earlier run is not taken up, and why; None if everything is."""
        if proven < claimed:
            return f"{self.part} is not what its journal says: kept as far as that goes"
        if claimed or not os.fstat(self._descriptor).st_size:
            return None
        if journal.exists():
            return f"{self.part} is of another playlist, variant or key: starting over"
        return f"{self.part} has no journal: starting over"

    def write(self, data: memoryview) -> None:
        """Append bytes, of the item that is being written. Raises StorageError."""
        try:
            self._position += write_all(self._descriptor, data)
            self.digest.update(data)
            if self._journal is not None:
                self._journal.update(data)
        except OSError as error:
            raise storage_error("write", self.part, error) from error

    def commit(self, index: int) -> None:
        """What has been written so far is whole items, the last one `index`."""
        if self._journal is not None:
            try:
                self._journal.commit(index, self.committed, self._position - self.committed)
            except OSError as error:
                raise storage_error("write the journal of", self.part, error) from error
        self.committed = self._position
        self.digest.commit()

    def rollback(self) -> None:
        """Take back the bytes of the item that is being written."""
        if self._journal is not None:
            self._journal.rollback()
        if self._position != self.committed:
            os.lseek(self._descriptor, self.committed, os.SEEK_SET)
            self._position = self.committed
            self.digest.rollback()

    def reserve(self, size: int) -> None:
        """Allocate `size` more bytes. Raises StorageError when the disk has no room."""
        try:
            reserve(self._descriptor, self._position + size)
        except OSError as error:
            raise storage_error("allocate", self.part, error) from error

    def publish(self) -> None:
        """Give the file its name, in one step."""
        self._refuse_existing()
        try:
            # A rolled-back try may have left bytes behind the last whole item.
            os.ftruncate(self._descriptor, self.committed)
            if self._care.fsync:
                os.fsync(self._descriptor)
            self.part.replace(self.path)
            if self._care.fsync:
                sync_directory(self.path.parent)
            if self._journal is not None:
                self._journal.remove()
        except OSError as error:
            raise storage_error("publish", self.path, error) from error
        os.close(self._descriptor)

    def discard(self) -> None:
        """Remove the `.part`, or leave it with its journal if it is to be taken up later.

        The lock is held until that is done.
        """
        if self._journal is not None and self.committed:
            self._journal.close()
        else:
            with suppress(OSError):
                self.part.unlink(missing_ok=True)
                journal_path(self.part).unlink(missing_ok=True)
        os.close(self._descriptor)

    def _refuse_existing(self) -> None:
        try:
            mode = self.path.lstat().st_mode
        except FileNotFoundError:
            return
        except OSError as error:  # the name is too long, say
            raise storage_error("write", self.path, error) from error
        if stat.S_ISDIR(mode):
            raise StorageError(f"Cannot write {self.path}: it is a directory")
        if not self._care.force:
            raise OutputExistsError(f"{self.path} exists already: --force replaces it")


def journal_path(part: Path) -> Path:
    """Where the journal of a `.part` is."""
    stem = os.fsencode(part.name)[: _LONGEST_NAME - len(_JOURNAL)]
    return part.with_name(os.fsdecode(stem) + _JOURNAL)


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


def open_output(path: Path, care: Care, wait_writable: WaitWritable) -> Output:
    """The output at `path`: a file that is published, or what is a device or a pipe already.

    Renaming a file over /dev/null would replace the device. Raises HlspipeError.
    """
    try:
        mode = path.stat().st_mode
    except OSError:
        return FileOutput(path, care)
    if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
        return FileOutput(path, care)
    try:
        # Not waiting for the reader of a pipe: without one this is an error (ENXIO).
        descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise storage_error("write", path, error) from error
    return StreamOutput(descriptor, wait_writable, care)


def _open_locked(part: Path) -> int:
    """A descriptor of `part`, locked for this process, and still the file of that name."""
    while True:
        try:
            descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
        except OSError as error:
            raise storage_error("create", part, error) from error
        try:
            _lock(descriptor)
        except OSError as error:
            os.close(descriptor)
            if isinstance(error, BlockingIOError):
                raise OutputBusyError(f"Another run is writing {part}") from error
            raise storage_error("lock", part, error) from error
        if is_still(part, descriptor):
            _refuse_linked(part, descriptor)
            return descriptor
        # Its owner published or removed it between our open and our lock.
        os.close(descriptor)


def _refuse_linked(part: Path, descriptor: int) -> None:
    """Refuse a file with another name: somebody may have planted it to have that one written."""
    if os.fstat(descriptor).st_nlink > 1:
        os.close(descriptor)
        raise StorageError(f"Cannot write {part}: another file is linked to this name")


class StreamOutput:
    """A pipe, a socket or a device: whole items leave in order, and nothing comes back."""

    takes_partial = False
    in_turn = True

    def __init__(self, descriptor: int, wait_writable: WaitWritable, care: Care) -> None:
        """Write to `descriptor`; `wait_writable` is called when its reader is slow."""
        self.committed = self.resumed = 0
        self.notice: str | None = None
        self.digest = Digest(care.checksum)
        self._position = 0
        self._wait = wait_writable
        self._descriptor = _unblocked(descriptor)

    def write(self, data: memoryview) -> None:
        """Send bytes of a whole item. Raises OutputClosedError when the reader is gone."""
        while data:
            try:
                sent = os.write(self._descriptor, data)
            except BlockingIOError:
                self._wait(self._descriptor)
                continue
            except BrokenPipeError as error:
                raise OutputClosedError("The reader of the output went away") from error
            except OSError as error:
                raise storage_error("write", "the output stream", error) from error
            self._position += sent
            self.digest.update(data[:sent])
            data = data[sent:]

    def commit(self, index: int) -> None:  # noqa: ARG002  (nothing is taken up in a stream)
        """What has been sent so far is whole items."""
        self.committed = self._position
        self.digest.commit()

    def rollback(self) -> None:
        """Nothing to take back: no part of an item was sent."""

    def reserve(self, size: int) -> None:
        """A stream needs no room."""

    def publish(self) -> None:
        """Everything is out: close our end."""
        os.close(self._descriptor)

    def discard(self) -> None:
        """Close our end."""
        os.close(self._descriptor)


def _unblocked(descriptor: int) -> int:
    """A descriptor for the same pipe that never blocks.

    O_NONBLOCK belongs to the open file, which is shared with whoever gave it to us: opening the
    pipe once more makes it ours alone. What is no pipe stays as it is.
    """
    if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
        with suppress(OSError):
            own = os.open(f"/proc/self/fd/{descriptor}", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            os.close(descriptor)
            return own
    return descriptor


def part_path(output: Path) -> Path:
    """Where the bytes of `output` are until it is whole.

    A name that leaves no room for the ending loses its own last bytes to it.
    """
    stem = os.fsencode(output.name)[: _LONGEST_NAME - len(_PART)]
    return output.with_name(os.fsdecode(stem) + _PART)


def refuse_busy(output: Path) -> None:
    """Raise OutputBusyError if another run is writing `output` at this moment.

    An early look only: `FileOutput` takes the lock.
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
    finally:
        os.close(descriptor)


def kept_bytes(output: Path) -> int:
    """Bytes of an unfinished `output` that are left, with a journal that vouches for them."""
    part = part_path(output)
    try:
        return part.stat().st_size if journal_path(part).exists() else 0
    except OSError:
        return 0


def remove_part(output: Path) -> None:
    """Remove what a killed storage process left of `output`, unless another run has it now."""
    with suppress(HlspipeError, OSError):
        part = part_path(output)
        if part.exists():
            descriptor = _open_locked(part)
            part.unlink(missing_ok=True)
            journal_path(part).unlink(missing_ok=True)
            os.close(descriptor)


def forget(output: Path) -> None:
    """Remove what is kept of an unfinished `output`. What another run is writing stays."""
    part = part_path(output)
    try:
        descriptor = os.open(part, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return
    try:
        _lock(descriptor)
        if is_still(part, descriptor):
            part.unlink(missing_ok=True)
            journal_path(part).unlink(missing_ok=True)
    except OSError:
        return  # another run's, or a directory that nothing may be removed from
    finally:
        os.close(descriptor)
