"""Is this still the same video? A word for a plan, equal as long as its items are the same.

For taking up what an earlier run has left: URLs may carry another token today (their query does not
count), but items, their order, byte ranges, keys and lengths must be those of then.
"""

import hashlib
from urllib.parse import urlsplit

from pipeline.hls.plan import Plan, PlannedItem
from pipeline.options import KeyOptions


def plan_identity(made: Plan, keys: KeyOptions) -> str:
    """64 hexadecimal digits that stand for the items of `made`, and for the key given by hand."""
    digest = hashlib.sha256()
    paths = {(urlsplit(item.url).path, item.byte_range) for item in made.items}
    # Where paths do not tell the items apart, the query does, and is no mere token.
    query_counts = len(paths) < len(made.items)
    for item in made.items:
        digest.update(repr(_facts(item, query_counts)).encode())
    digest.update(hashlib.sha256(keys.key or b"").digest())
    return digest.hexdigest()


def _facts(item: PlannedItem, query_counts: bool) -> tuple[object, ...]:
    url = urlsplit(item.url)
    decryption = item.decryption
    return (
        item.index,
        item.segment_index,
        item.media_sequence_number,
        item.byte_range,
        item.duration,
        url.hostname,
        url.path,
        url.query if query_counts else None,
        None
        if decryption is None
        else (decryption.method, urlsplit(decryption.key_url).path, decryption.iv),
    )
