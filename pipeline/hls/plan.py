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
from pipeline.hls.keys import initialization_vector
from pipeline.hls.model import InitializationSection, MediaPlaylist, MediaSegment
from pipeline.hls.protection import WHOLE_ITEM_METHODS, usable_key
from pipeline.hls.urls import require_fetchable, require_key_fetchable


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


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a download of one media playlist has to fetch, in the order of the output."""

    items: tuple[PlannedItem, ...]
    gaps: tuple[int, ...]  # segment indexes with EXT-X-GAP: the server does not have them
    discontinuities: int  # EXT-X-DISCONTINUITY tags: where timestamps may jump in the output
    duration: float  # seconds of the segments among the items
    known_bytes: int | None  # to be fetched; None unless every item has a byte range
    extension: str  # fit for the output: ".ts", ".mp4", ...


@dataclass(frozen=True, slots=True)
class Permissions:
    """What a playlist may lead to besides http and https, and the methods that are understood."""

    allow_local: bool = False  # file: URLs and bare paths; never for a remote playlist
    allow_data_keys: bool = False  # small `data:` URLs as keys
    methods: Collection[str] = WHOLE_ITEM_METHODS


def plan(
    playlist: MediaPlaylist,
    *,
    keep: Collection[int] | None = None,
    allow_local: bool = False,
    allow_data_keys: bool = False,
    methods: Collection[str] = WHOLE_ITEM_METHODS,
) -> Plan:
    """The items of `playlist`; if `keep` is given, of the segments with those indexes only.

    Raises PlaylistError where a URL may not be fetched, there is no segment, or the playlist is
    a delta update; UnsupportedError where a segment needs a DRM system or another method.
    """
    if playlist.skipped_segments:
        raise PlaylistError(
            f"The playlist is a delta update without {playlist.skipped_segments} of its segments"
            " (EXT-X-SKIP): the whole playlist has to be asked for"
        )
    if not playlist.segments:
        raise PlaylistError("The playlist has no segments")
    wanted = None if keep is None else frozenset(keep)
    planner = _Planner(Permissions(allow_local, allow_data_keys, methods))
    for index, segment in enumerate(playlist.segments):
        if wanted is None or index in wanted:
            planner.add(index, segment)
    return planner.finish(playlist_extension(playlist))


class _Planner:
    """Collects items, and remembers which initialization section was written last."""

    def __init__(self, permissions: Permissions) -> None:
        self._permissions = permissions
        self._items: list[PlannedItem] = []
        self._gaps: list[int] = []
        self._discontinuities = 0
        self._section: InitializationSection | None = None

    def add(self, index: int, segment: MediaSegment) -> None:
        """The next segment, behind its initialization section if that is another one."""
        self._discontinuities += segment.discontinuity
        if segment.gap:
            self._gaps.append(index)
            return
        section = segment.initialization_section
        if section is not None and section != self._section:
            self._section = section
            self._append(section, segment, None)
        self._append(segment, segment, index)

    def _append(
        self,
        source: MediaSegment | InitializationSection,
        segment: MediaSegment,
        segment_index: int | None,
    ) -> None:
        require_fetchable(source.url, allow_local=self._permissions.allow_local)
        span = source.byte_range
        self._items.append(
            PlannedItem(
                index=len(self._items),
                segment_index=segment_index,
                url=source.url,
                byte_range=None if span is None else (span.offset, span.length),
                decryption=self._decryption(source, segment) if source.keys else None,
                media_sequence_number=segment.media_sequence_number,
                duration=0.0 if segment_index is None else max(segment.duration, 0.0),
            )
        )

    def _decryption(
        self, source: MediaSegment | InitializationSection, segment: MediaSegment
    ) -> Decryption | None:
        """How `source`, which is `segment` or its initialization section, is decrypted.

        A section under a key without IV is against section 4.3.2.5. The number of the segment
        behind it is then the only IV at hand; FFmpeg takes it too.
        """
        key, url = usable_key(source.keys, self._permissions.methods)
        require_key_fetchable(
            url,
            allow_local=self._permissions.allow_local,
            allow_data=self._permissions.allow_data_keys,
        )
        if isinstance(source, InitializationSection) and key.method not in WHOLE_ITEM_METHODS:
            return None  # sample encryption leaves the section clear
        return Decryption(
            key.method, url, initialization_vector(key, segment.media_sequence_number)
        )

    def finish(self, extension: str) -> Plan:
        """The plan of all that was added."""
        items = tuple(self._items)
        if not items:
            raise PlaylistError(f"None of the segments can be fetched ({len(self._gaps)} are gaps)")
        lengths = [item.byte_range[1] for item in items if item.byte_range is not None]
        return Plan(
            items=items,
            gaps=tuple(self._gaps),
            discontinuities=self._discontinuities,
            duration=sum(item.duration for item in items),
            known_bytes=sum(lengths) if len(lengths) == len(items) else None,
            extension=extension,
        )
