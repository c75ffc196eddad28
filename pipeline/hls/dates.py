"""EXT-X-PROGRAM-DATE-TIME: instants, and which segments they reach (RFC 8216 section 6.3.3).

A date belongs to the segment behind its tag. Segments without one continue from the segment
before them; those before the first date count back from it.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from pipeline.hls.model import MediaSegment


def parse_date(text: str) -> datetime | None:
    """The instant in `text` (ISO 8601; UTC where it names no zone), None if it is none."""
    try:
        date = datetime.fromisoformat(text.strip().strip('"').upper())
        return date.astimezone(UTC) if date.tzinfo else date.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def shifted(date: datetime | None, seconds: float) -> datetime | None:
    """`date` and `seconds` later; None when that leaves the calendar."""
    try:
        return None if date is None else date + timedelta(seconds=seconds)
    except OverflowError:
        return None


def count_back(segments: Sequence[MediaSegment]) -> tuple[MediaSegment, ...]:
    """`segments` with dates for those before the first one that has a date."""
    dated = next((i for i, one in enumerate(segments) if one.program_date_time), 0)
    head: list[MediaSegment] = []
    date = segments[dated].program_date_time if segments else None
    for segment in reversed(segments[:dated]):
        date = shifted(date, -max(segment.duration, 0.0))
        head.append(segment._replace(program_date_time=date))
    return (*reversed(head), *segments[dated:])


def format_date(date: datetime) -> str:
    """`date` as "2026-01-31T12:00:00.000Z"."""
    return date.isoformat(timespec="milliseconds").replace("+00:00", "Z")
