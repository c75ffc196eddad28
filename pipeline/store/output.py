"""The one output: a `.part` file that gets its name when it is whole, or a stream.

Both take bytes in order. A file also takes part of an item, because it can take it back
(`rollback`); a stream only whole items, because nothing that left can be called back. Publishing
is decided by the store, which knows whether every item is in (`segments`).
"""

import os
import stat
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pipeline.errors import OutputClosedError, OutputExistsError, StorageError
from pipeline.store.digest import Digest
from pipeline.store.files import (
    UnsyncedError,
    close_quietly,
    remove_all,
    rename_synced,
    reserve,
    settle,
    storage_error,
    sync,
    write_all,
)
from pipeline.store.journal import Journal, proven, recorded
from pipeline.store.part import journal_path, open_locked, part_path

#: Called when a stream would block; returns when it may be worth another try.
WaitWritable = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Care:
    """How an output is to be treated."""

    force: bool = False  # replace what is there
    checksum: bool = False
    fsync: bool = False  # the file before it gets its name, then the directory
    #: What the items are, in a word: keep what is written of them, and take up what was kept.
    kept_as: str | None = None


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

    @property
    def examines(self) -> bool:
        """Whether `write` looks at the bytes itself, and does not only pass them on."""
        ...

    def offset_of(self, item: int) -> int:
        """Where an item begins that was there already."""
        ...

    def write(self, data: memoryview) -> None: ...
    def commit(self, index: int) -> None: ...
    def rollback(self) -> None: ...
    def reserve(self, size: int) -> None: ...
    def settle(self) -> None: ...
    def publish(self) -> None: ...
    def unpublish(self) -> None: ...
    def close(self) -> None: ...
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
        self.in_turn = care.kept_as is not None
        self._doubtful = False  # what was written may not be on the disk
        self._journal: Journal | None = None
        self._offsets: list[int] = []  # of the items that were there already
        self._refuse_existing()  # before what an earlier run has kept is touched
        self._descriptor = open_locked(self.part)
        try:
            self._refuse_existing()
            self._take_up()
        except BaseException as error:
            with suppress(StorageError):  # the first error is the one to tell
                self.discard()
            if isinstance(error, OSError):
                raise storage_error("write", error.filename or self.part, error) from error
            raise

    def _take_up(self) -> None:
        """Begin behind the items that an earlier run has left, as far as they are proven."""
        path, plan = journal_path(self.part), self._care.kept_as
        if plan is None:
            path.unlink(missing_ok=True)
            os.ftruncate(self._descriptor, 0)
            return
        claimed = recorded(path, plan)
        entries = proven(self._descriptor, claimed, self.digest)
        self.notice = self._left_out(path, len(claimed), len(entries))
        self.resumed = len(entries)
        self._offsets = [entry.offset for entry in entries]
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

    def offset_of(self, item: int) -> int:
        """Where an item begins that was there already."""
        return self._offsets[item]

    @property
    def examines(self) -> bool:
        """For a checksum, of the whole or of each item."""
        return self.digest.wanted or self._journal is not None

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
                raise self._failed("write the journal of", self.part, error) from error
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
            reserve(self._descriptor, size, self._position)
        except OSError as error:
            raise storage_error("allocate", self.part, error) from error

    def settle(self) -> None:
        """Every byte is written: hear of errors that have been put off, while there is time."""
        self._refuse_existing()
        try:
            # A rolled-back try may have left bytes behind the last whole item.
            os.ftruncate(self._descriptor, self.committed)
            if self._care.fsync:
                sync(self._descriptor)
            settle(self._descriptor)
        except OSError as error:
            raise self._failed("complete", self.part, error) from error

    def publish(self) -> None:
        """Give the file its name, in one step. Raises HlspipeError: it has not got it, then."""
        self._refuse_existing()
        try:
            if self._care.fsync:
                rename_synced(self.part, self.path)
            else:
                self.part.replace(self.path)
        except OSError as error:
            raise storage_error("publish", self.path, error) from error

    def unpublish(self) -> None:
        """Make the file a `.part` again. Raises StorageError if it keeps its name."""
        try:
            self.path.replace(self.part)
        except OSError as error:
            raise storage_error("take back", self.path, error) from error

    def close(self) -> None:
        """Let go of a published file. Raises StorageError when its journal stays."""
        try:
            if self._journal is not None:
                self._journal.close()
                remove_all([journal_path(self.part)])
        except OSError as error:
            raise storage_error("remove", journal_path(self.part), error) from error
        finally:
            close_quietly(self._descriptor)

    def discard(self) -> None:
        """Remove the `.part`, or leave it with its journal if it is to be taken up later.

        The lock is held until that is done. Raises StorageError when something stays.
        """
        if self._journal is not None:
            self._journal.close()
        try:
            if self._care.kept_as is None or not self.committed or self._doubtful:
                remove_all([self.part, journal_path(self.part)])
        except OSError as error:
            raise storage_error("remove", error.filename or self.part, error) from error
        finally:
            close_quietly(self._descriptor)

    def _failed(self, action: str, path: Path, error: OSError) -> StorageError:
        self._doubtful |= isinstance(error, UnsyncedError)
        return storage_error(action, path, error)

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

    def offset_of(self, item: int) -> int:  # noqa: ARG002  (nothing is there already)
        """Where a stream begins."""
        return 0

    @property
    def examines(self) -> bool:
        """For a checksum."""
        return self.digest.wanted

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

    def settle(self) -> None:
        """Everything is out. Raises StorageError: where it went may have put errors off."""
        try:
            settle(self._descriptor)
        except OSError as error:
            raise storage_error("write", "the output stream", error) from error

    def publish(self) -> None:
        """It has no name to be given."""

    def unpublish(self) -> None:
        """Nothing that left can be called back."""

    def close(self) -> None:
        """Close our end."""
        close_quietly(self._descriptor)

    def discard(self) -> None:
        """Close our end."""
        close_quietly(self._descriptor)


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
