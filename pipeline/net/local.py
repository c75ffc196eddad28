"""Local files in the place of responses: what a playlist on this machine may name.

A remote playlist never gets here: its plan refuses everything but http and https
(`hls.urls.require_fetchable`), and so does a redirect (`transport`).
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import unquote, urlsplit

from pipeline.errors import HlspipeError, SegmentsMissingError, StorageError
from pipeline.net.body import read_body
from pipeline.net.failure import FetchFailure, Patience


def is_local(url: str) -> bool:
    """Whether `url` is a file on this machine: a file: URL or a bare path."""
    return urlsplit(url).scheme.lower() in ("", "file")


def local_path(url: str) -> str:
    """The path that a local URL stands for."""
    parts = urlsplit(url)
    return unquote(parts.path) if parts.scheme else url


class FileBody:
    """A part of a file, with the interface of `body.Body`."""

    until_close = False

    def __init__(self, descriptor: int, offset: int, length: int) -> None:
        """`length` bytes from `offset` on."""
        self._descriptor = descriptor
        self._offset = offset
        self._left = length

    @property
    def ended(self) -> bool:
        """Whether every byte has been read."""
        return self._left == 0

    def readinto(self, view: memoryview) -> int:
        """Fill `view`; fewer bytes than fit mean the end. Raises FetchFailure."""
        wanted = min(len(view), self._left)
        size = 0
        while size < wanted:
            try:
                read = os.preadv(self._descriptor, [view[size:wanted]], self._offset)
            except OSError as error:
                raise _unreadable(error) from error
            if not read:
                raise FetchFailure(StorageError, "the file is too short", Patience.NEVER)
            size += read
            self._offset += read
        self._left -= size
        return size


@contextmanager
def open_local(
    url: str,
    byte_range: tuple[int, int] | None = None,
    missing: type[HlspipeError] = SegmentsMissingError,
) -> Iterator[FileBody]:
    """The body of a local file, or of a part of it. Raises FetchFailure; `missing` if it is not."""
    try:
        # A named pipe would be waited for, for ever if need be.
        descriptor = os.open(local_path(url), os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError as error:
        reason = error.strerror or "there is no such file"
        raise FetchFailure(missing, reason, Patience.NEVER) from error
    except (OSError, ValueError) as error:
        raise _unreadable(error) from error
    try:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            raise FetchFailure(StorageError, "it is no regular file", Patience.NEVER)
        offset, length = byte_range or (0, about.st_size)
        yield FileBody(descriptor, offset, length)
    finally:
        os.close(descriptor)


def _unreadable(error: OSError | ValueError) -> FetchFailure:
    reason = getattr(error, "strerror", None) or str(error)
    return FetchFailure(StorageError, reason, Patience.NEVER)


def read_local(url: str, cap: int, byte_range: tuple[int, int] | None = None) -> bytes:
    """The whole of a small local file. Raises FetchFailure."""
    with open_local(url, byte_range, StorageError) as body:
        return read_body(body, cap)
