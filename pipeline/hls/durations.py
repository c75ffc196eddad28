"""EXTINF: seconds and title (RFC 8216 section 4.3.2.1)."""

from pipeline.hls.attributes import lenient_float
from pipeline.units import printable

#: Thirty years. What is longer is no duration, and sums of it would not stay finite.
_LONGEST = 1e9


def parse_extinf(text: str) -> tuple[float | None, str | None]:
    """Seconds and title of "10.5,Title"; None for what is missing or cannot be read.

    The title is as written, blanks included. Seconds may be below zero, which the RFC forbids
    and lists of radio stations use for "unknown". ValueError beyond 10^9 seconds.
    """
    written, _, title = text.partition(",")
    seconds = lenient_float(written)
    if seconds is not None and abs(seconds) > _LONGEST:
        raise ValueError(f'"{printable(written, 40)}" is no plausible duration')
    return seconds, title if title.strip() else None
