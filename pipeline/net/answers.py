"""Is this answer an answer to what was asked? Status, Retry-After and Content-Range.

Works on the head of a response; the bytes that follow are `body`'s.
"""

import re
import time
from collections.abc import Mapping
from typing import Protocol

from pipeline.errors import NetworkError, SegmentsMissingError
from pipeline.net.ahead import Busy
from pipeline.net.failure import FetchFailure, Patience, broken
from pipeline.units import printable

_CONTENT_RANGE = re.compile(
    r"\s*bytes\s+(\d{1,20})-(\d{1,20})/(\d{1,20}|\*)\s*", re.IGNORECASE | re.ASCII
)

#: Seconds, for those who want to be left alone for longer than anybody waits.
_FOR_EVER = 1e9

#: Client errors that pass by themselves: request timeout, too early.
_PASSING = {408, 425}

#: Too many requests, for this client or altogether.
_BUSY = {429, 503}

#: What servers answer to a URL whose token has run out.
_EXPIRED = {401, 403, 410}


class Answer(Busy, Protocol):
    """The head of an answer, and its body as far as it is still to come."""

    url: str
    status: int
    reason: str
    headers: Mapping[str, str]  # by their names in lower case

    @property
    def length(self) -> int | None:
        """Bytes still to come, as far as the server has announced them."""
        ...

    @property
    def until_close(self) -> bool:
        """Whether the body ends with the connection: nobody can tell if it is whole."""
        ...

    @property
    def idle_share(self) -> float:
        """The part of the connections to the same site that lie idle: the rest could come there."""
        ...

    def read_into(self, view: memoryview) -> int:
        """Some bytes; 0 at the end of the body. Raises FetchFailure, EOFError, OSError."""
        ...

    def release(self) -> None:
        """The body is not read any further."""
        ...


def check_status(answer: Answer) -> None:
    """Let 200 and 206 pass. Raises FetchFailure."""
    status = answer.status
    if status in (200, 206):
        return
    reason = f"HTTP {status} {printable(answer.reason, 60)}".rstrip()
    after = retry_after(answer)
    if status in _BUSY:
        raise FetchFailure(NetworkError, reason, Patience.BUSY, after)
    if status in _PASSING or status >= 500:
        raise FetchFailure(NetworkError, reason, Patience.FULL, after)
    if 400 <= status < 500:
        patience = Patience.EXPIRED if status in _EXPIRED else Patience.FEW
        raise FetchFailure(SegmentsMissingError, reason, patience, after)
    raise FetchFailure(NetworkError, reason, Patience.FEW)


def refuse_encoded(answer: Answer) -> None:
    """Refuse an encoding that was not asked for: its bytes are not the segment's.

    Raises FetchFailure.
    """
    if answer.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise broken("the server compressed a body that was to be sent as it is")


def retry_after(answer: Answer) -> float | None:
    """Seconds that the server asks us to stay away (RFC 9110 section 10.2.3), if it says so."""
    text = answer.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text) if len(text) < 10 else _FOR_EVER
    from email.utils import parsedate_to_datetime  # noqa: PLC0415  (5 ms, for few answers)

    try:
        # A date is compared with the wall clock once; all waiting is on the monotonic one.
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError, TypeError):
        return None


def range_to_skip(answer: Answer, byte_range: tuple[int, int] | None) -> int:
    """Bytes to pass over in the body before the range begins. Raises FetchFailure.

    A 206 must be exactly the range asked for. A 200 is the whole resource, and fits if it reaches
    as far as the range does.
    """
    if byte_range is None:
        if answer.status == 206:
            raise broken("the server sent a part where the whole was asked for")
        return 0
    offset, length = byte_range
    if answer.status == 206:
        sent = sent_range(answer)
        if sent is None or sent[:2] != (offset, offset + length - 1):
            raise broken("the server sent another range than the one asked for")
        if answer.length not in (None, length):
            raise broken("the server sent another range than it said")
        return 0
    whole = answer.headers.get("content-length", "")
    if is_number(whole) and int(whole) < offset + length:
        raise broken("the server ignored the range, and the whole is too short for it")
    return offset


def sent_range(answer: Answer) -> tuple[int, int, int | None] | None:
    """First and last byte of what a 206 brings, and the size of the whole where it is known."""
    match = _CONTENT_RANGE.fullmatch(answer.headers.get("content-range", ""))
    if match is None:
        return None
    return int(match[1]), int(match[2]), None if match[3] == "*" else int(match[3])


def is_number(text: str) -> bool:
    """Whether a header's value is a number that a server may mean: "²" is a digit for Python."""
    return text.isascii() and text.isdigit() and len(text) <= 20
