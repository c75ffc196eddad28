"""What the daemon asks of the engine that downloads its jobs, and what it hears from it.

Instructions go down as calls, events come up by a callback, in a thread of the engine's. A job is
known by its key alone: the number that it has in the queue.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from pipeline.errors import HlspipeError
from pipeline.events import Event
from pipeline.jobs.receipt import Receipt
from pipeline.options import FetchOptions


@dataclass(frozen=True, slots=True)
class Started:
    """The download has begun."""

    key: int


@dataclass(frozen=True, slots=True)
class Told:
    """Something happened in it: progress, a warning, its output's name."""

    key: int
    event: Event


@dataclass(frozen=True, slots=True)
class Ended:
    """The last event of a download: it is over, or was cancelled (`StoppedError`)."""

    key: int
    receipt: Receipt | None
    error: HlspipeError | None


EngineEvent = Started | Told | Ended

#: Called in the engine's thread, one event at a time for each key.
Listener = Callable[[EngineEvent], None]


class Engine(Protocol):
    """Downloads jobs. Its methods return at once and may be called from any thread."""

    def submit(self, key: int, url: str, output: str, options: FetchOptions, priority: int) -> None:
        """Begin a download as soon as there is room. Each key ends with one `Ended`."""

    def cancel(self, key: int, keep: bool) -> None:
        """End it before its time; `keep` leaves what is written, for a later attempt."""

    def ask(self, answer: Callable[[], None]) -> None:
        """Call `answer` from the thread that does the work, to show that it still does."""

    def close(self, keep: bool) -> None:
        """End everything, as `cancel` does, and wait for that. Nothing is told any more."""
