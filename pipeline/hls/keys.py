"""EXT-X-KEY: which keys are in force, which one counts, and its initialization vector.

RFC 8216 sections 4.3.2.4 and 5.2. No cipher is run here and no key fetched.
"""

import re

from pipeline.errors import PlaylistError
from pipeline.hls.attributes import Attributes
from pipeline.hls.limits import MAX_KEY_FORMATS, MAX_KEYS
from pipeline.hls.model import IDENTITY, Key
from pipeline.hls.urls import Base
from pipeline.units import printable

_IV = re.compile(r"(?:0[xX])?([0-9a-fA-F]{1,32})")
_NONE = "NONE"


def parse_key(attributes: Attributes, base: Base) -> Key | None:
    """The key of one EXT-X-KEY or EXT-X-SESSION-KEY tag; None for METHOD=NONE."""
    method = attributes.get("METHOD", "").strip().upper()
    if not method:
        raise ValueError("no METHOD")
    if method == _NONE:
        return None
    uri = attributes.get("URI")
    return Key(
        method=method,
        uri=uri,
        url=base.resolve(uri) if uri else None,
        iv=parse_iv(attributes["IV"]) if attributes.get("IV") else None,
        key_format=attributes.get("KEYFORMAT") or IDENTITY,
        key_format_versions=attributes.get("KEYFORMATVERSIONS"),
    )


def parse_iv(text: str) -> bytes:
    """16 bytes from up to 32 hexadecimal digits, which count from the right (section 4.2)."""
    match = _IV.fullmatch(text.strip())
    if match is None:
        raise ValueError(f'IV "{printable(text, 60)}" is not 1 to 32 hexadecimal digits')
    return int(match[1], 16).to_bytes(16, "big")


def identity_key(keys: tuple[Key, ...]) -> Key:
    """The key that can be had without a DRM system, or else the first. `keys` is not empty.

    Several EXT-X-KEY tags with different KEYFORMATs are several ways to the same segment.
    """
    return next((key for key in keys if key.key_format == IDENTITY), keys[0])


def initialization_vector(key: Key, media_sequence_number: int) -> bytes:
    """`key`'s IV, or the media sequence number as 128-bit big-endian integer (section 5.2).

    PlaylistError where the IV would be a number below zero.
    """
    if key.iv is not None:
        return key.iv
    if media_sequence_number < 0:
        raise PlaylistError(
            f"Media sequence number {media_sequence_number} implies no initialization vector"
        )
    return media_sequence_number.to_bytes(16, "big")


class KeyState:
    """The keys in force while a media playlist is read from its top down."""

    def __init__(self) -> None:
        self.keys: tuple[Key, ...] = ()
        self._by_format: dict[str, Key] = {}
        self._urls: set[str | None] = set()

    def apply(self, key: Key | None) -> None:
        """A key replaces the one of its KEYFORMAT; METHOD=NONE (None here) ends them all."""
        if key is None:
            self._by_format.clear()
        else:
            self._urls.add(key.url)
            if len(self._urls) > MAX_KEYS:
                raise ValueError(f"more than {MAX_KEYS} different keys")
            self._by_format[key.key_format] = key
            if len(self._by_format) > MAX_KEY_FORMATS:
                raise ValueError(f"more than {MAX_KEY_FORMATS} key formats for one segment")
        self.keys = tuple(self._by_format.values())
