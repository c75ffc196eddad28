"""Timestamps that run on: resets, wraps and disorder mended, gaps kept.

Two steps. `Clock` mends what is inside one part of a file (what lies between two
discontinuities), in ticks of its stream. `placed` then says by how much the parts move, so that
each begins where the one before it ended, and the first at zero.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

_RESET = 5  # seconds backwards that are no disorder, but a clock that was set anew
_ALIGNED = 10  # seconds between the starts of two files of one presentation, at most


@dataclass
class Clock:
    """The decoding times of one stream: always forwards."""

    time_base: Fraction
    shift: int = 0  # ticks added to every time
    _last: int | None = None
    _step: int = 1  # the last packet's duration

    def place(self, dts: int | None, pts: int | None, duration: int | None) -> tuple[int, int]:
        """The packet's mended dts and pts. They grow, and none is shown before it is decoded."""
        raw = dts if dts is not None else pts
        placed = self._expected() if raw is None else self._forwards(raw + self.shift)
        shown = placed if pts is None else max(pts + self.shift, placed)
        self._last, self._step = placed, max(duration or self._step, 1)
        return placed, shown

    def move(self, shift: int) -> None:
        """Add other ticks from here on: the next part begins."""
        self.shift = shift

    def _expected(self) -> int:
        return self.shift if self._last is None else self._last + self._step

    def _forwards(self, dts: int) -> int:
        if self._last is None or dts > self._last:
            return dts
        if self._last - dts < _RESET / self.time_base:
            return self._last + 1
        self.shift += self._expected() - dts
        return self._expected()


@dataclass
class Extent:
    """From when to when something lasts, in seconds, and how many packets it has."""

    start: Fraction | None = None
    end: Fraction = field(default_factory=Fraction)
    packets: int = 0

    def include(self, start: Fraction, end: Fraction, packets: int) -> None:
        """Make it last that long, too."""
        self.start = start if self.start is None else min(self.start, start)
        self.end = max(self.end, end) if self.packets else end
        self.packets += packets

    @property
    def length(self) -> Fraction:
        """Seconds, never below zero."""
        return Fraction(0) if self.start is None else max(self.end - self.start, Fraction(0))


def placed(files: Sequence[Sequence[Extent]]) -> list[list[Fraction]]:
    """For each file the seconds to add to the times of each of its parts.

    `files[0]` leads. A file with as many parts whose times count from about the same keeps its
    distance to the leader's, which is what keeps sound and picture together; any other is placed
    by itself.
    """
    leader = files[0]
    followers = [file for file in files if len(file) == len(leader)]
    starts, lengths = [], []
    for number in range(len(leader)):
        group = [file[number] for file in followers if _near(file[number], leader[number])]
        known = [extent.start for extent in group if extent.start is not None]
        starts.append(min(known, default=Fraction(0)))
        ends = [extent.end for extent in group if extent.start is not None]
        lengths.append(max(ends, default=starts[-1]) - starts[-1])
    return [_shifts(file, leader, starts, lengths) for file in files]


def _near(extent: Extent, other: Extent) -> bool:
    if extent.start is None or other.start is None:
        return True
    return abs(extent.start - other.start) < _ALIGNED


def _shifts(
    file: Sequence[Extent],
    leader: Sequence[Extent],
    starts: Sequence[Fraction],
    lengths: Sequence[Fraction],
) -> list[Fraction]:
    together = len(file) == len(leader)
    position, shifts = Fraction(0), []
    for number, extent in enumerate(file):
        aligned = together and _near(extent, leader[number])
        start = starts[number] if aligned else extent.start or Fraction(0)
        shifts.append(position - start)
        position += lengths[number] if together else extent.length
    return shifts
