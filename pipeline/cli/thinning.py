"""Fewer progress events for a display that writes a line for each.

Pure: time is what the events say has elapsed.
"""

from pipeline.events import Event, Progress, SegmentsStored


class Thinning:
    """Lets progress through at most once per `interval` seconds, and always the last of it."""

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._shown: Progress | None = None
        self._held: Progress | None = None

    def admit(self, event: Event) -> list[Event]:
        """What to show now that `event` has happened."""
        if isinstance(event, Progress):
            return self._admit_progress(event)
        if isinstance(event, SegmentsStored) and self._held is not None:
            return [self._release(self._held), event]
        return [event]

    def lull(self) -> list[Event]:
        """What to show when nothing has happened for a while: the count that was held back."""
        return [] if self._held is None else [self._release(self._held)]

    def _admit_progress(self, event: Progress) -> list[Event]:
        if self._is_due(event):
            return [self._release(event)]
        self._held = event
        return []

    def _is_due(self, event: Progress) -> bool:
        return self._shown is None or event.elapsed - self._shown.elapsed >= self._interval

    def _release(self, event: Progress) -> Progress:
        self._shown, self._held = event, None
        return event
