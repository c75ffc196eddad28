"""Where a URL leads, and how it is written on the wire. One reading of it, for everybody.

Parsers differ on URLs that are none: for one the host of `http://a\\@b/` is b, for another a. What
was judged by the one must not be sent by the other, so every request, whoever sends it, is made to
what is read here. What has more than one reading is refused.
"""

import re
from typing import NamedTuple
from urllib.parse import SplitResult, quote, urlsplit, urlunsplit

from pipeline.errors import NetworkError
from pipeline.net.failure import FetchFailure, Patience

#: A URL in which nothing has to be looked at twice: where it leads, and what is asked for there.
#: Ports from 60000 on take the long way.
_PLAIN = re.compile(
    r"(https?://[a-z0-9.-]+(?::[1-5]?[0-9]{1,4})?)(/(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)"
)
_MENDED = re.compile(r"(https?://[^/?#]+)([^#]*)")

#: A name, or an IPv6 address with the scope of a link. Escapes are for other parts of a URL.
_HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]*:[0-9a-f:.]*(?:%[A-Za-z0-9._-]+)?")

#: Left as they are where a URL has to be mended: what is reserved, and "%", which may be an escape.
_SAFE = "!#$%&'()*+,/:;=?@[]~"
_LONE_PERCENT = re.compile("%(?![0-9A-Fa-f]{2})")


class Target(NamedTuple):
    """A URL that requests are made to."""

    url: str  # as it was written, credentials included
    place: str  # scheme, host and port: "http://host:8000"
    path: str  # what is asked for there, with its query

    @property
    def clean(self) -> str:
        """The URL as it goes on the wire: in ASCII, without credentials and fragment."""
        return self.place + self.path


def target_of(url: str) -> Target:
    """Where `url` leads. Raises FetchFailure."""
    match = _PLAIN.fullmatch(url) or _MENDED.fullmatch(_mended(url))
    if match is None:
        raise _invalid()
    return Target(url, match[1], match[2])


def _mended(url: str) -> str:
    """`url` with its host in lower case and in ASCII, and everything else that needs it escaped.

    Raises FetchFailure.
    """
    try:
        parts = urlsplit(url)
        place = _place(parts)
    except ValueError as error:
        raise _invalid() from error
    path, query = (
        _LONE_PERCENT.sub("%25", quote(part, _SAFE)) for part in (parts.path, parts.query)
    )
    return urlunsplit((parts.scheme, place, path or "/", query, ""))


def _place(parts: SplitResult) -> str:
    """Host and port. Raises ValueError."""
    host = (parts.hostname or "").encode("idna").decode("ascii").lower()
    if "\\" in parts.netloc or not _HOST.fullmatch(host):
        raise ValueError("the host is none")
    place = f"[{host}]" if ":" in host else host
    return place if parts.port is None else f"{place}:{parts.port}"


def _invalid() -> FetchFailure:
    return FetchFailure(NetworkError, "the URL is not valid", Patience.NEVER)
