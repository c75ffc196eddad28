"""Steps down from https to http."""

from pipeline.hls.downgrade import first_insecure, urls_of
from pipeline.hls.plan import Decryption, PlannedItem


def test_steps_down_are_found() -> None:
    """The first one; from http there is no step down."""
    urls = ["https://h/a", "HTTP://h/b", "http://h/c"]

    assert first_insecure("https://h/x.m3u8", urls) == "HTTP://h/b"
    assert first_insecure("https://h/x.m3u8", urls[:1]) is None
    assert first_insecure("http://h/x.m3u8", urls) is None
    assert first_insecure("/home/me/x.m3u8", urls) is None


def test_keys_count() -> None:
    """All that is fetched for an item is looked at."""
    key = Decryption("AES-128", "http://h/key", bytes(16))
    item = PlannedItem(0, 0, "https://h/0.ts", None, key, 0, 4.0)

    assert list(urls_of([item])) == ["https://h/0.ts", "http://h/key"]
