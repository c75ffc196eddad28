"""The journal of a `.part`: which items are in it, so that a later run need not fetch them again.

One line for each whole item, in order: index, offset, length, checksum. It claims nothing that is
not checked: `proven` reads the bytes again, and believes the journal only as far as they agree with
it. So a line that was torn, a byte that flipped and a write that never reached the disk all cost
the items from there on, and nothing else.
"""

import os
import stat
import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pipeline.store.digest import Digest
from pipeline.store.files import close_quietly, sync, write_all
from pipeline.units import KIB, MIB

_FORMAT = "hlspipe-journal 1"

#: Characters of a journal that are read: twice what the most segments take.
_LARGEST = 32 * MIB

#: Bytes read at a time when a `.part` is checked.
_PIECE = 256 * KIB

#: Seconds between two moments at which data, then journal, are forced to the disk. For a kill
#: nothing needs to be: the system has the bytes. After a power failure this much is lost.
_SYNC_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Entry:
    """One whole item in the `.part`."""

    index: int
    offset: int
    length: int
    checksum: int  # CRC-32: what is guarded against is accident


class Journal:
    """The journal of an output that is being written; follows its writes item by item."""

    def __init__(self, path: Path, identity: str, entries: list[Entry], data: int) -> None:
        """Begin the journal with `entries`. `data` is the descriptor of the `.part`.

        Raises OSError.
        """
        self._data = data
        self._path = path
        self._synced = time.monotonic()
        self._checksum = 0  # of the item that is being written
        self._descriptor = _own_file(path)
        try:
            self._begin(f"{_FORMAT} {identity}\n" + "".join(map(_line, entries)))
        except OSError:
            self.close()
            raise

    def _begin(self, text: str) -> None:
        """Have `text` in the file and nothing else.

        What is there already is cut, not written anew: where the disk is full that would fail, and
        cost everything that an earlier run has kept.
        """
        begun = text.encode()
        there = os.pread(self._descriptor, len(begun), 0) == begun
        os.ftruncate(self._descriptor, len(begun) if there else 0)
        if there:
            os.lseek(self._descriptor, 0, os.SEEK_END)
        else:
            write_all(self._descriptor, begun)

    def update(self, data: memoryview) -> None:
        """`data`, of the item that is being written, went to the `.part`."""
        self._checksum = zlib.crc32(data, self._checksum)

    def rollback(self) -> None:
        """The item that was being written is taken back."""
        self._checksum = 0

    def commit(self, index: int, offset: int, length: int) -> None:
        """Item `index` is whole in the `.part`. Raises OSError."""
        self._add(Entry(index, offset, length, self._checksum))
        self._checksum = 0

    def _add(self, entry: Entry) -> None:
        now = time.monotonic()
        due = now - self._synced >= _SYNC_SECONDS
        if due:
            sync(self._data)
        write_all(self._descriptor, _line(entry).encode())
        if due:
            sync(self._descriptor)
            self._synced = now

    def close(self) -> None:
        """Leave the journal as it is. A line that is lost costs its item, and is no error."""
        close_quietly(self._descriptor)


def _own_file(path: Path) -> int:
    """A descriptor of the journal at `path`, or of a new one. Raises OSError.

    What leads elsewhere under this name, or has another one as well, may be anybody's: it goes.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    with suppress(FileNotFoundError):
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
            path.unlink(missing_ok=True)
            flags |= os.O_EXCL
    return os.open(path, flags, 0o666)


def _line(entry: Entry) -> str:
    return f"{entry.index} {entry.offset} {entry.length} {entry.checksum}\n"


def recorded(path: Path, identity: str) -> list[Entry]:
    """What the journal at `path` claims; nothing if it is not there or of another plan."""
    try:
        lines = _text(path).split("\n")
    except (OSError, UnicodeDecodeError):
        return []
    if lines[0] != f"{_FORMAT} {identity}":
        return []
    return list(_contiguous(lines[1:-1]))


def _text(path: Path) -> str:
    """What is in a file, and in nothing else of this name: a pipe would keep us waiting."""
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    with os.fdopen(os.open(path, flags), encoding="ascii") as file:
        return file.read(_LARGEST) if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else ""


def _is_number(field: str) -> bool:
    """Python refuses to make a number of thousands of digits."""
    return field.isdigit() and len(field) <= 20


def _contiguous(lines: list[str]) -> Iterator[Entry]:
    """Entries for as long as each follows the one before it, from the first item on."""
    index = offset = 0
    for line in lines:
        fields = line.split(" ")
        if len(fields) != 4 or not all(map(_is_number, fields)):
            return
        entry = Entry(*map(int, fields))
        if (entry.index, entry.offset) != (index, offset):
            return
        yield entry
        index, offset = index + 1, offset + entry.length


def proven(descriptor: int, entries: list[Entry], digest: Digest) -> list[Entry]:
    """The entries, from the first on, whose bytes in the `.part` are what they say.

    `digest` follows them. Bytes that cannot be read prove nothing.
    """
    buffer = memoryview(bytearray(_PIECE))
    good: list[Entry] = []
    for entry in entries:
        if not _matches(descriptor, entry, buffer, digest):
            digest.rollback()
            break
        digest.commit()
        good.append(entry)
    return good


def _matches(descriptor: int, entry: Entry, buffer: memoryview, digest: Digest) -> bool:
    checksum = size = 0
    with suppress(OSError):
        for piece in _pieces(descriptor, entry, buffer):
            checksum = zlib.crc32(piece, checksum)
            digest.update(piece)
            size += len(piece)
    return (size, checksum) == (entry.length, entry.checksum)


def _pieces(descriptor: int, entry: Entry, buffer: memoryview) -> Iterator[memoryview]:
    place, end = entry.offset, entry.offset + entry.length
    while place < end:
        read = os.preadv(descriptor, [buffer[: end - place]], place)
        if not read:
            return
        yield buffer[:read]
        place += read
