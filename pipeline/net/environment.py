"""Whether a request is one for the library requests: because of a proxy, or of a login.

Proxies in variables (or in the settings of macOS) and logins in .netrc are what users of requests
expect, and they are read by requests. Here it is only found out whether there are any.
"""

import os
import sys
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

_PROXY = "_proxy"


def needs_requests(url: str, proxy: str | None) -> bool:
    """Whether a request to `url` is one for `requester`; `proxy` is what the user has asked for."""
    if proxy is not None or _has_settings():
        return True
    return "@" in url and "@" in urlsplit(url).netloc


@lru_cache
def _has_settings() -> bool:
    return _has_proxies() or _has_netrc()


def _has_proxies() -> bool:
    names = (name.lower() for name, value in os.environ.items() if value)
    if any(name.endswith(_PROXY) and name != f"no{_PROXY}" for name in names):
        return True
    if sys.platform == "darwin":
        from urllib.request import getproxies  # noqa: PLC0415  (20 ms; asks the system)

        return bool(getproxies())
    return False


def _has_netrc() -> bool:
    if (named := os.environ.get("NETRC")) is not None:
        return Path(named).expanduser().exists()
    try:
        home = Path.home()
    except RuntimeError:  # there is none
        return False
    return any((home / name).exists() for name in (".netrc", "_netrc"))
