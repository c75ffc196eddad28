"""Media playlist to plan: the ordered items that a download consists of.

Initialization sections are items too, each written once before the first segment that uses it,
and again when the playlist changes back to it (RFC 8216 section 4.3.2.5). Byte ranges, keys and
initialization vectors are resolved here, so that whoever fetches an item needs nothing but the
item. What cannot be fetched or decrypted is an error here, before the first request.
"""

from collections.abc import Collection
from dataclasses import dataclass, field

from pipeline.errors import PlaylistError
from pipeline.hls.extensions import playlist_extension
from pipeline.hls.keys import identity_key, initialization_vector
from pipeline.hls.methods import WHOLE_ITEM_METHODS
from pipeline.hls.model import InitializationSection, Key, MediaPlaylist, MediaSegment
from pipeline.hls.protection import usable_key
from pipeline.hls.urls import require_fetchable, require_key_fetchable
from pipeline.units import printable

_CIPHER_BLOCK = 16


#: Bytes by which PKCS7 padding makes an item longer, at the most.
_MOST_PADDING = 16


@dataclass(frozen=True, slots=True)
class Decryption:
    """How one item is decrypted: whole-item CBC with this key and initialization vector."""

    method: str  # as in EXT-X-KEY: "AES-128", "AES-256"
    key_url: str
    iv: bytes = field(repr=False)  # 16 bytes


