"""Documents that were compressed on their way, and how large they may get.

A body of 200 KB can stand for 200 MB: bytes are decoded piece by piece, and no further than the
caller's cap. Segments are never compressed (`body`).
"""

import zlib
from collections.abc import Iterable

from pipeline.errors import NetworkError
from pipeline.net.failure import FetchFailure, Patience, broken
from pipeline.units import KIB

#: What we say that we can decode.
ACCEPTED = "gzip, deflate"

#: Compressed bytes that may be more than what they stand for: heads, and a server's garbage.
_SLACK = 64 * KIB

_GZIP = 16 + zlib.MAX_WBITS
_MAGIC = b"\x1f\x8b"


def decoded(pieces: Iterable[memoryview], encoding: str, cap: int) -> bytes:
    """The whole document, decoded. Raises FetchFailure; also for more than `cap` bytes."""
    name = encoding.strip().lower()
    data = bytearray()
    inflater = None if name in ("", "identity") else _Inflater(name)
    received = 0
    for piece in pieces:
        received += len(piece)
        data += piece if inflater is None else inflater.take(piece, cap - len(data) + 1)
        if len(data) > cap or received > cap + _SLACK:
            reason = f"the document is larger than {cap} bytes"
            raise FetchFailure(NetworkError, reason, Patience.NEVER)
    if inflater is not None:
        inflater.finish()
    return bytes(data)


class _Inflater:
    """Decodes one body. What follows its end, some servers' garbage, is left out."""

    def __init__(self, name: str) -> None:
        if name not in ("gzip", "x-gzip", "deflate"):
            raise broken("the server compressed the body in a way that was not asked for")
        self._gzip = name != "deflate"
        self._zlib = zlib.decompressobj(_GZIP) if self._gzip else None
        self._rest = b""  # behind the end of a member: too little to tell what it is

    def take(self, piece: memoryview, most: int) -> bytes:
        """What `piece` stands for, up to `most` bytes."""
        if self._zlib is None:  # zlib's own header, or none: servers differ (RFC 9110 8.4.1.2)
            wrapped = bool(piece) and piece[0] & 15 == 8
            self._zlib = zlib.decompressobj(zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS)
        found = bytearray()
        rest, self._rest = self._rest + bytes(piece), b""
        try:
            while rest and len(found) < most:
                if self._zlib.eof:
                    if not self._begins_anew(rest):
                        break
                    self._zlib = zlib.decompressobj(_GZIP)
                found += self._zlib.decompress(rest, most - len(found))
                rest = self._zlib.unused_data if self._zlib.eof else self._zlib.unconsumed_tail
        except zlib.error as error:
            raise broken("the compressed body is damaged") from error
        return bytes(found)

    def _begins_anew(self, rest: bytes) -> bool:
        """Whether another member begins behind the end of the last one."""
        if self._gzip and len(rest) < len(_MAGIC):
            self._rest = rest
            return False
        return self._gzip and rest.startswith(_MAGIC)

    def finish(self) -> None:
        """The body has ended. Raises FetchFailure if what it compressed has not."""
        if self._zlib is not None and not self._zlib.eof:
            raise broken("the compressed body is damaged")
