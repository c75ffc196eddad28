"""Chapters, as EXT-X-DATERANGE tells them, in seconds of what is downloaded.

No standard says how: taken for a chapter is a range whose CLASS has the word "chapter" in it
("com.example.chapter"), called after its X-...-TITLE or X-...-NAME, or else its ID. It lies where
EXT-X-PROGRAM-DATE-TIME puts it; without one there are no chapters.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.hls.model import DateRange, MediaPlaylist
from pipeline.hls.plan import PlannedItem
from pipeline.units import printable

_TITLES = ("TITLE", "NAME")
_LONGEST_TITLE = 200


@dataclass(frozen=True)
class Chapter:
    """A named stretch of time, in seconds."""

    start: float
    end: float
    title: str


def chapters(playlist: MediaPlaylist, items: Iterable[PlannedItem]) -> tuple[Chapter, ...]:
    """The chapters of `playlist` that `items` of it cover; none overlaps another."""
    told = [one for one in playlist.date_ranges if "chapter" in one.name.lower()]
    if not told:
        return ()
    told.sort(key=lambda one: one.start)
    timeline = _Timeline(playlist, items)
    starts = [timeline.position(one.start.timestamp()) for one in told]
    placed = []
    for one, start, following in zip(told, starts, [*starts[1:], timeline.end], strict=True):
        own = _end(one)
        until = following if own is None else min(timeline.position(own), following)
        if until > start:
            placed.append(Chapter(start, until, _title(one)))
    return tuple(placed)


class _Timeline:
    """From instants (seconds since 1970) to seconds of the output."""

    def __init__(self, playlist: MediaPlaylist, items: Iterable[PlannedItem]) -> None:
        self.end = 0.0
        self._dated: list[tuple[float, float]] = []  # of each segment: its position, its instant
        self._ends: list[float] = []  # by when it and all before it are over
        for item in items:
            if item.segment_index is None:
                continue
            date = playlist.segments[item.segment_index].program_date_time
            if date is not None:
                self._dated.append((self.end, date.timestamp()))
                over = date.timestamp() + item.duration
                self._ends.append(max(over, *self._ends[-1:]) if self._ends else over)
            self.end += item.duration

    def position(self, instant: float) -> float:
        """Where `instant` is in the output; if it is not, where what follows it begins."""
        found = bisect_right(self._ends, instant)
        if found == len(self._ends):
            return self.end if self._ends else 0.0
        position, date = self._dated[found]
        return position + max(instant - date, 0.0)


def _end(one: DateRange) -> float | None:
    if one.end is not None:
        return one.end.timestamp()
    return None if one.duration is None else one.start.timestamp() + one.duration


def _title(one: DateRange) -> str:
    titles = [text for name, text in one.extras.items() if name.endswith(_TITLES) and text]
    return printable(titles[0] if titles else one.id, _LONGEST_TITLE)