@dataclass(frozen=True, slots=True)
class PlannedItem:
    """One thing to fetch: a media segment or a media initialization section."""

    index: int  # 0-based place in the plan
    segment_index: (
        int | None
    )  # 0-based place among the media segments; None: initialization section
    url: str
    byte_range: tuple[int, int] | None  # (offset, length)
    decryption: Decryption | None
    media_sequence_number: int
    duration: float  # seconds; 0 for an initialization section
    section_index: int | None = None  # in the plan: the initialization section that it needs


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a download of one media playlist has to fetch, in the order of the output."""

    items: tuple[PlannedItem, ...]
    gaps: tuple[int, ...]  # segment indexes with EXT-X-GAP: the server does not have them
    discontinuities: int  # segments with EXT-X-DISCONTINUITY
    jumps: int  # of these, those with a segment before them: where timestamps may jump
    duration: float  # seconds of the segments among the items
    known_bytes: int | None  # to be fetched; None unless every item has a byte range
    extension: str  # fit for the output: ".ts", ".mp4", ...
    breaks: tuple[int, ...] = ()  # items with which a new timeline begins; never the first

    @property
    def least_bytes(self) -> int:
        """Bytes of the output at the least: those of byte ranges, which padding may be part of."""
        ranges = [item for item in self.items if item.byte_range is not None]
        lengths = sum(item.byte_range[1] for item in ranges if item.byte_range)
        return lengths - _MOST_PADDING * sum(item.decryption is not None for item in ranges)


@dataclass(frozen=True, slots=True)
class GivenKey:
    """A key that the user has: taken for every encrypted item, whatever the playlist names.

    `url` is passed on as it is; without one the playlist's own key URLs stand. Likewise `iv`.
    """

    url: str | None = field(default=None, repr=False)
    iv: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Permissions:
    """What a playlist may lead to besides http and https, and the methods that are understood."""

    allow_local: bool = False  # file: URLs and bare paths; never for a remote playlist
    allow_data_keys: bool = False  # small `data:` URLs as keys
    methods: Collection[str] = WHOLE_ITEM_METHODS
    given: GivenKey = GivenKey()


def plan(
    playlist: MediaPlaylist,
    *,
    keep: Collection[int] | None = None,
    allow_local: bool = False,
    allow_data_keys: bool = False,
    methods: Collection[str] = WHOLE_ITEM_METHODS,
    given: GivenKey | None = None,
) -> Plan:
    """The items of `playlist`; if `keep` is given, of the segments with those indexes only.

    `methods` are the values of METHOD that the caller can decrypt. Raises PlaylistError where a
    URL may not be fetched, there is no segment, or the playlist is a delta update, and
    UnsupportedError where a segment needs a DRM system or another method.
    """
    if playlist.skipped_segments:
        raise PlaylistError(
            f"The playlist is a delta update without {playlist.skipped_segments} of its segments"
            " (EXT-X-SKIP): the whole playlist has to be asked for"
        )
    if not playlist.segments:
        raise PlaylistError("The playlist has no segments")
    wanted = None if keep is None else frozenset(keep)
    permissions = Permissions(allow_local, allow_data_keys, methods, given or GivenKey())
    planner = _Planner(permissions)
    for index, segment in enumerate(playlist.segments):
        if wanted is None or index in wanted:
            planner.add(index, segment)
        else:
            planner.leave_out(segment)
    return planner.finish(playlist_extension(playlist))


def _span(
    source: MediaSegment | InitializationSection, sealed: Decryption | None
) -> tuple[int, int] | None:
    """Offset and length of the bytes to ask for; `sealed` is how a section is encrypted.

    Some packagers state the clear size of an encrypted section (hls.js reads it so, too). What
    is encrypted fills whole cipher blocks: the rest of the last one belongs to it.
    """
    found = source.byte_range
    if found is None:
        return None
    beyond = -found.length % _CIPHER_BLOCK if sealed is not None else 0
    return found.offset, found.length + beyond


class _Planner:
    """Collects items, and remembers which initialization section was written last."""

    def __init__(self, permissions: Permissions) -> None:
        self._permissions = permissions
        self._items: list[PlannedItem] = []
        self._gaps: list[int] = []
        self._discontinuities = self._jumps = 0
        self._breaks: list[int] = []
        self._broken = False  # a discontinuity has come since the last item
        self._section: InitializationSection | None = None
        self._section_index: int | None = None

    def add(self, index: int, segment: MediaSegment) -> None:
        """The next segment, behind its initialization section if that is another one."""
        self._discontinuities += segment.discontinuity
        self._jumps += segment.discontinuity and bool(self._items)
        self._broken = self._broken or segment.discontinuity
        if segment.gap:
            self._gaps.append(index)
            return
        section = segment.initialization_section
        if section is None:
            self._section_index = None
        elif section is not self._section and section != self._section:
            self._append(section, segment, None)
            self._section, self._section_index = section, len(self._items) - 1
        self._append(segment, segment, index)

    def leave_out(self, segment: MediaSegment) -> None:
        """A segment that is not wanted: behind it the timeline may be another one."""
        self._broken = self._broken or segment.discontinuity

    def _append(
        self,
        source: MediaSegment | InitializationSection,
        segment: MediaSegment,
        segment_index: int | None,
    ) -> None:
        require_fetchable(source.url, allow_local=self._permissions.allow_local)
        is_section = segment_index is None
        if self._broken and self._items:
            self._breaks.append(len(self._items))
        self._broken = False
        decryption = self._decryption(source, segment) if source.keys else None
        self._items.append(
            PlannedItem(
                index=len(self._items),
                segment_index=segment_index,
                url=source.url,
                byte_range=_span(source, decryption if is_section else None),
                decryption=decryption,
                media_sequence_number=segment.media_sequence_number,
                duration=0.0 if is_section else max(segment.duration, 0.0),
                section_index=None if is_section else self._section_index,
            )
        )

    def _decryption(
        self, source: MediaSegment | InitializationSection, segment: MediaSegment
    ) -> Decryption | None:
        """How `source`, which is `segment` or its initialization section, is decrypted.

        Methods that encrypt samples leave initialization sections clear. A section under a key
        without IV is against section 4.3.2.5; the number of the segment behind it is then the
        only IV at hand, and FFmpeg takes it too.
        """
        is_section = isinstance(source, InitializationSection)
        if is_section and identity_key(source.keys).method not in WHOLE_ITEM_METHODS:
            return None
        given = self._permissions.given
        key = usable_key(source.keys, self._permissions.methods, given=given.url is not None)
        url = given.url or self._key_url(key)
        iv = given.iv or initialization_vector(key, segment.media_sequence_number)
        return Decryption(key.method, url, iv)

    def _key_url(self, key: Key) -> str:
        if key.url is None:
            raise PlaylistError(f"EXT-X-KEY with METHOD={printable(key.method, 60)} has no URI")
        require_key_fetchable(
            key.url,
            allow_local=self._permissions.allow_local,
            allow_data=self._permissions.allow_data_keys,
        )
        return key.url

    def finish(self, extension: str) -> Plan:
        """The plan of all that was added."""
        items = tuple(self._items)
        lengths = [item.byte_range[1] for item in items if item.byte_range is not None]
        return Plan(
            items=items,
            gaps=tuple(self._gaps),
            discontinuities=self._discontinuities,
            jumps=self._jumps,
            duration=sum(item.duration for item in items),
            known_bytes=sum(lengths) if len(lengths) == len(items) else None,
            extension=extension,
            breaks=tuple(self._breaks),
        )
