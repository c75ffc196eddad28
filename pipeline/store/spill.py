"""Segment files: payloads that do not fit in memory, written once and read through a map.

Files are made in a temp directory that is created when the first is needed. Each is closed after
every write and mapped one at a time, so that the number of open descriptors never grows with the
number of segments; and mapped a window at a time, for what is mapped counts as this process's
memory.

The directory is where others clean up. Reading a map beyond the end of a file that somebody has cut
is a SIGBUS, so only the kernel reads it: a write from a map that has lost its file fails. Whoever
looks at the bytes themselves gets them from a buffer.
"""

import errno
import mmap
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pipeline.errors import StorageError
from pipeline.store.files import close_quietly, storage_error, write_all
from pipeline.store.output import Output
from pipeline.store.tempdir import Place, TempDirectory
from pipeline.units import KIB, MIB

#: Bytes mapped at a time. All 75 MB of a segment made 139 MB of a process that has 70 with this; to
#: map once in 8 MB takes no time that could be measured.
_WINDOW = 8 * MIB

#: Bytes read at a time for an output that examines them.
_PIECE = 256 * KIB


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
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        if not file.size:
            flags |= os.O_TRUNC  # an earlier try's file may have defied its removal
        try:
            descriptor = os.open(file.path, flags, 0o600)
            try:
                written = sum(write_all(descriptor, view) for view in views)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise _write_error(file.path, error) from error
        file.size += written
        self.bytes += written
        self.spilled_bytes += written
        self.peak_bytes = max(self.peak_bytes, self.bytes)

    def write_to(self, file: SpillFile, output: Output) -> None:
        """Write the file's bytes to `output`. Raises StorageError: somebody has cut it, say."""
        if file.size == 0:  # an empty file cannot be mapped
            return
        try:
            with _opened(file) as descriptor:
                read = _pieces if output.examines else _windows
                for view in read(descriptor, file.size):
                    output.write(view)
        except OSError as error:
            raise storage_error("read", file.path, error) from error

    def delete(self, file: SpillFile) -> None:
        """Remove the file and the room it took. What cannot be removed goes with the directory."""
        with suppress(OSError):
            file.path.unlink(missing_ok=True)
            self.bytes -= file.size
        file.size = 0

    def close(self, keep: bool = False) -> Path | None:
        """Remove the temp directory (or leave it, if `keep`); returns its path if there was one.

        Raises StorageError when something is left that should not be.
        """
        directory, self._directory = self._directory, None
        if directory is None:
            return None
        try:
            if keep:
                directory.keep()
            else:
                directory.remove()
        except OSError as error:
            action = "leave for good" if keep else "remove"
            raise storage_error(action, directory.path, error) from error
        return directory.path


def _write_error(path: Path, error: OSError) -> StorageError:
    found = storage_error("write", path, error)
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return StorageError(f"{found} (--temp-dir names another place)")
    return found


@contextmanager
def _opened(file: SpillFile) -> Iterator[int]:
    """A descriptor to read the file, whose size must be what was written, before and after.

    After, because a file that is cut meanwhile shows zeros up to the end of its last page.
    """
    descriptor = os.open(file.path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _check_size(file, descriptor)
        try:
            yield descriptor
        finally:
            _check_size(file, descriptor)
    finally:
        close_quietly(descriptor)


def _windows(descriptor: int, size: int) -> Iterator[memoryview]:
    """The file's bytes, mapped; or read, without address space or on a file system without maps."""
    for place in range(0, size, _WINDOW):
        window = _map(descriptor, place, min(_WINDOW, size - place))
        if window is None:
            yield from _pieces(descriptor, size, place)
            return
        yield window
        del window  # the caller's is the last one: it goes when the next comes


def _map(descriptor: int, place: int, size: int) -> memoryview | None:
    """A read-only map of a part of the file, or None; also if the file has been cut before it.

    Unmapped with the last reference: closing it by hand would raise as long as a slice is alive, in
    the frames of an exception under way, say, and hide that one.
    """
    try:
        return memoryview(mmap.mmap(descriptor, size, access=mmap.ACCESS_READ, offset=place))
    except (OSError, ValueError):
        return None


def _pieces(descriptor: int, size: int, place: int = 0) -> Iterator[memoryview]:
    """The file's bytes from `place` on, each piece valid until the next."""
    buffer = memoryview(bytearray(min(_PIECE, size - place)))
    while place < size and (read := os.preadv(descriptor, [buffer[: size - place]], place)):
        yield buffer[:read]
        place += read


def _check_size(file: SpillFile, descriptor: int) -> None:
    size = os.fstat(descriptor).st_size
    if size != file.size:
        raise StorageError(f"{file.path} has {size} bytes instead of the {file.size} written")
