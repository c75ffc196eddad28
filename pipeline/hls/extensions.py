"""Which file name ending fits the bytes that a media playlist leads to.

Judged by the playlist alone, from its first segment's URI and whether there is an
initialization section; the bytes themselves are not looked at here.
"""

from posixpath import splitext
from urllib.parse import urlsplit

from pipeline.hls.model import MediaPlaylist, MediaSegment

_DEFAULT = ".ts"

#: Endings of URIs, and the ending of a file that holds many such segments one after another.
_ENDINGS = {
    ".ts": ".ts",
    ".mp4": ".mp4",
    ".m4s": ".mp4",
    ".m4f": ".mp4",
    ".m4v": ".mp4",
    ".cmfv": ".mp4",
    ".m4a": ".m4a",
    ".cmfa": ".m4a",
    ".aac": ".aac",
    ".mp3": ".mp3",
    ".ac3": ".ac3",
    ".ec3": ".ec3",
    ".eac3": ".ec3",
    ".vtt": ".vtt",
    ".webvtt": ".vtt",
}

#: Every ending that an output may get.
OUTPUT_ENDINGS = tuple(dict.fromkeys(_ENDINGS.values()))


def playlist_extension(playlist: MediaPlaylist) -> str:
    """The ending, with its dot, of an output that holds all segments of `playlist`."""
    first = next((one for one in playlist.segments if not one.gap), None)
    return _DEFAULT if first is None else _segment_extension(first)


def _segment_extension(segment: MediaSegment) -> str:
    unknown = _DEFAULT if segment.initialization_section is None else ".mp4"
    return _ENDINGS.get(url_extension(segment.url), unknown)


def url_extension(url: str) -> str:
    """The ending of the last part of the path of `url`, in lower case; "" if it has none."""
    try:
        return splitext(urlsplit(url).path)[1].lower()
    except ValueError:
        return ""
