"""Segment files: payloads that do not fit in memory, written once and read through a map.

Files are made in a temp directory that is created when the first is needed. Each is closed after
every write and mapped one at a time, so that the number of open descriptors never grows with the
number of segments.
"""

import mmap
import os
from collections.abc import Callable
from pathlib import Path

from pipeline.errors import StorageError
from pipeline.store.files import storage_error, write_all
from pipeline.store.output import Output
from pipeline.store.tempdir import Place, TempDirectory


class SpillFile:
    """The file of one item: grows while the item arrives, is mapped once, and goes."""

    __slots__ = ("path", "size")

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0


class SpillArea:
    """All segment files of this process, and how much room they take."""

    def __init__(
        self, choose: Callable[[], Place], on_created: Callable[[Path, str | None], None]
    ) -> None:
        """`choose` says where, when the first file is needed; `on_created` hears of it."""
        self._choose = choose
        self._on_created = on_created
        self._directory: TempDirectory | None = None
        self.bytes = 0  # in files now
        self.peak_bytes = 0
        self.spilled_bytes = 0  # ever written here

    @property
    def path(self) -> Path | None:
        """The temp directory, once there is one."""
        return self._directory.path if self._directory else None

    def open(self) -> TempDirectory:
        """The temp directory, made on first use. Raises StorageError."""
        if self._directory is None:
            place = self._choose()
            try:
                self._directory = TempDirectory(place.directory)
            except OSError as error:
                raise storage_error("make a temp directory in", place.directory, error) from error
            self._on_created(self._directory.path, place.reason)
        return self._directory

    def create(self, job: int, index: int) -> SpillFile:
        """The (still empty) file for item `index` of a job."""
        return SpillFile(self.open().segment_path(job, index))

    def append(self, file: SpillFile, views: list[memoryview]) -> None:
        """Write `views` to the end of `file`. Raises StorageError: the disk is full, say."""
        try:
            descriptor = os.open(
                file.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600
            )
            try:
                written = sum(write_all(descriptor, view) for view in views)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise storage_error("write", file.path, error) from error
        file.size += written
        self.bytes += written
        self.spilled_bytes += written
        self.peak_bytes = max(self.peak_bytes, self.bytes)

    def write_to(self, file: SpillFile, output: Output) -> None:
        """Write the file's bytes to `output` from a map of it. An empty file cannot be mapped."""
        if file.size == 0:
            return
        try:
            mapped = _map(file)
        except OSError as error:
            raise storage_error("read", file.path, error) from error
        # Unmapped with the last reference: closing it by hand would raise as long as a slice is
        # alive, in the frames of an exception under way, say, and hide that one.
        output.write(memoryview(mapped))

    def delete(self, file: SpillFile) -> None:
        """Remove the file and the room it took."""
        file.path.unlink(missing_ok=True)
        self.bytes -= file.size
        file.size = 0

    def close(self, keep: bool = False) -> Path | None:
        """Remove the temp directory (or leave it, if `keep`); returns its path if there was one."""
        directory, self._directory = self._directory, None
        if directory is None:
            return None
        if keep:
            directory.keep()
        else:
            directory.remove()
        return directory.path


def _map(file: SpillFile) -> mmap.mmap:
    """A read-only map of the whole file, whose size must be what was written.

    Reading a map beyond the end of a file that somebody has cut is a SIGBUS, not an error.
    """
    descriptor = os.open(file.path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        size = os.fstat(descriptor).st_size
        if size != file.size:
            raise StorageError(f"{file.path} has {size} bytes instead of the {file.size} written")
        return mmap.mmap(descriptor, size, access=mmap.ACCESS_READ)
    finally:
        os.close(descriptor)
