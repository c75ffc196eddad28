"""Is this a media segment at all? The look at its first and last packet before it is believed.

A server may answer 200 with an error page or a picture, and one wrong key in 256 leaves a padding
that looks right. Both show in the first bytes; a transport stream also shows at its end whether
bytes were lost. What decoders make of the rest is not judged.
"""

from pipeline.crypto.sniff import looks_like_html, looks_like_image, looks_like_media
from pipeline.errors import DecryptionError
from pipeline.net.failure import broken

#: Nothing can be told of less than one transport packet.
_PACKET = 188

#: Two packets and a bit.
HEAD = 400

_SYNC = 0x47


class Judgement:
    """Watches one segment go by. Raises FetchFailure or DecryptionError for what is no media."""

    def __init__(self, encrypted: bool) -> None:
        self._encrypted = encrypted
        self._transport_stream = False

    def first(self, head: bytes, length: int) -> None:
        """`head` are the first bytes, of `length` that are known so far."""
        if length < _PACKET:
            return
        kind = looks_like_media(head)
        if kind is None:
            raise self._refused(head)
        self._transport_stream = kind == "MPEG-TS"

    def last(self, tail: memoryview, size: int) -> None:
        """`tail` are the last bytes of all `size`: the last whole packet begins with a sync."""
        if not self._transport_stream:
            return
        place = (size // _PACKET - 1) * _PACKET - (size - len(tail))
        if place >= 0 and tail[place] != _SYNC:
            raise self._damaged()

    def _refused(self, head: bytes) -> Exception:
        if self._encrypted:
            return DecryptionError(
                "what comes out is neither MPEG-TS, fMP4, audio nor WebVTT: the key or the"
                " initialization vector is not the right one"
            )
        if looks_like_html(head):
            return broken("the server sent a web page in its place")
        if image := looks_like_image(head):
            return broken(f"it begins like a {image}")
        return broken("it is neither MPEG-TS, fMP4, audio nor WebVTT")

    def _damaged(self) -> Exception:
        reason = "it begins as MPEG-TS and does not end as such"
        return DecryptionError(reason) if self._encrypted else broken(reason)
