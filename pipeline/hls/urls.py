"""Relative URIs to absolute URLs, and which URLs may be fetched (RFC 3986 section 5).

A remote playlist must not make hlspipe read local files: `require_fetchable` is where that is
decided, for segments, initialization sections, keys, variants and renditions alike.
"""

import re
from base64 import b64decode
from functools import cached_property
from urllib.parse import unquote_to_bytes, urljoin

from pipeline.errors import PlaylistError
from pipeline.units import public_url

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_WEB = re.compile(r"https?://[^/?#]", re.IGNORECASE)

#: Path parts and a query in which nothing is special: joining them is appending them. Most
#: segment URIs are so, and 200,000 calls of `urljoin` take a second.
_PLAIN = re.compile(
    r"[A-Za-z0-9_~-][A-Za-z0-9_~.%+=@-]*(?:/[A-Za-z0-9_~-][A-Za-z0-9_~.%+=@-]*)*"
    r"(?:\?[A-Za-z0-9_~.%+=@&-]+)?"
)
_LOCAL = frozenset({"", "file"})

#: Bytes of a key in a `data:` URL: the largest key has 32.
_MAX_DATA = 64


class Base:
    """The URL that the relative URIs of one playlist are seen from."""

    def __init__(self, url: str) -> None:
        self._url = url

    @cached_property
    def _directory(self) -> str:
        return urljoin(self._url, "x")[:-1]

    def resolve(self, uri: str) -> str:
        """`uri` as an absolute URL; ValueError if that is no URL."""
        if _PLAIN.fullmatch(uri):
            return self._directory + uri
        return urljoin(self._url, uri)


def scheme(url: str) -> str:
    """The scheme of `url` in lower case; "" for a bare path."""
    match = _SCHEME.match(url)
    return match[1].lower() if match else ""


def require_fetchable(url: str, *, allow_local: bool) -> None:
    """PlaylistError unless `url` is http or https, or local where `allow_local` permits that."""
    if _WEB.match(url) or (allow_local and scheme(url) in _LOCAL):
        return
    shown = public_url(url) if "://" in url or not scheme(url) else f"a {scheme(url)}: URL"
    raise PlaylistError(f"The playlist names {shown}: only http and https")


def require_key_fetchable(url: str, *, allow_local: bool, allow_data: bool) -> None:
    """As `require_fetchable`; small `data:` URLs pass too where `allow_data` permits them."""
    if scheme(url) != "data" or not allow_data:
        require_fetchable(url, allow_local=allow_local)
    elif len(data_bytes(url)) > _MAX_DATA:
        raise PlaylistError(f"The playlist names a data: URL of more than {_MAX_DATA} bytes as key")


def data_bytes(url: str) -> bytes:
    """The bytes that a `data:` URL holds (RFC 2397); PlaylistError if they are not base64."""
    head, _, data = url.partition(",")
    try:
        raw = unquote_to_bytes(data)
        return b64decode(raw, validate=True) if head.lower().endswith(";base64") else raw
    except ValueError as exc:
        raise PlaylistError("The playlist names a data: URL that cannot be read") from exc
