"""What a playlist says, as frozen values in the words of RFC 8216 and rfc8216bis.

Nothing here reads text; `playlist.parse` makes these values, `plan` and `selection` use them.
URIs are kept as written (variables replaced) and as absolute URLs. Durations are seconds,
lengths and offsets bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

IDENTITY = "identity"


class ByteRange(NamedTuple):
    """A part of a resource: `length` bytes from `offset` on (section 4.3.2.2)."""

    length: int
    offset: int

    @property
    def end(self) -> int:
        """The offset of the first byte behind the range."""
        return self.offset + self.length


@dataclass(frozen=True, slots=True)
class Key:
    """EXT-X-KEY (section 4.3.2.4): how segments are encrypted, and where the key is.

    `iv` is None where the tag has none; the initialization vector is then the media sequence
    number (section 5.2), which `keys.initialization_vector` works out.
    """

    method: str
    uri: str | None = field(repr=False)
    url: str | None = field(repr=False)
    iv: bytes | None = field(default=None, repr=False)
    key_format: str = IDENTITY
    key_format_versions: str | None = None


class InitializationSection(NamedTuple):
    """EXT-X-MAP (section 4.3.2.5): what a decoder needs before the segments that follow.

    `keys` are those in force at the tag itself, not at the segments that use it.
    """

    uri: str
    url: str
    byte_range: ByteRange | None = None
    keys: tuple[Key, ...] = ()


class MediaSegment(NamedTuple):
    """EXTINF and its URI (section 4.3.2), with all that the tags before it say."""

    uri: str
    url: str
    duration: float
    title: str | None
    media_sequence_number: int
    discontinuity_sequence_number: int
    discontinuity: bool = False
    gap: bool = False
    byte_range: ByteRange | None = None
    #: The keys in force, one for each KEYFORMAT; empty for a clear segment.
    keys: tuple[Key, ...] = ()
    initialization_section: InitializationSection | None = None
    #: From EXT-X-PROGRAM-DATE-TIME, or carried on from a neighbour's (section 6.3.3).
    program_date_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class DateRange:
    """EXT-X-DATERANGE (section 4.3.2.7): something that goes on from one instant to another."""

    id: str
    name: str  # its CLASS: what kind of thing it is
    start: datetime
    end: datetime | None = None
    duration: float | None = None
    extras: Mapping[str, str] = field(default_factory=dict)  # X-<client-attribute>


class MediaPlaylist(NamedTuple):
    """A list of segments (section 4.3.3). Numbers that the playlist leaves out are None."""

    url: str
    segments: tuple[MediaSegment, ...]
    version: int | None = None
    target_duration: float | None = None
    media_sequence_number: int = 0
    discontinuity_sequence_number: int = 0
    playlist_type: str | None = None
    end_list: bool = False
    i_frames_only: bool = False
    start_time_offset: float | None = None
    #: Segments that EXT-X-SKIP leaves out of a delta update (rfc8216bis section 4.4.5.2): above
    #: zero, the whole playlist has to be asked for.
    skipped_segments: int = 0
    #: URI lines that no tag announces as a segment. They are left out, as players do.
    stray_lines: int = 0
    date_ranges: tuple[DateRange, ...] = ()

    @property
    def total_duration(self) -> float:
        """Seconds of all segments together; a duration below zero counts as unknown."""
        return sum(max(segment.duration, 0.0) for segment in self.segments)


class VariantStream(NamedTuple):
    """EXT-X-STREAM-INF or EXT-X-I-FRAME-STREAM-INF (sections 4.3.4.2 and 4.3.4.3)."""

    uri: str
    url: str
    bandwidth: int | None = None
    average_bandwidth: int | None = None
    codecs: str | None = None
    resolution: tuple[int, int] | None = None
    frame_rate: float | None = None
    audio: str | None = None
    video: str | None = None
    subtitles: str | None = None
    closed_captions: str | None = None
    name: str | None = None


class Rendition(NamedTuple):
    """EXT-X-MEDIA (section 4.3.4.1). Without a URI it is part of the variant stream itself."""

    type: str
    group_id: str | None
    name: str | None
    language: str | None = None
    uri: str | None = None
    url: str | None = None
    default: bool = False
    autoselect: bool = False
    forced: bool = False
    instream_id: str | None = None
    channels: str | None = None


@dataclass(frozen=True, slots=True)
class MultivariantPlaylist:
    """A list of variant streams and renditions (section 4.3.4)."""

    url: str
    variants: tuple[VariantStream, ...]
    i_frame_variants: tuple[VariantStream, ...] = ()
    renditions: tuple[Rendition, ...] = ()
    session_keys: tuple[Key, ...] = ()
    version: int | None = None
    start_time_offset: float | None = None
    #: EXT-X-DEFINE, for the media playlists that IMPORT them (rfc8216bis section 4.4.2.3).
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
