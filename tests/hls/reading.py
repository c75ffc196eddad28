"""What the tests of this room share: playlists from lines, and what comes out of them."""

from pipeline.hls.model import MediaPlaylist, MediaSegment, MultivariantPlaylist
from pipeline.hls.playlist import parse

URL = "http://host/a/index.m3u8"


def text(*lines: str) -> str:
    """A playlist of these lines behind its header."""
    return "\n".join(("#EXTM3U", *lines, ""))


def media(*lines: str, url: str = URL, variables: dict[str, str] | None = None) -> MediaPlaylist:
    """The media playlist of these lines."""
    playlist = parse(text(*lines), url, variables=variables)
    assert isinstance(playlist, MediaPlaylist)
    return playlist


def segments(*lines: str) -> tuple[MediaSegment, ...]:
    """The segments of the media playlist of these lines."""
    return media(*lines).segments


def multivariant(*lines: str, url: str = URL) -> MultivariantPlaylist:
    """The multivariant playlist of these lines."""
    playlist = parse(text(*lines), url)
    assert isinstance(playlist, MultivariantPlaylist)
    return playlist
