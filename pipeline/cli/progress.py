"""Who shows the events of a run, and how a run is kept from waiting for them.

    supervisor --> Reporter.__call__ --> waiting events --> thread --> display --> stderr

A terminal can stop reading (Ctrl-S, a full pipe) or go away; only the thread notices. Not
covered: the displays themselves (`plain`, `bar`, `jsonlines`).
"""

import sys
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from enum import StrEnum
from types import TracebackType
from typing import Any, Protocol, Self

from pipeline.cli.terminal import Terminal, write_line
from pipeline.events import Progress, TempFilesRemoved
from pipeline.processes.scarcity import start_thread

#: Events that may wait for a stderr that nobody reads; older ones are forgotten. Progress never
#: adds up (only the newest count waits), so that in practice these are warnings and retries.
_MOST_WAITING = 1000

#: Seconds without an event after which a display that moves by events is told of the time, too.
_LULL = 1.0

#: Longest that the end of a run waits for its display, in seconds.
_PATIENCE = 1.0


class Style(StrEnum):
    """What `--progress` may say."""

    AUTO = "auto"
    BAR = "bar"
    PLAIN = "plain"
    JSON = "json"
    NONE = "none"


class Display(Protocol):
    """Shows events. Lives in the reporter's thread; an OSError ends it, and nothing else."""

    @property
    def interval(self) -> float | None:
        """Seconds between two ticks; None for a display that moves by events, or in a lull."""

    def show(self, event: Any) -> None:
        """Show `event`: of a download, or of a batch."""

    def tick(self) -> None:
        """Time has passed."""

    def close(self) -> None:
        """Leave the terminal as it was."""


def choose(asked: Style, terminal: Terminal, *, quiet: bool = False) -> Style:
    """The style in which to answer `asked`: a bar only where one can be drawn."""
    if quiet:
        return Style.NONE
    if asked in {Style.AUTO, Style.BAR}:
        return Style.BAR if terminal.movable else Style.PLAIN
    return asked


def display(style: Style, *, verbose: bool = False) -> Display | None:
    """The display of that style on stderr. Imports what it needs, and rich for the bar only."""
    if style is Style.JSON:
        from pipeline.cli.jsonlines import JsonLines  # noqa: PLC0415

        return JsonLines(write_line)
    if style is Style.BAR and sys.stderr is not None:
        from pipeline.cli.bar import Bar  # noqa: PLC0415

        return Bar(sys.stderr, verbose=verbose)
    if style is Style.NONE:
        return None
    from pipeline.cli.plain import Plain  # noqa: PLC0415

    return Plain(write_line, verbose=verbose)


class Reporter:
    """Takes the events of one run (call it with them) and shows them from a thread of its own."""

    def __init__(self, make_display: Callable[[], Display | None]) -> None:
        """`make_display` is called in the thread: importing rich takes time that the run uses."""
        self._make_display = make_display
        self._waiting: deque[object] = deque(maxlen=_MOST_WAITING)
        self._farewell: TempFilesRemoved | None = None
        self._started = self._ended = False
        self._changed = threading.Condition()  # held for a few instructions, never while showing
        self._thread = threading.Thread(target=self._run, name="progress", daemon=True)

    def __call__(self, event: object) -> None:
        """Take `event`. Never waits for the display."""
        if not self._started:
            start_thread(self._thread)
            self._started = True
        with self._changed:
            if isinstance(event, TempFilesRemoved):
                self._farewell = event
                return
            if isinstance(event, Progress) and self._waiting:
                self._drop_older_progress()
            self._waiting.append(event)
            self._changed.notify()

    def _drop_older_progress(self) -> None:
        if isinstance(self._waiting[-1], Progress):
            self._waiting.pop()

    def __enter__(self) -> Self:
        # The thread waits for the first event: a process with threads cannot be forked.
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: object, _trace: TracebackType | None
    ) -> None:
        # That things were cleaned up is said last, and after a Ctrl-C not at all: one line is
        # all that may follow it, and that line is the error's.
        interrupted = kind is not None and issubclass(kind, KeyboardInterrupt)
        with self._changed:
            if interrupted:
                self._waiting.clear()
            elif self._farewell is not None:
                self._waiting.append(self._farewell)
            self._ended = True
            self._changed.notify()
        if self._started:
            self._thread.join(_PATIENCE)

    def _run(self) -> None:
        with suppress(OSError):  # stderr has gone away; the run goes on in silence
            shown_by = self._make_display()
            if shown_by is not None:
                self._show_all(shown_by)

    def _show_all(self, shown_by: Display) -> None:
        while True:
            events, ended = self._take(shown_by.interval)
            for event in events:
                shown_by.show(event)
            if ended:
                return shown_by.close()
            if shown_by.interval is not None or not events:
                shown_by.tick()

    def _take(self, timeout: float | None) -> tuple[list[object], bool]:
        """What has happened since: at once, or (with a timeout) at the display's own pace."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._ended or (timeout is None and self._waiting), timeout or _LULL
            )
            events = list(self._waiting)
            self._waiting.clear()
            return events, self._ended
