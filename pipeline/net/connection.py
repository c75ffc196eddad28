"""One connection to a server: request bytes out, the head of an answer in, then its body.

Works on a connected socket, plain or TLS. A body is read into the caller's buffer, one system call
at a time; what came with the head is handed out first. Not covered: how a connection is made
(`connect`), who uses it next (`connections`), where a body ends (`incoming`).
"""

import select
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from pipeline.net.ahead import LEAST_ROUND_TRIP
from pipeline.net.chunks import LONGEST_LINE
from pipeline.net.failure import FetchFailure, broken
from pipeline.net.heads import LONGEST_HEAD, Head, head_end, parse_head
from pipeline.net.pace import Pace

#: Bytes asked for with the head. What of it belongs to the body is copied once more: little enough
#: for that to cost nothing, and enough to have a small document in one system call.
_AHEAD = 16 * 1024

#: Seconds that the answer may take to a request that was sent beforehand, and to the first one on a
#: connection that was made beforehand, if others are answered meanwhile: a server with as many
#: workers as connections may not have taken it up. The request is made anew then.
_DUE_SECONDS = 3.0

#: Bytes by which a body is told from the one before it. Segments of MPEG-TS are alike in their
#: first two packets, which are tables, and have a time in the next one.
_OPENING_BYTES = 1024

#: What servers say, unasked, of a connection that has been idle for too long (408).
_TIMED_OUT = 408

#: Refusals that say something of the server, and not of what was asked for.
_BUSY = {429, 503}

#: What poll(2) says of a connection that its other end has closed, or on which something has come
#: that nobody asked for: it would be taken for the answer to the next request.
_UNFIT = select.POLLIN | select.POLLHUP | select.POLLERR

#: Interim answers to one request: servers send one or two.
_MOST_INTERIM = 16

_TIMEVAL = struct.Struct("@ll")


class Stale(Exception):
    """A connection that had been idle, or a request that was sent early, has had no fit answer."""


class NotBorne(Stale):
    """A request that was sent behind a body has had no answer that makes sense."""


