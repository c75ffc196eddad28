"""Fewer progress events for a display that writes a line for each.

Pure: time is what the events say has elapsed.
"""

from pipeline.events import Event, OutputPublished, Progress, RemuxProgress, SegmentsStored

_Count = Progress | RemuxProgress


class Thinning:
    """Lets counts of a kind through at most once per `interval` seconds, and always the last."""

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._shown: dict[type[_Count], float] = {}  # when one of that kind was shown last
        self._held: _Count | None = None

    def admit(self, event: Event) -> list[Event]:
        """What to show now that `event` has happened."""
        if isinstance(event, _Count):
            return self._admit_count(event)
        if isinstance(event, SegmentsStored | OutputPublished) and self._held is not None:
            return [self._release(self._held), event]
        return [event]

    def lull(self) -> list[Event]:
        """What to show when nothing has happened for a while: the count that was held back."""
        return [] if self._held is None else [self._release(self._held)]

    def _admit_count(self, event: _Count) -> list[Event]:
        if self._is_due(event):
            return [self._release(event)]
        self._held = event
        return []

    def _is_due(self, event: _Count) -> bool:
        shown = self._shown.get(type(event))
        # Time that goes back is that of another remux.
        return shown is None or not 0 <= event.elapsed - shown < self._interval

    def _release(self, event: _Count) -> _Count:
        self._shown[type(event)], self._held = event.elapsed, None
        return event
