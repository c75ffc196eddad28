"""Relative URIs to absolute URLs, and which URLs may be fetched (RFC 3986 section 5).

A remote playlist must not make hlspipe read local files: `require_fetchable` is where that is
decided, for segments, initialization sections, keys, variants and renditions alike.
"""

import re
from urllib.parse import urljoin

from pipeline.errors import PlaylistError
from pipeline.units import public_url

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_WEB = frozenset({"http", "https"})
_LOCAL = frozenset({"", "file"})

#: Bytes of a key in a `data:` URL: the largest key has 32.
_MAX_DATA_KEY = 64
#: Characters of such a URL: those bytes, each percent-encoded, and a media type.
_MAX_DATA_URL = 3 * _MAX_DATA_KEY + 64


def resolve(base: str, uri: str) -> str:
    """`uri` as an absolute URL, seen from `base`; ValueError if that is no URL."""
    return urljoin(base, uri)


def scheme(url: str) -> str:
    """The scheme of `url` in lower case; "" for a bare path."""
    match = _SCHEME.match(url)
    return match[1].lower() if match else ""


def require_fetchable(url: str, *, allow_local: bool) -> None:
    """PlaylistError unless `url` is http or https, or local where `allow_local` permits that."""
    found = scheme(url)
    if found not in _WEB and not (allow_local and found in _LOCAL):
        raise PlaylistError(f"The playlist names {public_url(url)}: only http and https")


def require_key_fetchable(url: str, *, allow_local: bool, allow_data: bool) -> None:
    """As `require_fetchable`; small `data:` URLs pass too where `allow_data` permits them."""
    if allow_data and scheme(url) == "data" and len(url) <= _MAX_DATA_URL:
        return
    require_fetchable(url, allow_local=allow_local)
