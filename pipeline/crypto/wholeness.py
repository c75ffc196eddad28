"""Does a segment end where its container says that it does?

Where a server announces no length, the end of the connection is the end of the body, and nobody
can tell a whole one from one that was cut. MPEG-TS consists of packets and fMP4 of boxes that say
how long they are: a body that ends inside of one is not whole. Other formats show nothing of it.
"""

from dataclasses import dataclass

_TS_PACKET = 188
_SYNC = 0x47

_HEADER = 8
_LARGE_HEADER = 16


class Wholeness:
    """Watches the bytes of one segment go by."""

    def __init__(self) -> None:
        self._container: _Packets | _Boxes | None = None

    def watch(self, view: memoryview) -> None:
        """The next bytes of the segment."""
        if not view:
            return
        if self._container is None:
            self._container = _Packets() if view[0] == _SYNC else _Boxes()
        self._container.watch(view)

    @property
    def shows(self) -> bool:
        """Whether what has been watched so far is a segment that is whole."""
        return self._container is not None and self._container.whole


@dataclass(slots=True)
class _Packets:
    """MPEG-TS (ISO/IEC 13818-1 section 2.4.3)."""

    _size: int = 0

    def watch(self, view: memoryview) -> None:
        self._size += len(view)

    @property
    def whole(self) -> bool:
        return self._size % _TS_PACKET == 0


class _Boxes:
    """The outermost boxes of fMP4 (ISO/IEC 14496-12 section 4.2)."""

    def __init__(self) -> None:
        self._left = 0  # bytes until the next box
        self._header = bytearray()  # of a box that has begun
        self._readable = True

    def watch(self, view: memoryview) -> None:
        place = 0
        while self._readable and place < len(view):
            if self._left:
                size = min(self._left, len(view) - place)
                self._left -= size
            else:
                size = min(self._missing(), len(view) - place)
                self._header += view[place : place + size]
                if not self._missing():
                    self._enter()
            place += size

    def _missing(self) -> int:
        """Bytes that the header of the box lacks."""
        large = self._header[:4] == b"\0\0\0\1"
        return (_LARGE_HEADER if large else _HEADER) - len(self._header)

    def _enter(self) -> None:
        """The header is here: how long is the box? One of size 0 goes on up to the end."""
        length = len(self._header)
        size = int.from_bytes(self._header[8:] or self._header[:4], "big")
        self._readable = size >= length
        self._left = max(size - length, 0)
        self._header.clear()

    @property
    def whole(self) -> bool:
        return self._readable and not self._left and not self._header
