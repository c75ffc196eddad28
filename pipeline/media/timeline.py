"""Timestamps that run on: resets, wraps and disorder mended, gaps kept.

Two steps. `Clock` mends what is inside one part of a file (what lies between two
discontinuities), in ticks of its stream. `placed` then says by how much the parts move, so that
each begins where the one before it ended, and the first at zero.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from pipeline.media.timestamps import TURN

_RESET = 5  # seconds backwards that are no disorder, but a clock that was set anew
ALIGNED = 10  # seconds between the starts of two files of one presentation, at most
_LATE = Fraction(60, 1000)  # seconds that sound may be late (ITU-R BT.1359: 125 are noticed)


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
    """From when to when a track lasts in one part, in ticks, and how many packets it has."""

    start: int = 0
    end: int = 0
    packets: int = 0

    def include(self, start: int, end: int) -> None:
        """One packet more."""
        if not self.packets or start < self.start:
            self.start = start
        if not self.packets or end > self.end:
            self.end = end
        self.packets += 1


@dataclass(frozen=True)
class Span:
    """The same in seconds."""

    start: Fraction
    end: Fraction

    def together(self, other: "Span") -> "Span":
        """From the first beginning to the last end."""
        return Span(min(self.start, other.start), max(self.end, other.end))


#: A track of a file: its type, and which of that type it is.
Place = tuple[str, int]
Part = Mapping[Place, Span]
_Track = tuple[int, Place]


def placed(
    files: Sequence[Sequence[Part]], known: Sequence[bool]
) -> list[list[dict[Place, Fraction]]]:
    """For each file and part the seconds to add to the times of each of its tracks.

    `files[0]` leads. A file with as many parts whose times count from about the same stays
    together with it, which is what keeps sound and picture together; any other is placed by
    itself. So is one whose times say nothing of the others': not `known`.
    """
    turns = [_turns(file, files[0]) for file in files]
    files = [list(map(_later, file, by)) for file, by in zip(files, turns, strict=True)]
    together = [
        number
        for number, file in enumerate(files)
        if not number or (known[0] and known[number] and _aligned(file, files[0]))
    ]
    alone = [[number] for number in range(len(files)) if number not in together]
    shifts: list[list[dict[Place, Fraction]]] = [[] for _ in files]
    for group in (together, *alone):
        ends: dict[_Track, Fraction] = {}
        for part in range(len(files[group[0]])):
            tracks = {
                (number, place): span
                for number in group
                for place, span in files[number][part].items()
            }
            moved = _moved(tracks, ends)
            for number in group:
                turn = turns[number][part]
                shifts[number].append({p: by + turn for (n, p), by in moved.items() if n == number})
    return shifts


def _turns(file: Sequence[Part], leader: Sequence[Part]) -> list[Fraction]:
    """What to add to the times of each part, if its clock of 33 bits is a turn behind the leader's.

    FFmpeg counts MPEG-TS that is about to wrap from below zero; packed audio says its time as is.
    """
    if len(file) != len(leader):
        return [_turn(file[0], leader[0])] * len(file)
    return list(map(_turn, file, leader))


def _turn(part: Part, leader: Part) -> Fraction:
    starts = [[span.start for span in each.values()] for each in (part, leader)]
    if not all(starts):
        return Fraction(0)
    return round((min(starts[1]) - min(starts[0])) / TURN) * TURN


def _later(part: Part, by: Fraction) -> Part:
    return {place: Span(span.start + by, span.end + by) for place, span in part.items()}


def _aligned(file: Sequence[Part], leader: Sequence[Part]) -> bool:
    return len(file) == len(leader) and all(map(_near, file, leader))


def _near(part: Part, other: Part) -> bool:
    starts = [[span.start for span in each.values()] for each in (part, other)]
    return not all(starts) or abs(min(starts[0]) - min(starts[1])) < ALIGNED


def _moved(tracks: Mapping[_Track, Span], ends: dict[_Track, Fraction]) -> dict[_Track, Fraction]:
    """Move a part behind what ended at `ends`, and bring those up to date.

    Sound is seldom exactly as long as the picture. The picture goes on without a gap, and sound
    may be late by the difference, until that adds up to what one could notice.
    """
    if not tracks:
        return {}
    behind = {track: ends[track] - tracks[track].start for track in tracks if track in ends}
    lead = min(tracks, key=lambda track: track[1][0] != "video")
    first = min(span.start for span in tracks.values())
    by = behind.get(lead, max(ends.values(), default=Fraction(0)) - first)
    latest = max(behind.values(), default=by)
    if latest - by > _LATE:
        by = latest
    moved = {track: max(by, behind.get(track, by)) for track in tracks}
    ends |= {track: span.end + moved[track] for track, span in tracks.items()}
    return moved
