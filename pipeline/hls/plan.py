"""Media playlist to plan: the ordered items that a download consists of.

Initialization sections are items too, each written once before the first segment that uses it
(RFC 8216 section 4.3.2.5). Byte ranges, keys and initialization vectors are resolved here, so
that whoever fetches an item needs nothing but the item.
"""

from dataclasses import dataclass, field


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
    segment_index: int | None  # 0-based place among the media segments; None: initialization section
    url: str
    byte_range: tuple[int, int] | None  # (offset, length)
    decryption: Decryption | None
    media_sequence_number: int
    duration: float  # seconds; 0 for an initialization section