class Connection:
    """A connected socket, and what has been read from it ahead."""

    def __init__(self, sock: socket.socket, timeout: float, round_trip: float = 0.0) -> None:
        """`timeout`: seconds for each wait for the server; `round_trip`: those to it and back."""
        self.round_trip = round_trip
        self.asked_ahead: str | None = None  # what the answer is to that comes next
        self.used = False  # a request has been sent
        self._early: bytes | None = None  # the request, if it was sent before it was wanted
        self._sock = sock
        self._timeout = timeout
        self._buffer = bytearray(_AHEAD)
        self._start = self._end = 0  # of what is in the buffer and has not been handed out
        self._waits = True  # for what has not come yet
        self._rested = False
        self._spoilt = False  # a part of a request has been sent
        self._opening: tuple[int, bytes] | None = None  # of the last body: its length, first bytes
        self._busy_since = self._brought = 0.0  # since when, and the bytes of bodies since then
        self._poll = select.poll()
        self._poll.register(sock, _UNFIT)
        _set_timeout(sock, timeout)

    def ask(self, request: bytes, others_are_served: Callable[[], bool] | None = None) -> Head:
        """Send `request` and return the head of the answer to it.

        `others_are_served`: of a connection that was made ahead, and may not have been taken up.
        Raises Stale if that is so, or if the server had closed the connection, FetchFailure,
        EOFError, OSError.
        """
        try:
            self._begin(request)
            if others_are_served is None:
                self._fill()
            else:
                self._fill_if_taken_up(others_are_served)
        except (ConnectionError, EOFError) as error:
            if self._rested:
                raise Stale from error
            raise
        return self._answer()

    def _fill_if_taken_up(self, others_are_served: Callable[[], bool]) -> None:
        """Wait for an answer to begin, on a connection that has had none yet.

        Raises Stale where it is only others that are answered, TimeoutError, OSError, EOFError.
        """
        deadline = time.monotonic() + self._timeout
        _set_timeout(self._sock, min(self._timeout, _DUE_SECONDS))
        while True:
            try:
                self._fill()
                break
            except TimeoutError as error:
                if others_are_served():
                    raise Stale from error
                if time.monotonic() >= deadline:
                    raise
        _set_timeout(self._sock, self._timeout)

    def _begin(self, request: bytes) -> None:
        self.used = True
        self._start = self._end = 0
        self._busy_since, self._brought = time.monotonic(), 0
        self._sock.sendall(request)

    def ask_early(self, what: str, request: bytes) -> None:
        """Send a request before its answer is wanted. Raises OSError.

        The answer to it, to be known by `what`, is `answer_due`.
        """
        self.asked_ahead, self._early = what, request
        self._begin(request)

    def ask_ahead(self, what: str, request: bytes) -> None:
        """Send a request while a body of a known length is still to be read. Raises OSError.

        The answer to it, to be known by `what`, is `answer_due` when that is done.
        """
        self.asked_ahead = what
        self._spoilt = True
        self._sock.sendall(request)
        self._spoilt = False

    def answer_due(self, request: bytes, others_are_served: Callable[[], bool]) -> Head:
        """The head of the answer to what was asked ahead, or early; `request` is what it should be.

        Raises NotBorne if it was asked ahead; if it was asked early, Stale, FetchFailure, EOFError,
        OSError.
        """
        self.asked_ahead = None
        if self._early is None:
            return self._answer_behind()
        early, self._early = self._early, None
        if early != request:  # cookies have changed: the answer may be another one now
            raise Stale
        try:
            self._fill_if_taken_up(others_are_served)
        except (ConnectionError, EOFError) as error:
            raise Stale from error
        head = self._answer()
        if head.status >= 400 and head.status not in _BUSY:  # it may be one of being too early
            raise Stale
        return head

    def _answer_behind(self) -> Head:
        """What is behind the body before.

        What makes no sense may be more than was announced of the body before it, and what is like
        that body may be its answer once more. An answer that does not come may never have been
        understood: it is not waited for as long as others.
        """
        former, self._opening = self._opening, None
        _set_timeout(self._sock, min(self._timeout, _DUE_SECONDS))
        try:
            self._fill()
            head = self._answer()
        except (OSError, EOFError, FetchFailure) as error:
            raise NotBorne from error
        if head.status == _TIMED_OUT or (former is not None and self._opening == former):
            raise NotBorne
        _set_timeout(self._sock, self._timeout)
        return head

    def _answer(self) -> Head:
        """The head of an answer; far away, with what its body begins with.

        Raises FetchFailure, EOFError, OSError.
        """
        head = self._final_head()
        if self.round_trip >= LEAST_ROUND_TRIP and (length := head.length) is not None:
            pace = None
            while self._end - self._start < min(length, _OPENING_BYTES):
                pace = self._read_on(pace)
            view = memoryview(self._buffer)[self._start : self._end]
            self._opening = length, bytes(view[:_OPENING_BYTES])
        return head

    def _final_head(self) -> Head:
        for _ in range(_MOST_INTERIM):
            head = self._head()
            if head.status >= 200:
                return head
            # An interim answer: the real one follows (RFC 9110 section 15.2).
        raise broken("the answer was no valid HTTP")

    @property
    def rate(self) -> float:
        """Bytes per second of bodies since it was last asked for something while it was idle.

        What comes in less than a round trip comes at once, and says nothing of a rate.
        """
        return self._brought / max(time.monotonic() - self._busy_since, self.round_trip, 0.001)

    def rest(self) -> bool:
        """Be idle until the next request; False if more has come than was asked for."""
        self._rested = True
        if self.asked_ahead is not None:
            return not self._spoilt
        return self._start == self._end and not _is_decrypted(self._sock)

    def wake(self) -> bool:
        """Get ready for another request; False if the connection is not fit for one any more."""
        found = self._poll.poll(0)
        if found and found[0][1] == select.POLLIN and hasattr(self._sock, "pending"):
            return _is_silent(self._sock, self._timeout)
        return not found

    def _head(self) -> Head:
        pace = None
        while (end := head_end(self._buffer, self._start, self._end)) < 0:
            if self._end - self._start >= LONGEST_HEAD:
                raise broken("the answer was no valid HTTP")
            pace = self._read_on(pace)
        data = bytes(memoryview(self._buffer)[self._start : end])
        self._start = end
        return parse_head(data)

    def read_line(self) -> bytes:
        """A line, its end included. Raises FetchFailure, EOFError, OSError."""
        pace = None
        while (found := self._buffer.find(b"\n", self._start, self._end)) < 0:
            if self._end - self._start >= LONGEST_LINE:
                raise broken("the answer was no valid HTTP")
            pace = self._read_on(pace)
        line = bytes(memoryview(self._buffer)[self._start : found + 1])
        self._start = found + 1
        return line

    def read_into(self, view: memoryview) -> int:
        """Some bytes of the body; 0 at the end of the stream. Raises OSError."""
        size = min(self._end - self._start, len(view))
        if size:
            view[:size] = memoryview(self._buffer)[self._start : self._start + size]
            self._start += size
        else:
            size = self._receive(view)
        self._brought += size
        return size

    def _read_on(self, pace: Pace | None) -> Pace:
        """Read more of a head or of a line. Raises FetchFailure where it comes drop by drop."""
        pace = pace or Pace(time.monotonic, self._timeout)
        before = self._end - self._start
        self._fill()
        pace.received(self._end - self._start - before)
        return pace

    def _fill(self) -> None:
        """Read something into the buffer. Raises EOFError at the end of the stream, OSError."""
        if self._start == self._end:
            self._start = self._end = 0
        elif self._end == len(self._buffer):
            self._make_room()
        size = self._receive(memoryview(self._buffer)[self._end :])
        if not size:
            raise EOFError("the connection has ended")
        self._end += size

    def _make_room(self) -> None:
        """Behind what has not been handed out, in the place of what has, or in a larger buffer."""
        rest = self._buffer[self._start : self._end]
        if len(rest) == len(self._buffer):
            self._buffer += bytes(len(rest))
        self._buffer[: len(rest)] = rest
        self._start, self._end = 0, len(rest)

    @contextmanager
    def without_waiting(self) -> Iterator[None]:
        """In here, what has not come yet is taken for the end of the stream."""
        self._waits = False
        try:
            yield
        finally:
            self._waits = True

    def _receive(self, view: memoryview) -> int:
        if not self._waits:
            return self._receive_at_hand(view)
        try:
            return self._sock.recv_into(view)
        except BlockingIOError as error:  # how SO_RCVTIMEO says that it is over
            raise TimeoutError from error

    def _receive_at_hand(self, view: memoryview) -> int:
        if hasattr(self._sock, "pending"):
            return self._sock.recv_into(view) if self._sock.pending() else 0
        try:
            return self._sock.recv_into(view, 0, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return 0

    def close(self) -> None:
        """End the connection."""
        with suppress(OSError):
            self._sock.close()


def _is_decrypted(sock: socket.socket) -> bool:
    """Whether TLS holds more bytes ready: poll(2) sees nothing of them."""
    return hasattr(sock, "pending") and sock.pending() > 0


def _is_silent(sock: Any, timeout: float) -> bool:
    """Whether TLS has nothing for us: what has come are tickets, for sessions to be resumed."""
    import ssl  # noqa: PLC0415  (it is there by now)

    sock.setblocking(False)
    try:
        sock.recv(1)
    except ssl.SSLWantReadError:
        return True
    except OSError:
        return False
    finally:
        sock.settimeout(timeout)
    return False


def _set_timeout(sock: socket.socket, seconds: float) -> None:
    """Let the kernel watch over plain sockets.

    Python's own timeout asks with poll(2) before every read: a fifth of the CPU time of a body.
    TLS is left to it, since what OpenSSL makes of a read that was given up is not worth knowing.
    """
    if hasattr(sock, "cipher"):
        sock.settimeout(seconds)
        return
    sock.settimeout(None)
    whole = int(seconds)
    limit = _TIMEVAL.pack(whole, max(int((seconds - whole) * 1_000_000), 1 if not whole else 0))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
