"""Playlists as a server might send them, and what is read of them."""

from pipeline.hls.model import MediaPlaylist, MultivariantPlaylist
from pipeline.hls.playlist import parse

URL = "http://origin.test/show/index.m3u8"

VARIANTS = (
    '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="aac",NAME="English",LANGUAGE="en",DEFAULT=YES,URI="en"',
    '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="aac",NAME="Deutsch",LANGUAGE="de",URI="de"',
    '#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="cc",NAME="CC1",INSTREAM-ID="CC1"',
    '#EXT-X-STREAM-INF:BANDWIDTH=640000,RESOLUTION=416x234,FRAME-RATE=23.976,AUDIO="aac"',
    "low.m3u8",
    '#EXT-X-STREAM-INF:BANDWIDTH=2149280,RESOLUTION=1280x720,CODECS="avc1.64001f",AUDIO="aac"',
    "high.m3u8",
    '#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=186000,RESOLUTION=1280x720,URI="iframes.m3u8"',
)
SEGMENTS = ("#EXT-X-TARGETDURATION:6", "#EXTINF:6,", "a.ts", "#EXTINF:4.5,", "b.ts")


def text(*lines: str) -> str:
    """A playlist of these lines behind its header."""
    return "\n".join(("#EXTM3U", *lines, ""))


def media(*lines: str) -> MediaPlaylist:
    """The media playlist of these lines."""
    playlist = parse(text(*lines), URL)
    assert isinstance(playlist, MediaPlaylist)
    return playlist


def multivariant(*lines: str) -> MultivariantPlaylist:
    """The multivariant playlist of these lines."""
    playlist = parse(text(*lines), URL)
    assert isinstance(playlist, MultivariantPlaylist)
    return playlist
