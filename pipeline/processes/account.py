"""What one job of a run has cost so far, and who is told of it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from pipeline import events

Listener = Callable[[events.Event], None]


@dataclass(slots=True)
class Account:
    """Figures of one job. What concerns all jobs of a run is in its `bulletin`."""

    listener: Listener | None
    requests: int = 0
    retries: int = 0
    started: float = field(default_factory=time.monotonic)

    @property
    def elapsed(self) -> float:
        """Seconds since the job began."""
        return time.monotonic() - self.started

    def tell(self, event: events.Event) -> None:
        """Hand an event to the listener."""
        if self.listener is not None:
            self.listener(event)
