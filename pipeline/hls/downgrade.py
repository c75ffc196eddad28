"""Steps down from https to http: what a playlist that came over TLS leads to without it.

Whoever is on the way can read such a segment or key, and put another in its place. Pure.
"""

from collections.abc import Iterable, Iterator

from pipeline.hls.plan import PlannedItem
from pipeline.hls.urls import scheme


def first_insecure(source: str, urls: Iterable[str]) -> str | None:
    """The first of `urls` that is http, if `source`, which names them, is https."""
    if scheme(source) != "https":
        return None
    return next((url for url in urls if scheme(url) == "http"), None)


def urls_of(items: Iterable[PlannedItem]) -> Iterator[str]:
    """All that is fetched for `items`."""
    for item in items:
        yield item.url
        if item.decryption is not None:
            yield item.decryption.key_url
