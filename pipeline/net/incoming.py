"""The body of one answer on a connection of ours: where it ends, and what becomes of that.

RFC 9112 section 6.3: an announced length, chunks, or the end of the connection. The interface is
that of `answers.Answer`; `requested` has the same for answers that come through requests.
"""

from collections.abc import Mapping

from pipeline.net.chunks import Chunks
from pipeline.net.connection import Connection
from pipeline.net.connections import Home, Site
from pipeline.net.failure import FetchFailure
from pipeline.net.heads import Head

#: Bytes of a body that nobody wants, and that are passed over for the sake of the connection.
_WASTE_BYTES = 16 * 1024


class Incoming:
    """An answer whose body is still on its connection."""

    def __init__(
        self,
        url: str,
        head: Head,
        connection: Connection,
        home: Home,
    ) -> None:
        """`home` takes the connection back when it is good for another request."""
        self.url = url
        self.status = head.status
        self.reason = head.reason
        self.headers: Mapping[str, str] = head.headers
        self._connection = connection
        self._home = home
        self._keeps_alive = head.keeps_alive
        self._minor = head.minor
        self._chunks = None
        if head.chunked:
            self._chunks = Chunks(connection.read_line, connection.read_into)
        self._left = head.length  # None: in chunks, or to the end of the connection
        self._ended = self._left == 0
        self._released = False

    @property
    def length(self) -> int | None:
        """Bytes still to come, as far as the server has announced them."""
        return self._left

    @property
    def until_close(self) -> bool:
        """Whether the body ends with the connection: nobody can tell if it is whole."""
        return self._chunks is None and self._left is None

    @property
    def idle_share(self) -> float:
        """The part of the connections to the same site that lie idle: the rest could come there."""
        return self._home.idle_share

    @property
    def site(self) -> Site:
        """Where its connection leads."""
        return self._home.site

    @property
    def round_trip(self) -> float:
        """Seconds to the server and back; 0 where it must not be asked for more beforehand.

        That takes a body whose end is known, and a connection that is kept behind it.
        """
        if self._left is None or not self._keeps_alive or not self._minor:
            return 0.0
        return self._connection.round_trip if self._home.bears_more else 0.0

    @property
    def rate(self) -> float:
        """Bytes per second that the connection brings."""
        return self._connection.rate

    def ask_ahead(self, what: str, request: bytes) -> None:
        """Send one more request, while this body is still coming. Raises OSError."""
        self._connection.ask_ahead(what, request)

    def read_into(self, view: memoryview) -> int:
        """Some bytes; 0 at the end of the body. Raises FetchFailure, EOFError, OSError."""
        try:
            return self._read_into(view)
        except BaseException:
            self._keeps_alive = False  # what comes next on the connection is nobody's guess
            raise

    def _read_into(self, view: memoryview) -> int:
        if self._ended:
            return 0
        if self._chunks is not None:
            size = self._chunks.read_into(view)
            self._ended = self._chunks.ended
            return size
        if self._left is None:
            size = self._connection.read_into(view)
            self._ended = not size
            self._keeps_alive = False
            return size
        size = self._received(view[: self._left])
        if not size:
            raise EOFError("the connection has ended")
        self._left -= size
        self._ended = not self._left
        return size

    def _received(self, view: memoryview) -> int:
        """Some bytes. The end is not to come while the answer to another request is due."""
        if self._connection.asked_ahead is None:
            return self._connection.read_into(view)
        size = 0
        try:
            size = self._connection.read_into(view)
        finally:
            if not size:
                self._home.ask_one_by_one()
        return size

    def release(self) -> None:
        """The body is not read any further: keep the connection if it is at its end, or close it.

        More than once is no matter.
        """
        if self._released:
            return
        self._released = True
        if self._keeps_alive and self._is_at_hand() and self._connection.rest():
            self._home.give_back(self._connection)
        else:
            self._connection.close()

    def _is_at_hand(self) -> bool:
        """Whether the rest has come already, and is little: the server is not waited for.

        So it is with the page of a redirect, and with a last chunk, which says nothing else.
        """
        if self._ended:
            return True
        left = _WASTE_BYTES
        waste = memoryview(bytearray(left))
        try:
            with self._connection.without_waiting():
                while left > 0 and (size := self._read_into(waste)):
                    left -= size
        except (FetchFailure, EOFError, OSError):
            return False
        return self._ended
