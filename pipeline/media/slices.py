"""A stretch of a file as a file that is read once, forwards, and may be released behind the reader.

Releasing punches holes: the blocks go back to the file system, the file keeps its length. Linux
only; elsewhere nothing is released.
"""

import ctypes
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

_PUNCH_HOLE_KEEP_SIZE = 0x02 | 0x01
_STEP = 8 << 20  # bytes between two holes
_BLOCK = 4096


class Slice:
    """`prefix`, then the bytes from `start` to `end` of the file.

    Without `seek`, so that FFmpeg reads it front to back and nothing twice.
    """

    def __init__(
        self, path: Path, start: int, end: int, prefix: bytes = b"", *, release: bool = False
    ) -> None:
        self._file = path.open("r+b" if release else "rb", buffering=0)
        self._file.seek(start)
        self._prefix = prefix
        self._position, self._end = start, end
        self._released = start - start % _BLOCK if release else None
        self.on_read: Callable[[int], None] = lambda _: None

    def read(self, size: int = -1) -> bytes:
        """At most that many bytes; b"" at the end."""
        if self._prefix:
            data, self._prefix = self._prefix[:size], self._prefix[size:]
            return data
        data = self._file.read(min(size, self._end - self._position)) or b""
        self._position += len(data)
        self.on_read(len(data))
        self._release()
        return data

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _release(self) -> None:
        if self._released is None or self._position - self._released < _STEP:
            return
        until = self._position - self._position % _BLOCK
        punch_hole(self._file.fileno(), self._released, until - self._released)
        self._released = until


def punch_hole(descriptor: int, start: int, length: int) -> bool:
    """Give these bytes' blocks back, if the system can."""
    if sys.platform != "linux":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    call = getattr(libc, "fallocate64", None) or libc.fallocate
    call.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]
    return bool(call(descriptor, _PUNCH_HOLE_KEEP_SIZE, start, length) == 0)
