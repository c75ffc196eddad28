"""Who logs in where: credentials in a URL, or else in .netrc, as a header (RFC 7617).

A URL's own are for requests to that URL alone; those of .netrc are for a host, whoever names it.
"""

import os
from base64 import b64encode
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from netrc import netrc


def authorization(url: str) -> str | None:
    """The Authorization header of a request to `url`, if there is a login for it."""
    if "@" in url and (found := _in_url(url)) is not None:
        return found
    file = _netrc()
    if file is None:
        return None
    login = file.authenticators(urlsplit(url).hostname or "")
    return _basic(login[0] or login[1] or "", login[2] or "") if login is not None else None


def _in_url(url: str) -> str | None:
    parts = urlsplit(url)
    if parts.username is None and parts.password is None:
        return None
    return _basic(unquote(parts.username or ""), unquote(parts.password or ""))


def _basic(name: str, password: str) -> str:
    return f"Basic {b64encode(f'{name}:{password}'.encode()).decode()}"


@lru_cache
def _netrc() -> "netrc | None":
    """What $NETRC, ~/.netrc or ~/_netrc says; nothing if that cannot be read, as for requests."""
    path = _netrc_path()
    if path is None:
        return None
    from netrc import NetrcParseError, netrc  # noqa: PLC0415  (few machines have one)

    try:
        return netrc(path)
    except (NetrcParseError, OSError, UnicodeDecodeError):
        return None


def _netrc_path() -> Path | None:
    if (named := os.environ.get("NETRC")) is not None:
        places = [Path(named)]
    else:
        home = os.environ.get("HOME") or "~"
        places = [Path(home, name) for name in (".netrc", "_netrc")]
    # Not `Path.is_file`, which raises where a directory must not be looked into.
    return next((place for place in places if os.path.isfile(place)), None)  # noqa: PTH113
