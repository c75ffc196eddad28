"""Steps down from https to http."""

from pipeline.hls.downgrade import insecure_urls, urls_of
from pipeline.hls.plan import Decryption, PlannedItem


def test_steps_down_are_found() -> None:
    """Each once, in order; from http there is no step down."""
    urls = ["https://h/a", "http://h/b", "HTTP://h/c", "http://h/b"]

    assert insecure_urls("https://h/x.m3u8", urls) == ["http://h/b", "HTTP://h/c"]
    assert insecure_urls("http://h/x.m3u8", urls) == []
    assert insecure_urls("/home/me/x.m3u8", urls) == []


def test_keys_count() -> None:
    """All that is fetched for an item is looked at."""
    key = Decryption("AES-128", "http://h/key", bytes(16))
    item = PlannedItem(0, 0, "https://h/0.ts", None, key, 0, 4.0)

    assert list(urls_of([item])) == ["https://h/0.ts", "http://h/key"]
