"""Which key can be used, and what DRM is called."""

import pytest

from pipeline.errors import UnsupportedError
from pipeline.hls.methods import WHOLE_ITEM_METHODS
from pipeline.hls.model import Key
from pipeline.hls.protection import usable_key

IDENTITY = Key(method="AES-128", uri="k", url="http://h/k")


@pytest.mark.parametrize(
    ("key_format", "url", "name"),
    [
        ("com.apple.streamingkeydelivery", "skd://1", "FairPlay"),
        ("com.widevine", "http://h/k", "Widevine"),
        ("urn:uuid:EDEF8BA9-79D6-4ACE-A3C8-27DCD51D21ED", "data:,x", "Widevine"),
        ("com.microsoft.playready", "data:,x", "PlayReady"),
        ("urn:uuid:9a04f079-9840-4286-ab92-e65be0885f95", "data:,x", "PlayReady"),
        ("org.w3.clearkey", "data:,x", "Clear Key"),
        ("com.example.vendor", "http://h/k", 'key format "com.example.vendor"'),
        ("identity", "skd://1", "FairPlay"),
    ],
)
def test_the_system_is_named(key_format: str, url: str, name: str) -> None:
    """By KEYFORMAT, in any case, or by a scheme that only a DRM system resolves."""
    key = Key(method="SAMPLE-AES", uri=url, url=url, key_format=key_format)

    with pytest.raises(UnsupportedError, match=name):
        usable_key((key,), {"SAMPLE-AES"})


def test_all_systems_are_named_once() -> None:
    """A segment may be offered under several."""
    formats = ("com.widevine", "com.microsoft.playready", "com.widevine")
    keys = tuple(Key(method="AES-128", uri="k", url=None, key_format=one) for one in formats)

    with pytest.raises(UnsupportedError) as caught:
        usable_key(keys, WHOLE_ITEM_METHODS)

    assert str(caught.value).count("Widevine") == 1
    assert "PlayReady" in str(caught.value)


def test_the_identity_key_is_taken_wherever_it_stands() -> None:
    """RFC 8216 section 4.3.2.4: any of the keys will do, and this one can be had."""
    other = Key(method="AES-128", uri="x", url="skd://x", key_format="com.widevine")

    assert usable_key((other, IDENTITY), WHOLE_ITEM_METHODS) is IDENTITY


def test_an_unknown_method_is_named() -> None:
    """Escaped, as all server text."""
    with pytest.raises(UnsupportedError, match=r"Encrypted with \\u001bX: not supported"):
        usable_key((Key(method="\x1bX", uri="k", url="k"),), WHOLE_ITEM_METHODS)
