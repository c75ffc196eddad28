"""`--progress plain`: lines of text, for logs, pipes and terminals that cannot move the cursor.

Their words are a promise to scripts (`words`); counts come at most once a second.
"""

from collections.abc import Callable

from pipeline.cli.thinning import Thinning
from pipeline.cli.words import published, words
from pipeline.events import Event, MergeStarted, OutputPublished


class Plain:
    """Shows events as lines."""

    interval = None

    def __init__(self, write: Callable[[str], object], *, verbose: bool = False) -> None:
        self._write = write
        self._verbose = verbose
        self._thinning = Thinning(1.0)
        self._named: set[str] = set()  # outputs that a line was about

    def show(self, event: Event) -> None:
        """Write the line for `event`, if it has one and it is due."""
        self._write_all(self._thinning.admit(event))

    def _write_all(self, events: list[Event]) -> None:
        for shown in events:
            line = self._words(shown)
            if line is not None:
                self._write(line)

    def _words(self, event: Event) -> str | None:
        if isinstance(event, MergeStarted):
            self._named.add(event.output)
        if isinstance(event, OutputPublished) and event.output not in self._named:
            return published(event)
        return words(event, verbose=self._verbose)

    def tick(self) -> None:
        """A lull: the newest count is due, if it was held back."""
        self._write_all(self._thinning.lull())

    def close(self) -> None:
        """Nothing to take back."""
