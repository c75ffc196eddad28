"""Which of a segment's keys can be used, and the name of the DRM system where none can.

A key whose KEYFORMAT is "identity" is 16 (or 32) bytes behind an ordinary URL (RFC 8216 section
4.3.2.4). Every other format belongs to a key system that hands keys to its own players only.
"""

from collections.abc import Collection

from pipeline.errors import UnsupportedError
from pipeline.hls.keys import identity_key
from pipeline.hls.model import IDENTITY, Key
from pipeline.hls.urls import scheme
from pipeline.units import printable

_SYSTEMS = {
    "com.apple.streamingkeydelivery": "FairPlay",
    "urn:uuid:94ce86fb-07ff-4f43-adb8-93d2fa968ca2": "FairPlay",
    "com.widevine": "Widevine",
    "com.widevine.alpha": "Widevine",
    "urn:uuid:edef8ba9-79d6-4ace-a3c8-27dcd51d21ed": "Widevine",
    "com.microsoft.playready": "PlayReady",
    "urn:uuid:9a04f079-9840-4286-ab92-e65be0885f95": "PlayReady",
    "org.w3.clearkey": "Clear Key",
    "urn:uuid:1077efec-c0b2-4d02-ace3-3c1e52e2fb4b": "Clear Key",
    "urn:uuid:e2719d58-a985-b3c9-781a-b030af78d30e": "Clear Key",
}

#: Schemes of key URIs that only a DRM system's player can resolve.
_SCHEMES = {"skd": "FairPlay"}


def usable_key(keys: tuple[Key, ...], methods: Collection[str], *, given: bool = False) -> Key:
    """The key that can be fetched. UnsupportedError names what is asked for instead.

    `keys` are those of one segment and not empty; `methods` are the ones that are understood.
    With `given`, the user has the key, and it does not matter which system would hand it out.
    """
    key = identity_key(keys)
    if not given and _system(key) is not None:
        named = ", ".join(dict.fromkeys(_system(each) or each.key_format for each in keys))
        raise UnsupportedError(f"Protected by DRM that hlspipe does not have: {named}")
    if key.method not in methods:
        raise UnsupportedError(f"Encrypted with {printable(key.method, 60)}: not supported")
    return key


def _system(key: Key) -> str | None:
    """The DRM system that `key` belongs to; None if it is an ordinary key."""
    if key.key_format == IDENTITY:
        return _SCHEMES.get(scheme(key.url or ""))
    name = _SYSTEMS.get(key.key_format.lower())
    shown = printable(key.key_format, 100)
    return f"{name} ({shown})" if name else f'key format "{shown}"'
