"""`--progress plain`: lines of text, for logs, pipes and terminals that cannot move the cursor.

Their words are a promise to scripts (`words`); counts come at most once a second.
"""

from collections.abc import Callable

from pipeline.cli.thinning import Thinning
from pipeline.cli.words import words
from pipeline.events import Event


class Plain:
    """Shows events as lines."""

    interval = None

    def __init__(self, write: Callable[[str], object], *, verbose: bool = False) -> None:
        self._write = write
        self._verbose = verbose
        self._thinning = Thinning(1.0)

    def show(self, event: Event) -> None:
        """Write the line for `event`, if it has one and it is due."""
        for shown in self._thinning.admit(event):
            line = words(shown, verbose=self._verbose)
            if line is not None:
                self._write(line)

    def tick(self) -> None:
        """Nothing moves between two events."""

    def close(self) -> None:
        """Nothing to take back."""
