"""The archive of a batch: what has been downloaded once and for all.

One line for each URL: its SHA-256, and the URL without its query, for people. Several runs may
share an archive: lines are appended under a lock, and forced to the disk.
"""

import fcntl
import hashlib
import os
from pathlib import Path

from pipeline.store.files import storage_error, write_all
from pipeline.units import public_url


class Archive:
    """The URLs that are done."""

    def __init__(self, path: Path) -> None:
        """Read what is there; a file that is not will be made. Raises StorageError."""
        self._path = path
        try:
            lines = path.read_text("utf-8", "replace").splitlines()
        except FileNotFoundError:
            lines = []
        except OSError as error:
            raise storage_error("read the archive", path, error) from error
        self._done = {line.split(" ", 1)[0] for line in lines if line}

    def __contains__(self, url: str) -> bool:
        """Whether `url` is done."""
        return _digest(url) in self._done

    def add(self, url: str) -> None:
        """`url` is done, for this run and all others. Raises StorageError."""
        line = f"{_digest(url)} {public_url(url)}\n".encode()
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        try:
            descriptor = os.open(self._path, flags, 0o666)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                write_all(descriptor, line)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise storage_error("write the archive", self._path, error) from error
        self._done.add(_digest(url))


def _digest(url: str) -> str:
    return hashlib.sha256(url.encode("utf-8", "surrogateescape")).hexdigest()
