"""Is this a media segment at all? The look at its first and last packet before it is believed.

A server may answer 200 with an error page or a picture, and one wrong key in 256 leaves a padding
that looks right. Both show in the first bytes; a transport stream also shows at its end whether
bytes were lost. Where the server announced no length, the container has to show that the segment is
whole (`crypto.wholeness`). What decoders make of the rest is not judged.
"""

from pipeline.crypto.sniff import (
    looks_like_html,
    looks_like_image,
    looks_like_media,
    looks_like_text,
)
from pipeline.crypto.wholeness import Wholeness
from pipeline.errors import DecryptionError, NetworkError
from pipeline.net.failure import FetchFailure, Patience, broken

_PACKET = 188

#: Of fewer bytes than these only what it is not can be told.
_TELLING = 16

#: Two packets and a bit.
HEAD = 400

_SYNC = 0x47


class Judgement:
    """Watches one segment go by. Raises FetchFailure or DecryptionError for what is no media."""

    def __init__(self, encrypted: bool, until_close: bool, stripped: bool = False) -> None:
        """`until_close`: it ends where the connection did, and nobody announced its length.

        `stripped`: a picture before it has been taken off, if one was seen.
        """
        self._encrypted = encrypted
        self._stripped = stripped
        self._transport_stream = False
        self._has_boxes = False
        self._wholeness = Wholeness() if until_close else None

    def first(self, head: bytes, length: int) -> None:
        """`head` are the first bytes, of `length` that are known so far."""
        if length < _PACKET:
            if looks_like_image(head) or looks_like_text(head):
                raise self._refused(head)
            if length < _TELLING:
                return
        kind = looks_like_media(head)
        if kind is None:
            raise self._refused(head)
        self._transport_stream = kind == "MPEG-TS"
        self._has_boxes = kind == "fMP4"

    def watch(self, view: memoryview) -> None:
        """The next bytes, the first and the last ones included."""
        if self._wholeness is not None:
            self._wholeness.watch(view)

    def last(self, tail: memoryview, size: int) -> None:
        """`tail` are the last bytes of all `size`: the last whole packet begins with a sync."""
        if self._transport_stream:
            place = (size // _PACKET - 1) * _PACKET - (size - len(tail))
            if place >= 0 and tail[place] != _SYNC:
                raise self._damaged()
        if self._wholeness is not None and not self._wholeness.shows:
            self._doubt()

    def _doubt(self) -> None:
        """The padding at the end of encrypted bytes has been seen to be right: that is a sign."""
        if self._transport_stream or self._has_boxes:
            raise broken("the server announced no length, and what came ends in mid-air")
        if not self._encrypted:
            raise broken("the server announced no length, and nothing shows that it is whole")

    def _refused(self, head: bytes) -> Exception:
        if self._encrypted:
            return DecryptionError(
                "what comes out is neither MPEG-TS, fMP4, audio nor WebVTT: the key or the"
                " initialization vector is not the right one"
            )
        if looks_like_html(head):
            return broken("the server sent a web page in its place")
        if image := looks_like_image(head):
            reason = f"it begins like a {image}{_advice(self._stripped)}"
            return FetchFailure(NetworkError, reason, Patience.FEW)
        if looks_like_text(head):
            return broken("the server sent text in its place")
        return broken("it is neither MPEG-TS, fMP4, audio nor WebVTT")

    def _damaged(self) -> Exception:
        reason = "it begins as MPEG-TS and does not end as such"
        return DecryptionError(reason) if self._encrypted else broken(reason)


def disguised(error: DecryptionError, image: str, stripped: bool) -> DecryptionError:
    """`error`, of a segment whose encrypted bytes begin like `image`: that may be the reason."""
    likeness = f"as it is sent, it begins like a {image}{_advice(stripped)}"
    return DecryptionError(f"{error.message}; {likeness}")


def _advice(stripped: bool) -> str:
    if stripped:
        return ", and no segment shows behind that"
    return ": --strip-images takes that off, if a segment is behind it"
