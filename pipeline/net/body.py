"""The bytes of one response, read from the socket into the caller's buffer.

No object is made for a read: fresh memory cost 1.9 CPU seconds per GB instead of 0.5, most of it
page faults. A buffer that exists already is filled, one system call at a time, so that the pace can
be watched. Not covered: where a body ends on the wire (`incoming`).
"""

import time
from collections.abc import Callable, Iterator
from typing import Protocol

from pipeline.errors import NetworkError
from pipeline.net.ahead import Ahead
from pipeline.net.answers import Answer
from pipeline.net.failure import FetchFailure, Patience, broken
from pipeline.net.lag import Lag
from pipeline.net.pace import Pace
from pipeline.net.translation import translated
from pipeline.units import GIB, format_mb

#: Bytes of a body whose length nobody has announced: one without an end would fill every disk.
MOST_UNANNOUNCED = GIB

#: Bytes of one whose length is announced: more than any film takes as a single segment. A server
#: that announces 2^62 would fill every disk as well.
MOST_ANNOUNCED = 64 * GIB

#: For what is small, or passed over.
_PIECE_BYTES = 64 * 1024


class Readable(Protocol):
    """Bytes that are read into a buffer: a body, or a file in its place."""

    @property
    def ended(self) -> bool:
        """Whether it is known that no more will come."""
        ...

    @property
    def until_close(self) -> bool:
        """Whether it ends with the connection: nobody can tell whether it is whole."""
        ...

    def readinto(self, view: memoryview) -> int:
        """Fill `view`; fewer bytes than fit mean the end. Raises FetchFailure."""
        ...


class Allowance(Protocol):
    """How much may be read from the network."""

    def take(self, wanted: int) -> int:
        """Leave to read up to `wanted` bytes, and at least one; waits for it."""
        ...

    def give_back(self, size: int) -> None:
        """So many bytes that were allowed did not come."""
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

    until_close = False

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
        answer: Answer,
        skip: int,
        byte_range: tuple[int, int] | None,
        timeout: float,
        allowance: Allowance | None = None,
        lag: Lag | None = None,
    ) -> None:
        """Pass over `skip` bytes, then give those of `byte_range` (None: all).

        Reading stops when it is found to `lag`. Raises FetchFailure.
        """
        self._pace = Pace(time.monotonic, timeout)
        self._lag = lag
        self.lags = False  # the rest had better come through another connection
        self._read: Callable[[memoryview], int] = answer.read_into
        if allowance is not None:
            self._read = _limited(answer.read_into, allowance, self._pace)
        self._wanted = byte_range[1] if byte_range else answer.length  # to come, if it is known
        self.received = 0  # bytes that were read into views, also by a read that failed then
        self._until_close = self._wanted is None and answer.until_close
        self._pass_over(skip)
        self._is_all = self._wanted == answer.length  # nothing comes behind what is wanted
        self._ahead: Ahead | None = None

    def look_ahead(self, ahead: Ahead) -> None:
        """Tell `ahead` of what comes, if the connection is free for another answer behind it."""
        self._ahead = ahead if self._is_all else None

    @property
    def ended(self) -> bool:
        """Whether all bytes that were announced have been read."""
        return self._wanted == 0

    @property
    def until_close(self) -> bool:
        """Whether it ends with the connection: nobody can tell whether it is whole."""
        return self._until_close

    def readinto(self, view: memoryview) -> int:
        """Fill `view`; fewer bytes than fit mean the end of the body. Raises FetchFailure."""
        if self._wanted is not None:
            view = view[: self._wanted]
        self._pace.excuse()
        before = self.received
        self._fill(view)
        size = self.received - before
        if self._wanted is None:
            self._refuse_endless()
        elif size < len(view) and not self.lags:
            raise broken("the connection ended before the body was complete")
        else:
            self._wanted -= size
            if not self._wanted and self._lag is not None:
                self._lag.ended()
        return size

    def _fill(self, view: memoryview) -> None:
        size = 0
        try:
            with translated():
                while size < len(view) and not self.lags:
                    read = self._read(view[size:])
                    if not read:
                        break
                    size += read
                    self._pace.received(read)
                    left = (self._wanted or size) - size
                    if self._lag is not None:
                        self.lags = self._lag.received(read, left)
                    if self._ahead is not None:
                        self._ahead.received(left)
        finally:
            self.received += size

    def stay(self) -> None:
        """The rest comes through this connection, however long it takes."""
        self.lags = False
        if self._lag is not None:
            self._lag.stay()

    def _refuse_endless(self) -> None:
        if self.received > MOST_UNANNOUNCED:
            raise _too_large(MOST_UNANNOUNCED, "and the server never said how large")

    def _pass_over(self, size: int) -> None:
        waste = memoryview(bytearray(min(size, _PIECE_BYTES)))
        while size:
            with translated():
                read = self._read(waste[:size])
            if not read:
                raise broken("the connection ended before the range began")
            self._pace.received(read)
            size -= read


def refuse_immense(size: int | None) -> None:
    """Refuse a segment of so many bytes, as it is announced. Raises FetchFailure."""
    if size is not None and size > MOST_ANNOUNCED:
        raise _too_large(MOST_ANNOUNCED, "by the server's own account")


def _too_large(most: int, what: str) -> FetchFailure:
    reason = f"it is larger than {format_mb(most)}, {what}"
    return FetchFailure(NetworkError, reason, Patience.NEVER)


def _limited(
    read: Callable[[memoryview], int], allowance: Allowance, pace: Pace
) -> Callable[[memoryview], int]:
    """The same reads, each of no more than what is allowed at the moment."""

    def read_allowed(view: memoryview) -> int:
        before = time.monotonic()
        allowed = allowance.take(len(view))
        pace.waited(time.monotonic() - before)
        size = 0
        try:
            size = read(view[:allowed])
        finally:
            allowance.give_back(allowed - size)
        return size

    return read_allowed


def pieces(body: Readable) -> Iterator[memoryview]:
    """All of `body`, piece by piece; each is valid until the next. Raises FetchFailure."""
    piece = memoryview(bytearray(_PIECE_BYTES))
    while not body.ended:
        size = body.readinto(piece)
        yield piece[:size]
        if size < len(piece):
            return
