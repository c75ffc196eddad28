"""What an answer is a part of, and whether another one is a part of the same.

A validator is believed if it is a strong one: two byte ranges that carry it are of one and the same
entity, byte for byte (RFC 9110 section 8.8). Decisions on the head of an answer; who asks for
the rest is `continued`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.net.answers import Answer, is_number, sent_range

_STRONG_ETAG = re.compile(r'"[\x21\x23-\x7e\x80-\xff]*"')

#: Seconds that an entity must have been left alone for its date to say what it is: a date has whole
#: seconds, and the clock of a file server may not be that of the web server.
_SETTLED_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Entity:
    """One version of what is behind a URL."""

    url: str = field(repr=False)  # the one that answered: after redirects it may be another
    validator: str
    size: int


def entity_of(answer: Answer, ranged: bool, received: float) -> Entity | None:
    """What the body of `answer` is a part of; None if the rest of it cannot be asked for.

    `ranged`: a part was asked for. `received`: when the head came, by the wall clock.
    """
    validator = _validator(answer.headers, received)
    size = _size(answer, ranged)
    if validator is None or size is None:
        return None
    if answer.headers.get("accept-ranges", "").strip().lower() == "none":
        return None
    return Entity(answer.url, validator, size)


def _size(answer: Answer, ranged: bool) -> int | None:
    """Bytes of the whole; None if unknown, or if the server has shown that it knows no ranges."""
    if answer.status == 206:
        sent = sent_range(answer)
        return sent[2] if sent else None
    length = answer.headers.get("content-length", "")
    if ranged or "transfer-encoding" in answer.headers or not is_number(length):
        return None
    return int(length)


def _validator(headers: Mapping[str, str], received: float) -> str | None:
    """What goes into If-Range: a strong ETag, or a Last-Modified that is as good."""
    etag = headers.get("etag", "").strip()
    if _STRONG_ETAG.fullmatch(etag):
        return etag
    modified = headers.get("last-modified", "").strip()
    changed, sent = _seconds(modified), _seconds(headers.get("date", ""))
    answered = received if sent is None else sent
    if changed is None or answered - changed < _SETTLED_SECONDS:
        return None
    return modified


def _seconds(date: str) -> float | None:
    from email.utils import parsedate_to_datetime  # noqa: PLC0415  (5 ms that few runs need)

    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError, TypeError):
        return None
