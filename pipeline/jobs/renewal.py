"""Fresh URLs for a plan whose own have expired: the playlist once more, item by item.

Segments are matched by media sequence number (RFC 8216 section 4.3.3.2), never by URL or place: the
list may have moved on. What is not found again, or is another segment now, keeps the URL that it
had. Covers the matching; reading the playlist again is `job`'s.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from pipeline.hls.model import MediaPlaylist, VariantStream
from pipeline.hls.plan import PlannedItem

#: Seconds by which a segment's duration may differ and it still be the same: playlists round.
_TOLERANCE = 0.001

_Place = tuple[bool, int]


def still_wanted(items: Iterable[PlannedItem], playlist: MediaPlaylist) -> Collection[int]:
    """The indexes, in `playlist`, of the segments that `items` are of."""
    numbers = {item.media_sequence_number for item in items}
    return [
        index
        for index, segment in enumerate(playlist.segments)
        if segment.media_sequence_number in numbers
    ]


def renewed(items: Sequence[PlannedItem], fresh: Iterable[PlannedItem]) -> tuple[PlannedItem, ...]:
    """`items`, each with the URLs of its like among `fresh`."""
    found = {_place(item): item for item in fresh}
    return tuple(_renewed(item, found.get(_place(item))) for item in items)


def is_same_variant(one: VariantStream | None, other: VariantStream | None) -> bool:
    """Whether two readings of a multivariant playlist chose the same variant stream."""
    if one is None or other is None:
        return one is other
    return one._replace(uri="", url="") == other._replace(uri="", url="")


def _place(item: PlannedItem) -> _Place:
    return item.segment_index is None, item.media_sequence_number


def _renewed(item: PlannedItem, fresh: PlannedItem | None) -> PlannedItem:
    if fresh is None or abs(item.duration - fresh.duration) > _TOLERANCE:
        return item
    return replace(item, url=fresh.url, byte_range=fresh.byte_range, decryption=fresh.decryption)
