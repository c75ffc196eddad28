"""What is shared by all connections to one host: its pause, and who may see the user's headers.

Values and decisions; no requests are made here. An origin is scheme, host and port (RFC 6454).
"""

from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}

Origin = tuple[str, str, int | None]

#: The origin of what is no URL: server text may be anything.
_NOWHERE: Origin = ("", "", None)


def origin_of(url: str) -> Origin:
    """Scheme, host and port of `url`; a port that is not written is the scheme's own."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return _NOWHERE
    scheme = parts.scheme.lower()
    return scheme, (parts.hostname or "").lower(), port or _DEFAULT_PORTS.get(scheme)


def host_of(url: str) -> tuple[str, int | None]:
    """Host and port of `url`: whom requests to it burden."""
    return origin_of(url)[1:]


def may_see_user_headers(url: str, origin: str) -> bool:
    """Whether a request to `url` may carry what the user gave for `origin`.

    The same host and port, and no step down from https to http. The step up is allowed: it is
    what a site's redirect to https does.
    """
    scheme, host, port = origin_of(url)
    home_scheme, home, home_port = origin_of(origin)
    if not host or host != home:
        return False
    if scheme == home_scheme:
        return port == home_port
    return (home_scheme, scheme) == ("http", "https") and (home_port, port) == (80, 443)


class HostPauses:
    """Until when each host wants to be left alone, on the caller's clock (seconds)."""

    def __init__(self) -> None:
        self._until: dict[tuple[str, int | None], float] = {}

    def pause(self, url: str, until: float) -> None:
        """The host of `url` asked for a pause."""
        host = origin_of(url)[1:]
        self._until[host] = max(until, self._until.get(host, 0.0))

    def until(self, url: str) -> float:
        """When the host of `url` may be asked again; 0 when it may now."""
        return self._until.get(origin_of(url)[1:], 0.0) if self._until else 0.0
