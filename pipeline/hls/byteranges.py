"""EXT-X-BYTERANGE: "n" or "n@o", and where a range without an offset begins.

RFC 8216 section 4.3.2.2: such a range begins where the previous segment's range ended, if that
was of the same resource; without one before it the playlist is invalid, and is refused.
"""

from pipeline.hls.attributes import integer
from pipeline.hls.limits import MAX_OFFSET
from pipeline.hls.model import ByteRange


def parse_byte_range(text: str) -> tuple[int, int | None]:
    """Length and offset of "n@o"; no offset is None. ValueError if it is neither."""
    length, at, offset = text.strip().strip('"').partition("@")
    return _bounded(integer(length), integer(offset) if at else None)


def _bounded(length: int, offset: int | None) -> tuple[int, int | None]:
    if length + (offset or 0) > MAX_OFFSET:
        raise ValueError("a byte range that ends beyond 2^63 - 1")
    return length, offset


class ByteRanges:
    """Resolves the ranges of one media playlist, in its order."""

    def __init__(self) -> None:
        self._url: str | None = None
        self._end = 0

    def resolve(self, text: str, url: str) -> ByteRange:
        """The range that `text` names of `url`; ValueError where nothing says its offset."""
        length, offset = parse_byte_range(text)
        if offset is None:
            if url != self._url:
                raise ValueError("no offset, and no range of the same resource before it")
            _, offset = length, self._end
            _bounded(length, offset)
        self._url, self._end = url, offset + length
        return ByteRange(length, offset)

    def whole(self) -> None:
        """A segment without a range came: the next one cannot continue from it."""
        self._url = None
