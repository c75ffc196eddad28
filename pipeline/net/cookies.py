"""Cookies: from a file in the Netscape format, and those that servers set in this run.

Each cookie says itself which host may see it; nothing is ever written back. The jar is the standard
library's, and is not even imported for a run that has no cookie.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import UsageError

if TYPE_CHECKING:
    from http.cookiejar import CookieJar, MozillaCookieJar


class Cookies:
    """The cookies of one transport. May be used from any thread."""

    def __init__(self, path: Path | None) -> None:
        """Begin with those in `path`. Raises UsageError."""
        self._jar: CookieJar | None = load_cookies(path) if path is not None else None

    @property
    def jar(self) -> "CookieJar":
        """All of them."""
        if self._jar is None:
            from http.cookiejar import CookieJar  # noqa: PLC0415

            self._jar = CookieJar()
        return self._jar

    def header_for(self, url: str) -> str | None:
        """The Cookie header of a request to `url`, if there is one."""
        if self._jar is None:
            return None
        from urllib.request import Request  # noqa: PLC0415

        request = Request(url)  # noqa: S310  (nothing is opened)
        self._jar.add_cookie_header(request)
        return request.get_header("Cookie")

    def take(self, url: str, fields: Iterable[str]) -> None:
        """An answer from `url` came with these Set-Cookie fields."""
        from email.message import Message  # noqa: PLC0415
        from urllib.request import Request  # noqa: PLC0415

        message = Message()
        for field in fields:
            message["Set-Cookie"] = field
        answer: Any = _Answer(message)
        self.jar.extract_cookies(answer, Request(url))  # noqa: S310


class _Answer:
    """As much of an answer as the jar looks at."""

    def __init__(self, message: Any) -> None:
        self._message = message

    def info(self) -> Any:
        return self._message


def load_cookies(path: Path) -> "MozillaCookieJar":
    """The cookies in `path`, session cookies included. Raises UsageError.

    What is out of date stays out: a server would not take it either.
    """
    from http.cookiejar import LoadError, MozillaCookieJar  # noqa: PLC0415

    jar = MozillaCookieJar(path)
    try:
        jar.load(ignore_discard=True)
    except LoadError as error:
        raise UsageError(f"{path} is no cookie file in the Netscape format") from error
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise UsageError(f"Cannot read the cookie file {path}: {reason}") from error
    return jar
