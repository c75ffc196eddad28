"""EXT-X-DATERANGE: what happens between two instants (RFC 8216 section 4.3.2.7).

Tags only inform: one that makes no sense is left out. Those with the same ID are one range, told in
parts. Not covered: what a CLASS means (`chapters`, for one).
"""

from pipeline.hls.attributes import Attributes, lenient_float
from pipeline.hls.dates import parse_date
from pipeline.hls.limits import MAX_DATE_RANGES
from pipeline.hls.model import DateRange


class DateRanges:
    """The ranges of one playlist, in the order in which their IDs came up."""

    def __init__(self) -> None:
        """None yet."""
        self._found: dict[str, Attributes] = {}

    def add(self, attributes: Attributes) -> None:
        """One tag. Raises ValueError for too many."""
        identity = attributes.get("ID", "")
        if identity not in self._found and len(self._found) >= MAX_DATE_RANGES:
            raise ValueError(f"more than {MAX_DATE_RANGES} date ranges")
        self._found[identity] = self._found.get(identity, {}) | attributes

    def finish(self) -> tuple[DateRange, ...]:
        """All that have a beginning."""
        return tuple(one for one in map(_date_range, self._found.values()) if one is not None)


def _date_range(attributes: Attributes) -> DateRange | None:
    start = parse_date(attributes.get("START-DATE", ""))
    if start is None:
        return None
    seconds = _seconds(attributes.get("DURATION"))
    return DateRange(
        id=attributes.get("ID", ""),
        name=attributes.get("CLASS", ""),
        start=start,
        end=parse_date(attributes.get("END-DATE", "")),
        duration=None if seconds is None or seconds < 0 else seconds,
        extras={name: text for name, text in attributes.items() if name.startswith("X-")},
    )


def _seconds(text: str | None) -> float | None:
    try:
        return lenient_float(text)
    except ValueError:
        return None
