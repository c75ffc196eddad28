"""Playlists as text (RFC 8216), line by line as a test wants them: nothing is checked or mended."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class KeyTag:
    """EXT-X-KEY."""

    method: str = "AES-128"
    uri: str | None = None
    iv: bytes | None = None

    def __str__(self) -> str:
        attributes = [f"METHOD={self.method}"]
        if self.uri is not None:
            attributes.append(f'URI="{self.uri}"')
        if self.iv is not None:
            attributes.append(f"IV=0x{self.iv.hex()}")
        return f"#EXT-X-KEY:{','.join(attributes)}"


NO_KEY = KeyTag("NONE")


@dataclass(frozen=True)
class MapTag:
    """EXT-X-MAP."""

    uri: str
    byte_range: str | None = None

    def __str__(self) -> str:
        text = f'#EXT-X-MAP:URI="{self.uri}"'
        return text if self.byte_range is None else f'{text},BYTERANGE="{self.byte_range}"'


@dataclass(frozen=True)
class Entry:
    """A media segment with the tags before it, in the order in which they are written."""

    uri: str
    duration: float = 4.0
    tags: Sequence[KeyTag | MapTag | str] = ()
    byte_range: str | None = None

    def lines(self) -> Iterable[str]:
        """The entry's lines."""
        yield from map(str, self.tags)
        yield f"#EXTINF:{self.duration:.3f},"
        if self.byte_range is not None:
            yield f"#EXT-X-BYTERANGE:{self.byte_range}"
        yield self.uri


def media_playlist(
    entries: Iterable[Entry],
    *,
    media_sequence_number: int | None = 0,
    version: int = 6,
    playlist_type: str | None = "VOD",
    end_list: bool = True,
) -> str:
    """The text of a media playlist."""
    listed = list(entries)
    target = math.ceil(max((entry.duration for entry in listed), default=1))
    lines = ["#EXTM3U", f"#EXT-X-VERSION:{version}", f"#EXT-X-TARGETDURATION:{target}"]
    if media_sequence_number is not None:
        lines.append(f"#EXT-X-MEDIA-SEQUENCE:{media_sequence_number}")
    if playlist_type is not None:
        lines.append(f"#EXT-X-PLAYLIST-TYPE:{playlist_type}")
    for entry in listed:
        lines.extend(entry.lines())
    if end_list:
        lines.append("#EXT-X-ENDLIST")
    return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Variant:
    """EXT-X-STREAM-INF and its URI."""

    uri: str
    bandwidth: int
    resolution: str | None = None
    codecs: str | None = None
    more: str = ""

    def lines(self) -> Iterable[str]:
        """The variant's lines."""
        text = f"#EXT-X-STREAM-INF:BANDWIDTH={self.bandwidth}"
        if self.resolution is not None:
            text += f",RESOLUTION={self.resolution}"
        if self.codecs is not None:
            text += f',CODECS="{self.codecs}"'
        yield text + (f",{self.more}" if self.more else "")
        yield self.uri


def multivariant_playlist(variants: Iterable[Variant], tags: Sequence[str] = ()) -> str:
    """The text of a multivariant playlist; `tags` (EXT-X-MEDIA lines, say) come first."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:6", *tags]
    for variant in variants:
        lines.extend(variant.lines())
    return "\n".join(lines) + "\n"
