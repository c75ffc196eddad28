"""The displays of a batch: lines for logs and pipes, and bars for a terminal.

A line says that a download has ended, and how. On a terminal there is a bar for each download that
is under way, and one for all of them, below those lines. The events come from `jobs.batch`.
"""

import shutil
from collections.abc import Callable
from typing import TextIO

from pipeline.cli.terminal import fit
from pipeline.cli.words import percent, short_size, words
from pipeline.events import Progress, RemuxProgress
from pipeline.jobs.batch import BatchEvent, Begun, Ended, Told
from pipeline.jobs.entries import Entry
from pipeline.units import format_mb, printable

_WIDEST_BAR = 24
_WIDEST_NAME = 32

#: Erase from the cursor to the end of the screen, and to the end of the line.
_ERASE, _ERASE_LINE = "\x1b[J", "\x1b[K"


def line_for(event: BatchEvent, *, verbose: bool) -> str | None:
    """The line about `event`, if there is one."""
    match event:
        case Begun():
            return f"Fetching {printable(event.output)}" if verbose else None
        case Ended():
            return _end(event)
        case Told() if verbose and not isinstance(event.event, Progress | RemuxProgress):
            line = words(event.event, verbose=True)
            return line and f"line {event.entry.line}: {line}"
    return None


def _end(event: Ended) -> str:
    receipt = event.receipt
    failed_early = event.entry.error is not None
    name = f"line {event.entry.line}" if failed_early else printable(receipt.output or receipt.url)
    counted = f"[{event.done}/{event.total}]"
    if receipt.exit_code:
        return f"✗ {counted} {name}: {receipt.error} (exit {receipt.exit_code})"
    got = short_size(receipt.bytes) if receipt.bytes else "already there"
    return f"✓ {counted} {name} ({got})"


class BatchLines:
    """Shows a batch as lines."""

    interval = None

    def __init__(self, write: Callable[[str], object], *, verbose: bool = False) -> None:
        self._write = write
        self._verbose = verbose

    def show(self, event: BatchEvent) -> None:
        """Write the line for `event`, if it has one."""
        if (line := line_for(event, verbose=self._verbose)) is not None:
            self._write(line)

    def tick(self) -> None:
        """Nothing moves here."""

    def close(self) -> None:
        """Nothing to take back."""


class BatchBars:
    """Shows a batch as bars, with lines above them.

    The cursor rests at the start of the first bar: whatever is to be wiped begins there.
    """

    interval = 0.125

    def __init__(
        self,
        stream: TextIO,
        *,
        verbose: bool = False,
        width: Callable[[], int] = lambda: shutil.get_terminal_size().columns,
    ) -> None:
        self._stream = stream
        self._verbose = verbose
        self._width = width
        self._names: dict[Entry, str] = {}
        self._progress: dict[Entry, Progress] = {}
        self._done = self._total = self._bytes = 0

    def show(self, event: BatchEvent) -> None:
        """Take a count, or print the line for `event` above the bars."""
        match event:
            case Begun():
                self._names[event.entry] = event.output
            case Told() if isinstance(event.event, Progress):
                self._progress[event.entry] = event.event
            case Ended():
                self._names.pop(event.entry, None)
                self._progress.pop(event.entry, None)
                self._done, self._total = event.done, event.total
                self._bytes += event.receipt.bytes
        if (line := line_for(event, verbose=self._verbose)) is not None:
            self._write(_ERASE + line + "\n")

    def tick(self) -> None:
        """Draw all bars anew, as wide as the terminal is now."""
        width = self._width() - 1  # the last column stays free
        lines = [self._bar(name, self._progress.get(entry)) for entry, name in self._names.items()]
        if self._total:
            under_way = sum(progress.stored_bytes for progress in self._progress.values())
            size = format_mb(self._bytes + under_way)
            total = _drawn("all", self._done, self._total)
            lines.append(f"{total} {self._done}/{self._total} [{size}]")
        if lines:
            shown = "\n".join(line[:width] + _ERASE_LINE for line in lines)
            up = f"\x1b[{len(lines) - 1}A" if len(lines) > 1 else ""
            self._write(f"{shown}\r{up}")

    def _bar(self, name: str, progress: Progress | None) -> str:
        shown = printable(name)[-_WIDEST_NAME:]
        if progress is None:
            return _drawn(shown, 0, 1)
        done, total = progress.segments_done, progress.segments
        bar = _drawn(shown, done, total)
        return f"{bar} {percent(done, total)}% [{format_mb(progress.stored_bytes)}]"

    def close(self) -> None:
        """Wipe the bars; the lines above them stay."""
        self._write(_ERASE)

    def _write(self, text: str) -> None:
        self._stream.write(fit(text, self._stream.encoding or "utf-8"))
        self._stream.flush()


def _drawn(name: str, done: int, total: int) -> str:
    filled = _WIDEST_BAR * done // max(total, 1)
    return f"{name:{_WIDEST_NAME}} {'━' * filled}{'─' * (_WIDEST_BAR - filled)}"
