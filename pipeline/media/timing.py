"""From the times in WebVTT segments to times in one document (RFC 8216 section 3.5).

X-TIMESTAMP-MAP ties cue times to the media's clock; where the document's time 0 lies on that clock
is told by the video's first timestamp, or else by the places that the playlist gives the segments.
They also decide when the clock has been set anew, at a discontinuity or against the rules.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.media.timestamps import CLOCK, WRAP
from pipeline.media.webvtt import TICKS_PER_MS, TimestampMap, WebVtt

# A segment's first cue is shown within the segment: not a minute off, however durations are
# rounded. Where the clock may have been set anew, or there is only a guess, less is believed.
_NEAR_MS = 60_000
_SURE_MS = 5_000


@dataclass(frozen=True, slots=True)
class TimedSegment:
    """A segment read, and the milliseconds of the document that it is about."""

    document: WebVtt
    start: int
    duration: int
    discontinuity: int  # segments of one number are on one clock

    def distance(self, begin: int, end: int) -> int:
        """Milliseconds between the segment and a cue; 0 if the cue is shown within it."""
        return max(begin - self.start - self.duration, self.start - end, 0)


def offsets(segments: Sequence[TimedSegment], first: float | None, begin: int) -> Iterator[int]:
    """What to add to the cue times of each segment, in milliseconds, for times in the document.

    `first` is the video's first timestamp in seconds, where it is known. `begin` is the place in
    the playlist (milliseconds) that the document's time 0 stands for.
    """
    mapped = any(segment.document.timestamp_map for segment in segments)
    clock = _Clock(begin, None if first is None or not mapped else round(first * CLOCK))
    for segment in segments:
        clock.enter(segment)
        yield clock.offset(segment) if segment.document.cues else 0


class _Clock:
    """What is known of the media's clock while segments are gone through, run after run.

    A run is a number of segments between which the clock just goes on.
    """

    def __init__(self, begin: int, first: int | None) -> None:
        self._begin = begin
        self._zero = first  # time 0 of the document, in ticks
        self._discontinuity: int | None = None
        self._announced = False  # the clock may have been set anew, and no cue has told
        self._mapping: TimestampMap | None = None  # the one in force
        # Of the run: where it starts, its first mapping and where that is, whether it had cues.
        self._run_start = 0
        self._base: tuple[TimestampMap, int] | None = None
        self._spoken = False

    def enter(self, segment: TimedSegment) -> None:
        """Go on to the next segment, which may begin a run."""
        if self._discontinuity != segment.discontinuity:
            self._announced = self._discontinuity is not None
            self._discontinuity = segment.discontinuity
            self._begin_run(segment)
        mapping = segment.document.timestamp_map
        self._mapping = mapping or self._mapping
        if mapping and self._base is None:
            self._base = mapping, segment.start

    def _begin_run(self, segment: TimedSegment) -> None:
        mapping = segment.document.timestamp_map
        self._run_start = segment.start
        self._base = (mapping, segment.start) if mapping else None
        self._spoken = False

    def offset(self, segment: TimedSegment) -> int:
        """The offset of this segment's cues; the clock is set by them where it has to be."""
        believed = _SURE_MS if self._announced else _NEAR_MS
        if self._zero is None or self._misfit(segment, self._zero) > believed:
            if self._spoken:  # set anew without a word
                self._begin_run(segment)
            self._zero = self._fitting(segment)
        self._announced, self._spoken = False, True
        return self._offset(segment, self._zero)

    def _fitting(self, segment: TimedSegment) -> int:
        """The likely time 0 that fits, or fits best; if none does, the first cue comes first."""
        candidates = [(self._misfit(segment, zero), zero) for zero in self._candidates(segment)]
        best = next((one for one in candidates if one[0] <= _SURE_MS), None)
        best = best or min(candidates, key=lambda one: one[0])
        if best[0] <= _NEAR_MS:
            return best[1]
        cue = segment.document.cues[0].start
        return self._media(cue) - segment.start * TICKS_PER_MS

    def _candidates(self, segment: TimedSegment) -> Iterator[int]:
        """Where on the clock the document's time 0 may be, the likely places first."""
        mapping, place = self._base or (self._mapping or TimestampMap(), segment.start)
        if self._zero is None:  # cue times count from the beginning of the playlist
            yield mapping.zero + self._begin * TICKS_PER_MS
        else:  # the clock goes on
            yield self._zero
        # The time that is mapped is the one at which its segment begins.
        yield mapping.mpegts - place * TICKS_PER_MS
        # The clock starts at 0 with the run.
        yield -self._run_start * TICKS_PER_MS

    def _misfit(self, segment: TimedSegment, zero: int) -> int:
        """How far from its segment the first cue would be."""
        offset, cue = self._offset(segment, zero), segment.document.cues[0]
        return segment.distance(cue.start + offset, cue.end + offset)

    def _offset(self, segment: TimedSegment, zero: int) -> int:
        """The offset that a time 0 means: of those in 33 bits, the one next to the segment."""
        cue = segment.document.cues[0].start
        ticks = self._media(cue) - zero
        rounds = round((segment.start * TICKS_PER_MS - ticks) / WRAP)
        return round((ticks + rounds * WRAP) / TICKS_PER_MS) - cue

    def _media(self, cue: int) -> int:
        """A cue time on the media's clock."""
        return (self._mapping or TimestampMap()).zero + cue * TICKS_PER_MS
