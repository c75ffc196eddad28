"""Is this still the same video? A word for a plan, equal as long as its items are the same.

For taking up what an earlier run has left: URLs may carry another token today, but items, their
order, byte ranges, keys and lengths must be those of then. What is a token in a query its name
says; anything else may be what tells one video from another.
"""

import hashlib
from urllib.parse import unquote_plus, urlsplit

from pipeline.hls.plan import Plan, PlannedItem
from pipeline.options import KeyOptions

#: Names of query parameters that let somebody in for a while, and say nothing of what is fetched:
#: of signed URLs as content networks and storage services make them. Short names that may as well
#: be a site's own ("e", "st", "hash") are not among them: to start over is right as well.
_TOKENS = frozenset({
    "access_token", "auth", "auth_key", "auth_token", "exp", "expire", "expires", "expiry",
    "hdnea", "hdntl", "hdnts", "hmac", "jwt", "key-pair-id", "policy", "se", "session_token",
    "sig", "sign", "signature", "token", "wmsauthsign",
})  # fmt: skip
_TOKEN_PREFIXES = ("x-amz-", "x-goog-")


def plan_identity(made: Plan, keys: KeyOptions) -> str:
    """64 hexadecimal digits that stand for the items of `made`, and for the key given by hand."""
    digest = hashlib.sha256()
    for item in made.items:
        digest.update(repr(_facts(item)).encode())
    digest.update(hashlib.sha256(keys.key or b"").digest())
    return digest.hexdigest()


def _facts(item: PlannedItem) -> tuple[object, ...]:
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
        _without_tokens(url.query),
        None
        if decryption is None
        else (decryption.method, urlsplit(decryption.key_url).path, decryption.iv),
    )


def _without_tokens(query: str) -> str:
    return "&".join(each for each in query.split("&") if not _is_token(each))


def _is_token(parameter: str) -> bool:
    name = unquote_plus(parameter.partition("=")[0]).lower()
    return name in _TOKENS or name.startswith(_TOKEN_PREFIXES)
