"""A body without the picture that stands before its segment (`--strip-images`)."""

from pipeline.crypto.images import hidden_start
from pipeline.net.body import Readable
from pipeline.units import KIB

#: How far into a body its segment is looked for. Pictures that are put before segments are some
#: hundred bytes, a few dozen KB where they are real ones.
LOOKED_AT = 256 * KIB


class Undisguised:
    """A body with the interface of `net.body.Readable`, from where its segment begins."""

    def __init__(self, body: Readable, encrypted: bool) -> None:
        """Reads as much of `body` as is looked at. Raises FetchFailure."""
        self._body = body
        head = bytearray(LOOKED_AT)
        size = body.readinto(memoryview(head))
        start = hidden_start(bytes(head[:size]), encrypted=encrypted)
        self._head = memoryview(head)[start:size]
        self._all_read = size < LOOKED_AT

    @property
    def ended(self) -> bool:
        """Whether it is known that no more will come."""
        return not self._head and (self._all_read or self._body.ended)

    @property
    def until_close(self) -> bool:
        """Whether it ends with the connection: nobody can tell whether it is whole."""
        return self._body.until_close

    def readinto(self, view: memoryview) -> int:
        """Fill `view`; fewer bytes than fit mean the end. Raises FetchFailure."""
        size = min(len(view), len(self._head))
        view[:size] = self._head[:size]
        self._head = self._head[size:]
        if size < len(view) and not self.ended:
            size += self._body.readinto(view[size:])
        return size
