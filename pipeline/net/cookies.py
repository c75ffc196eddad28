"""Cookies from a file in the Netscape format, as browsers' extensions and curl write it.

Each cookie says itself which host may see it; nothing is ever written back.
"""

from http.cookiejar import LoadError, MozillaCookieJar
from pathlib import Path

from pipeline.errors import UsageError


def load_cookies(path: Path) -> MozillaCookieJar:
    """The cookies in `path`, session cookies included. Raises UsageError.

    What is out of date stays out: a server would not take it either.
    """
    jar = MozillaCookieJar(path)
    try:
        jar.load(ignore_discard=True)
    except LoadError as error:
        raise UsageError(f"{path} is no cookie file in the Netscape format") from error
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise UsageError(f"Cannot read the cookie file {path}: {reason}") from error
    return jar
