"""Bodies in chunks: where one ends and the next begins (RFC 9112 section 7.1).

Strict: what is no size of a chunk, or does not end where it said, is no body. Knows neither sockets
nor heads; whoever has them says how a line and how some bytes are read.
"""

import re
from collections.abc import Callable

from pipeline.net.failure import FetchFailure, broken

_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\r\n]*)?\r?\n")

#: Bytes of a line between chunks, extensions included.
LONGEST_LINE = 4096

#: Lines behind the last chunk: trailers, which say nothing that we ask for. Each is waited for.
_MOST_TRAILERS = 16


class Chunks:
    """Reads one body."""

    def __init__(
        self, read_line: Callable[[], bytes], read_into: Callable[[memoryview], int]
    ) -> None:
        """Both read what comes next: a line with its end, or some bytes; nothing at the end."""
        self.ended = False
        self._read_line = read_line
        self._read_into = read_into
        self._left = 0  # of the chunk

    def read_into(self, view: memoryview) -> int:
        """Some bytes; 0 at the end of the body. Raises FetchFailure, EOFError, and as its reads."""
        if not self._left and not self.ended:
            self._begin_chunk()
        if self.ended:
            return 0
        size = self._read_into(view[: self._left])
        if not size:
            raise EOFError("the connection has ended")
        self._left -= size
        if not self._left and self._line().strip():
            raise _invalid()
        return size

    def _begin_chunk(self) -> None:
        match = _SIZE.fullmatch(self._line())
        if match is None:
            raise _invalid()
        self._left = int(match[1], 16)
        if not self._left:
            self._pass_trailers()

    def _pass_trailers(self) -> None:
        for _ in range(_MOST_TRAILERS):
            if not self._line().strip():
                self.ended = True
                return
        raise _invalid()

    def _line(self) -> bytes:
        line = self._read_line()
        if not line.endswith(b"\n") and len(line) <= LONGEST_LINE:
            raise EOFError("the connection has ended")
        return line


def _invalid() -> FetchFailure:
    return broken("the body was chunked in no valid way")
