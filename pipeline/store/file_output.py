"""An output that is a file: `<output>.part` under a lock, until it is whole and has its name.

Whether an earlier run has left some of it is the journal's to say (`journal`).
"""

import os
import stat
from contextlib import suppress
from pathlib import Path

from pipeline.errors import OutputExistsError, StorageError
from pipeline.store.care import Care
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
from pipeline.store.part import former_path, journal_path, open_locked, part_path


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
        self._keep_former()
        try:
            if self._care.fsync:
                rename_synced(self.part, self.path)
            else:
                self.part.replace(self.path)
        except OSError as error:
            raise storage_error("publish", self.path, error) from error

    def _keep_former(self) -> None:
        """Hold on to the file that is replaced, until it is certain that it is.

        Outputs that belong together are published together: where a later one cannot be, what was
        there before is there again.
        """
        if not self._care.force:
            return
        with suppress(OSError):  # there is none, or there are no links here
            former_path(self.part).unlink(missing_ok=True)
            os.link(self.path, former_path(self.part), follow_symlinks=False)

    def unpublish(self) -> None:
        """Make the file a `.part` again. Raises StorageError if it keeps its name."""
        try:
            self.path.replace(self.part)
            with suppress(FileNotFoundError):
                former_path(self.part).replace(self.path)
        except OSError as error:
            raise storage_error("take back", self.path, error) from error

    def close(self) -> None:
        """Let go of a published file. Raises StorageError when something else of it stays."""
        try:
            if self._care.force:
                remove_all([former_path(self.part)])
            if self._journal is not None:
                self._journal.close()
                remove_all([journal_path(self.part)])
        except OSError as error:
            left = error.filename or journal_path(self.part)
            raise storage_error("remove", left, error) from error
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
                remove_all([self.part, journal_path(self.part), former_path(self.part)])
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
