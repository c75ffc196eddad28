"""Is this answer an answer to what was asked? Status, Retry-After and Content-Range.

Works on the head of a response; the bytes that follow are `body`'s.
"""

import re
import time
from email.utils import parsedate_to_datetime

import requests

from pipeline.errors import NetworkError, SegmentsMissingError
from pipeline.net.failure import FetchFailure, Patience, broken
from pipeline.units import printable

_CONTENT_RANGE = re.compile(
    r"\s*bytes\s+(\d{1,20})-(\d{1,20})/(\d{1,20}|\*)\s*", re.IGNORECASE | re.ASCII
)

#: Client errors that pass by themselves: request timeout, too early, too many requests.
_PASSING = {408, 425, 429}

#: What servers answer to a URL whose token has run out.
_EXPIRED = {401, 403, 410}


def check_status(response: requests.Response) -> None:
    """Let 200 and 206 pass. Raises FetchFailure."""
    status = response.status_code
    if status in (200, 206):
        return
    reason = f"HTTP {status} {printable(response.reason or '', 60)}".rstrip()
    after = retry_after(response)
    if status in _PASSING or status >= 500:
        raise FetchFailure(NetworkError, reason, Patience.FULL, after)
    if 400 <= status < 500:
        patience = Patience.EXPIRED if status in _EXPIRED else Patience.FEW
        raise FetchFailure(SegmentsMissingError, reason, patience, after)
    raise FetchFailure(NetworkError, reason, Patience.FEW)


def retry_after(response: requests.Response) -> float | None:
    """Seconds that the server asks us to stay away (RFC 9110 section 10.2.3), if it says so."""
    text = response.headers.get("retry-after", "").strip()
    if _is_number(text):
        return float(text[:9])
    try:
        # A date is compared with the wall clock once; all waiting is on the monotonic one.
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError, TypeError):
        return None


def range_to_skip(response: requests.Response, byte_range: tuple[int, int] | None) -> int:
    """Bytes to pass over in the body before the range begins. Raises FetchFailure.

    A 206 must be exactly the range asked for. A 200 is the whole resource, and fits if it reaches
    as far as the range does.
    """
    if byte_range is None:
        if response.status_code == 206:
            raise broken("the server sent a part where the whole was asked for")
        return 0
    offset, length = byte_range
    if response.status_code == 206:
        if _sent_range(response) != (offset, offset + length - 1):
            raise broken("the server sent another range than the one asked for")
        return 0
    whole = response.headers.get("content-length", "")
    if _is_number(whole) and int(whole) < offset + length:
        raise broken("the server ignored the range, and the whole is too short for it")
    return offset


def _sent_range(response: requests.Response) -> tuple[int, int] | None:
    match = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", ""))
    return (int(match[1]), int(match[2])) if match else None


def _is_number(text: str) -> bool:
    """Whether a header's value is a number that a server may mean: "²" is a digit for Python."""
    return text.isascii() and text.isdigit() and len(text) <= 20
