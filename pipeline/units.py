"""Text to values and back: sizes, durations, headers, URLs and server text made fit to print.

Pure functions, used at the edges (options, messages). Inside hlspipe a size is an int in bytes
and a duration a float in seconds, always.
"""

import re
from urllib.parse import urlsplit

KIB = 1 << 10
MIB = 1 << 20
GIB = 1 << 30

_SIZE = re.compile(r"\s*([0-9]{1,30}(?:\.[0-9]{1,30})?)\s*([kmgt]?)(i?)b?\s*", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_LARGEST = 2**63 - 1
_DURATION = re.compile(r"\s*([0-9]{1,15}(?:\.[0-9]{1,15})?)\s*(ms|s|m|h|)\s*", re.IGNORECASE)
#: Seconds. The system's waits end at 2^31 milliseconds, 24.8 days.
_LONGEST = 24 * 86_400
_SECONDS = {"ms": 0.001, "": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}

# RFC 9110 section 5.6.2 (token) and 5.5 (field values: Latin-1 without controls, but for tab).
_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*:[ \t]*([\t\x20-\x7e\x80-\xff]*)")

# C0, DEL, C1, line and paragraph separators, and the bidirectional controls: what can
# move a cursor, forge a line or reverse what a reader sees.
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def parse_size(text: str) -> int:
    """Bytes in `text`: "50MB", "512KiB", "1.5g", "1048576". MB = MiB = 2^20 bytes here.

    Raises ValueError when the text is no size.
    """
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a size (try 50MB, 512KiB or a number of bytes)")
    number, letter, _ = match.groups()
    unit: int = 1024 ** _POWERS[letter.lower()]
    size = int(number) * unit if number.isdigit() else int(float(number) * unit)
    if size > _LARGEST:
        raise ValueError(f"{text[:40]!r} is larger than any file")
    return size


def parse_duration(text: str) -> float:
    """Seconds in `text`: "30", "1.5s", "500ms", "2m". Raises ValueError when it is none."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a duration (try 30, 1.5s, 500ms or 2m)")
    number, unit = match.groups()
    seconds = float(number) * _SECONDS[unit.lower()]
    if seconds > _LONGEST:
        raise ValueError(f"{text[:40]!r} is longer than 24 days")
    return seconds


def parse_header(text: str) -> tuple[str, str]:
    """Name and value of a header written "Name: value". Raises ValueError when it is none."""
    match = _HEADER.fullmatch(text.strip())
    if match is None:  # not quoted: a header is often a secret
        raise ValueError("a header is written 'Name: value'")
    return match[1], match[2]


def format_mb(size: int) -> str:
    """`size` bytes as "12.3 MB" (1 MB = 2^20 bytes)."""
    return f"{size / MIB:.1f} MB"


def printable(text: str, limit: int = 300) -> str:
    """Server text made safe for a terminal and a log: controls escaped, length capped."""
    shown = text if len(text) <= limit else text[: limit - 1] + "…"
    return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", shown)


def public_url(url: str) -> str:
    """`url` without credentials, query and fragment, escaped: fit for a log.

    A query is shown as `?…`, so that a reader can see that there was one.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = parts.port
    except ValueError:
        return printable(re.split("[?#]", url, maxsplit=1)[0].rpartition("@")[2])
    netloc = f"[{host}]" if ":" in host else host
    if port is not None:
        netloc += f":{port}"
    if parts.netloc:
        shown = f"{parts.scheme}://{netloc}{parts.path}" if parts.scheme else netloc + parts.path
    else:
        # "user:password@host/..." is no URL, and its password is a secret all the same.
        head, slash, rest = parts.path.partition("/")
        shown = head.rpartition("@")[2] + slash + rest
    return printable(shown + ("?…" if parts.query else ""))
