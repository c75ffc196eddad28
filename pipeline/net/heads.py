"""The head of an HTTP/1.x answer: bytes to status, reason and headers (RFC 9112). Pure.

http.client reads a head through the parser for mail: 80 us of CPU for each segment, of 100 KB for
instance. This one takes 10. It believes nothing that can be read in two ways: lengths that
contradict each other, a name with a blank in it. What an answer means is `answers`' business.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.net.failure import broken

#: Bytes of one head at the most, and lines in it: as much as servers accept from browsers.
LONGEST_HEAD = 64 * 1024
_MOST_LINES = 256

_END = re.compile(rb"\r?\n\r?\n")
_STATUS = re.compile(r"HTTP/1\.([01]) ([1-9]\d\d)(?: (.*))?", re.ASCII)
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_LENGTH = re.compile(r"\d{1,20}", re.ASCII)

#: Statuses that have no body, whatever their headers say (section 6.3).
_BODILESS = {204, 304}


@dataclass(frozen=True, slots=True)
class Head:
    """What an answer begins with. Names of headers are in lower case; equal ones are joined."""

    status: int
    reason: str
    headers: Mapping[str, str]
    cookies: tuple[str, ...] = field(default=(), repr=False)  # Set-Cookie cannot be joined
    minor: int = 1  # of the version: HTTP/1.<minor>

    @property
    def chunked(self) -> bool:
        """Whether the body comes in chunks, each with its length."""
        return self.headers.get("transfer-encoding", "").lower() == "chunked"

    @property
    def length(self) -> int | None:
        """Bytes of the body, or None if they are not announced. Raises FetchFailure."""
        if self.status in _BODILESS:
            return 0
        if self.chunked or "content-length" not in self.headers:
            return None
        values = {value.strip() for value in self.headers["content-length"].split(",")}
        if len(values) != 1 or not _LENGTH.fullmatch(text := values.pop()):
            raise broken("the server announced a length that is no number")
        return int(text)

    @property
    def keeps_alive(self) -> bool:
        """Whether the connection is good for another request (section 9.3)."""
        words = self.headers.get("connection", "").lower()
        return "close" not in words if self.minor else "keep-alive" in words


def head_end(data: bytes | bytearray, start: int, end: int) -> int:
    """Where the body begins in `data`, or -1 if the head is not whole yet."""
    match = _END.search(data, start, end)
    return match.end() if match else -1


def parse_head(data: bytes) -> Head:
    """The head in `data`, its blank line included or not. Raises FetchFailure."""
    first, *lines = data.decode("latin-1").rstrip("\r\n").split("\n")
    status = _STATUS.fullmatch(first.rstrip("\r"))
    if status is None or len(lines) > _MOST_LINES:
        raise broken("the answer was no valid HTTP")
    headers: dict[str, str] = {}
    cookies = []
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not _NAME.fullmatch(name):
            raise broken("the answer was no valid HTTP")
        name, value = name.lower(), value.strip(" \t\r")
        if name == "set-cookie":
            cookies.append(value)
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    if headers.get("transfer-encoding", "chunked").lower() != "chunked":
        raise broken("the server encoded the body in a way that was not asked for")
    return Head(int(status[2]), status[3] or "", headers, tuple(cookies), int(status[1]))
