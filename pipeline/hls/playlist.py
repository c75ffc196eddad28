"""Text to playlist: the one door to the parsers, and the names of what comes out.

`parse` takes any bytes and gives a value or raises PlaylistError, in time that grows with their
number and not faster. Why hlspipe reads playlists by itself: docs/decisions/010.
"""

import re
from collections.abc import Mapping

from pipeline.hls.lines import decode
from pipeline.hls.media_playlist import parse_media_playlist
from pipeline.hls.model import (
    ByteRange,
    InitializationSection,
    Key,
    MediaPlaylist,
    MediaSegment,
    MultivariantPlaylist,
    Rendition,
    VariantStream,
)
from pipeline.hls.multivariant import parse_multivariant_playlist
from pipeline.hls.urls import Base
from pipeline.hls.variables import Variables

__all__ = [
    "ByteRange",
    "InitializationSection",
    "Key",
    "MediaPlaylist",
    "MediaSegment",
    "MultivariantPlaylist",
    "Rendition",
    "VariantStream",
    "parse",
]

_MULTIVARIANT = re.compile(
    r"^[ \t]*#EXT-X-(?:STREAM-INF|I-FRAME-STREAM-INF|MEDIA)[ \t]*:", re.MULTILINE
)
_MEDIA = re.compile(r"^[ \t]*#EXT(?:INF|-X-TARGETDURATION)[ \t]*:", re.MULTILINE)


def parse(
    data: bytes | str,
    url: str,
    *,
    base_url: str | None = None,
    variables: Mapping[str, str] | None = None,
) -> MediaPlaylist | MultivariantPlaylist:
    """The playlist in `data`, which came from `url`.

    Relative URIs are seen from `base_url`, or else from `url`. `variables` are those of the
    multivariant playlist that led here, for EXT-X-DEFINE:IMPORT. Raises PlaylistError.
    """
    text = decode(data)
    base = Base(base_url or url)
    own = Variables(url, variables)
    if _is_multivariant(text):
        return parse_multivariant_playlist(text, url, base, own)
    return parse_media_playlist(text, url, base, own)


def _is_multivariant(text: str) -> bool:
    """Tags of both kinds in one playlist are an error of its author (section 4.1)."""
    return _MULTIVARIANT.search(text) is not None and _MEDIA.search(text) is None
