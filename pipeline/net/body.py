"""The bytes of one response, read from the socket into the caller's buffer.

`response.raw.read` makes a new object for each read: 1.9 CPU seconds per GB instead of 0.5, most
of it page faults. Here the socket's file fills a buffer that exists already, one system call at a
time, so that the pace can be watched; what http.client and urllib3 would add (errors translated, a
short body refused, the connection given back) is done here.
"""

import time
from collections.abc import Callable
from typing import Any, Protocol

import requests

from pipeline.errors import NetworkError
from pipeline.net.failure import FetchFailure, Patience, broken
from pipeline.net.pace import Pace
from pipeline.net.translation import translated

#: For what is small, or passed over.
_PIECE_BYTES = 64 * 1024


class Readable(Protocol):
    """Bytes that are read into a buffer: a body, or a file in its place."""

    @property
    def ended(self) -> bool:
        """Whether it is known that no more will come."""
        ...

    def readinto(self, view: memoryview) -> int:
        """Fill `view`; fewer bytes than fit mean the end. Raises FetchFailure."""
        ...


def read_body(body: Readable, cap: int) -> bytes:
    """All of `body`, which has at most `cap` bytes. Raises FetchFailure."""
    data = bytearray()
    piece = memoryview(bytearray(min(cap + 1, _PIECE_BYTES)))
    while not body.ended:
        size = body.readinto(piece)
        data += piece[:size]
        if len(data) > cap:
            raise FetchFailure(NetworkError, f"it is larger than {cap} bytes", Patience.NEVER)
        if size < len(piece):
            break
    return bytes(data)


class Bytes:
    """Bytes that are here already, with the interface of `Body`."""

    def __init__(self, data: bytes) -> None:
        self._left = memoryview(data)

    @property
    def ended(self) -> bool:
        """Whether every byte has been read."""
        return not self._left

    def readinto(self, view: memoryview) -> int:
        """Fill `view`; fewer bytes than fit mean the end."""
        size = min(len(view), len(self._left))
        view[:size] = self._left[:size]
        self._left = self._left[size:]
        return size


class Body:
    """A body that ends as it was announced, or raises."""

    def __init__(
        self,
        response: requests.Response,
        skip: int,
        byte_range: tuple[int, int] | None,
        timeout: float,
    ) -> None:
        """Pass over `skip` bytes, then give those of `byte_range` (None: all). Raises FetchFailure.

        What the server adds in an encoding that was not asked for is refused: its bytes are not
        the segment's.
        """
        encoding = response.headers.get("content-encoding", "identity").strip().lower()
        if encoding not in ("", "identity"):
            raise broken("the server compressed a body that was to be sent as it is")
        self._raw: Any = response.raw
        # urllib3 keeps the response that it reads from under this name; requests relies on it too.
        source: Any = self._raw._original_response  # noqa: SLF001
        self._source = source
        self._read = _chunked_reader(source) if source.chunked else source.fp.readinto1
        self._pace = Pace(time.monotonic, timeout)
        self._wanted = byte_range[1] if byte_range else None  # bytes still to come, if known
        if self._wanted is None and source.length is not None:
            self._wanted = source.length
        self._pass_over(skip)

    @property
    def ended(self) -> bool:
        """Whether all bytes that were announced have been read."""
        return self._wanted == 0

    def readinto(self, view: memoryview) -> int:
        """Fill `view`; fewer bytes than fit mean the end of the body. Raises FetchFailure."""
        if self._wanted is not None:
            view = view[: self._wanted]
        self._pace.excuse()
        size = 0
        with translated():
            while size < len(view):
                read = self._read(view[size:])
                if not read:
                    break
                size += read
                self._pace.received(read)
        self._account(size)
        if self._wanted is not None:
            if size < len(view):
                raise broken("the connection ended before the body was complete")
            self._wanted -= size
        return size

    def _account(self, size: int) -> None:
        """Tell http.client what was read past it, and let it see the end of the body."""
        if self._source.chunked or self._source.length is None:
            return
        self._source.length -= size
        if self._source.length == 0:
            self._source.readinto(bytearray(1))

    def give_back(self) -> bool:
        """Return the connection for the next request; False if it is not fit for one."""
        if not self._source.isclosed():
            return False
        self._raw.release_conn()
        return True

    def _pass_over(self, size: int) -> None:
        waste = memoryview(bytearray(min(size, _PIECE_BYTES)))
        while size:
            with translated():
                read = self._read(waste[:size])
            if not read:
                raise broken("the connection ended before the range began")
            self._pace.received(read)
            self._account(read)
            size -= read


def _chunked_reader(source: Any) -> Callable[[memoryview], int]:
    """Reads of a chunked body, one system call each; http.client has no `readinto1` for it."""

    def read(view: memoryview) -> int:
        data = source.read1(len(view))
        view[: len(data)] = data
        return len(data)

    return read
