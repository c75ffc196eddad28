"""Cookies: from a file in the Netscape format, and those that servers set in this run.

Each cookie says itself which host may see it; nothing is ever written back. The jar is the standard
library's, and is not even imported for a run that has no cookie.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import UsageError

if TYPE_CHECKING:
    from http.cookiejar import CookieJar, MozillaCookieJar


#: Cookies that are taken from servers in one run, and bytes of one: browsers keep fewer, and each
#: goes with every further request to its host (RFC 6265 section 6.1).
_MOST_TAKEN = 300
_LONGEST = 4096


#: Hears of cookies that are new: the URL of the answer, and its Set-Cookie fields.
Tell = Callable[[str, list[str]], None]


class Cookies:
    """The cookies of one transport. May be used from any thread."""

    def __init__(self, path: Path | None, tell: Tell | None = None) -> None:
        """Begin with those in `path`; `tell` hears what servers add. Raises UsageError."""
        self._jar: CookieJar | None = load_cookies(path) if path is not None else None
        self._most = _MOST_TAKEN + (len(self._jar) if self._jar is not None else 0)
        self._tell = tell
        self._lock = threading.RLock()

    @property
    def jar(self) -> "CookieJar":
        """All of them."""
        with self._lock:
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
        new = self.learn(url, fields)
        if new and self._tell is not None:
            self._tell(url, new)

    def learn(self, url: str, fields: Iterable[str]) -> list[str]:
        """As if an answer from `url` had come with these fields; returns them if any is new."""
        from email.message import Message  # noqa: PLC0415
        from urllib.request import Request  # noqa: PLC0415

        with self._lock:
            before = self._values()
            welcome = list(self._welcome(fields))
            message = Message()
            for field in welcome:
                message["Set-Cookie"] = field
            answer: Any = _Answer(message)
            self.jar.extract_cookies(answer, Request(url))  # noqa: S310
            return welcome if self._values() != before else []

    def _values(self) -> dict[tuple[str, str, str], str | None]:
        return {(each.domain, each.path, each.name): each.value for each in self.jar}

    def _welcome(self, fields: Iterable[str]) -> Iterator[str]:
        """Those that there is room for: in a full jar, new values of cookies that are in it."""
        room = self._most - len(self.jar)
        known = {cookie.name for cookie in self.jar}
        for field in fields:
            name = field.partition("=")[0].strip()
            if len(field) <= _LONGEST and (name in known or room > 0):
                room -= name not in known
                yield field


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
        jar.load(ignore_discard=True, ignore_expires=True)
    except LoadError as error:
        raise UsageError(f"{path} is no cookie file in the Netscape format") from error
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise UsageError(f"Cannot read the cookie file {path}: {reason}") from error
    for cookie in jar:
        cookie.expires = cookie.expires or None  # 0 is how browsers and curl write "this session"
    jar.clear_expired_cookies()
    return jar
