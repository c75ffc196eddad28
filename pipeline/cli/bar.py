"""`--progress bar`: one line that moves, painted with rich, and the words of `words` above it.

Draws what fits: on a narrow terminal the least important facts go first. Lives in the reporter's
thread; the clock is an argument, for the tests' sake.
"""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TextIO

from rich.console import Console
from rich.text import Text

from pipeline.cli.terminal import fit
from pipeline.cli.words import clock, percent, published, words
from pipeline.events import (
    Event,
    OutputPublished,
    Progress,
    RemuxProgress,
    Resumed,
    TransferStarted,
)
from pipeline.units import format_mb, printable

#: Seconds over which speed is measured: short enough to see a server slow down, long enough
#: for a figure that can be read.
_SPEED_WINDOW = 5.0

_NARROWEST, _WIDEST = 8, 40  # columns of the bar itself
_GAP = "  "
_WIPE = "\r\x1b[J"  # from the cursor's line to the end of the screen


class Speed:
    """Bytes a second, over the last few seconds."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int]] = deque()

    def add(self, now: float, total: int) -> None:
        """At `now` there were `total` bytes."""
        self._samples.append((now, total))
        while len(self._samples) > 2 and now - self._samples[1][0] >= _SPEED_WINDOW:
            self._samples.popleft()

    @property
    def rate(self) -> float:
        """Bytes a second; 0 until it can be known."""
        if not self._samples:
            return 0.0
        (since, before), (now, after) = self._samples[0], self._samples[-1]
        return max(after - before, 0) / (now - since) if now > since else 0.0


@dataclass(frozen=True, slots=True)
class Fact:
    """A piece of the line. The higher its `rank`, the sooner it goes when there is no room."""

    rank: int
    text: str
    style: str = ""


#: Stands for the bar among the facts, at its narrowest.
BAR = Fact(5, " " * _NARROWEST)


def facts(progress: Progress, rate: float, remaining: float | None) -> list[Fact]:
    """What the line says, from left to right."""
    done, total = progress.segments_done, progress.segments
    on_disk = progress.storage_mode == "disk"
    line = [
        BAR,
        Fact(0, f"{done:>{len(str(total))}}/{total}"),
        Fact(1, f"{percent(done, total):5.1f}%"),
        Fact(6, format_mb(progress.stored_bytes)),
        Fact(2, f"{format_mb(round(rate))}/s", "cyan"),
        Fact(3, f"ETA {clock(remaining) if remaining is not None else '-:--'}"),
        Fact(4, progress.storage_mode, "yellow" if on_disk else "green"),
    ]
    return [*line, Fact(7, f"{format_mb(progress.temp_bytes)} temp")] if on_disk else line


def remux_facts(progress: RemuxProgress) -> list[Fact]:
    """What the line says while the output's container is written."""
    done, total = progress.done_bytes, progress.total_bytes
    return [
        BAR,
        Fact(0, f"{percent(done, total):5.1f}%"),
        Fact(1, "writing", "cyan"),
        Fact(2, f"{format_mb(done)} of {format_mb(total)}"),
    ]


def fitting(line: list[Fact], width: int) -> list[Fact]:
    """Of `line`, what has room in `width` columns."""
    kept = list(line)
    while kept and _length(kept) > width:
        kept.remove(max(kept, key=lambda fact: fact.rank))
    return kept


def _length(line: list[Fact]) -> int:
    return sum(len(fact.text) for fact in line) + len(_GAP) * (len(line) - 1)


def seconds_left(progress: Progress, connections: int, rate: float) -> float | None:
    """Seconds until the last segment is in, if segments are about alike; None when unknown.

    Of the segments in flight about half is there, and counts as such.
    """
    in_flight = min(connections, progress.segments - progress.segments_done)
    arrived = progress.segments_done + in_flight / 2
    if not (rate and arrived and progress.segments_done):
        return None
    return progress.stored_bytes * (progress.segments - arrived) / arrived / rate


class Bar:
    """Shows events as a bar, with lines above it.

    The cursor rests at the start of the bar: when a terminal becomes narrower and breaks the line
    in two, what there is to wipe then still begins at the cursor. It is never hidden, because a
    kill would leave the terminal without one.
    """

    interval = 0.125

    def __init__(
        self,
        stream: TextIO,
        *,
        verbose: bool = False,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream = stream
        self._console = Console(file=stream, highlight=False)
        self._verbose = verbose
        self._now = now
        self._speed = Speed()
        self._connections = 0
        self._progress: Progress | None = None
        self._remux: RemuxProgress | None = None  # comes after the download, if at all
        self._resumed: dict[str, int] = {}  # bytes of outputs that were there already
        self._is_done = False  # the main output is there

    def show(self, event: Event) -> None:
        """Take a count, or print the line for `event` where the bar was."""
        if isinstance(event, Progress):
            self._progress = event
            return
        if isinstance(event, RemuxProgress):
            self._remux = event
            return
        if isinstance(event, TransferStarted):
            self._connections = event.connections
        if isinstance(event, Resumed):
            self._resumed[event.output] = event.bytes
        line = self._summary(event) or words(event, verbose=self._verbose)
        if line is not None:
            self._write(_WIPE + self._fit(printable(line, limit=len(line))) + "\n")

    def tick(self) -> None:
        """Draw the bar anew, as wide as the terminal is now."""
        # The last column stays free: some terminals begin a new line there.
        width = self._console.width - 1
        if self._remux is not None:
            share = self._remux.done_bytes / max(self._remux.total_bytes, 1)
            self._write(_WIPE + self._ansi(self._line(remux_facts(self._remux), share, width)))
        elif self._progress is not None:
            line = self._download_facts(self._progress)
            share = self._progress.segments_done / max(self._progress.segments, 1)
            self._write(_WIPE + self._ansi(self._line(line, share, width)))

    def close(self) -> None:
        """Wipe the bar; the lines above it stay."""
        self._write(_WIPE)

    def _write(self, text: str) -> None:
        self._stream.write(text)  # all at once: a terminal never shows half of it
        self._stream.flush()

    def _ansi(self, line: Text) -> str:
        with self._console.capture() as captured:
            self._console.print(line, end="")
        return captured.get() + "\r"

    def _download_facts(self, progress: Progress) -> list[Fact]:
        self._speed.add(self._now(), progress.stored_bytes)
        remaining = seconds_left(progress, self._connections, self._speed.rate)
        return facts(progress, self._speed.rate, remaining)

    def _line(self, said: list[Fact], share: float, width: int) -> Text:
        line = fitting(said, width)
        bar = min(_NARROWEST + width - _length(line), _WIDEST)
        text = Text(no_wrap=True, overflow="crop")
        for index, fact in enumerate(line):
            text.append(_GAP if index else "")
            pieces = _strokes(share, bar) if fact is BAR else [(fact.text, fact.style)]
            text.append_tokens((self._fit(piece), style) for piece, style in pieces)
        return text

    def _summary(self, event: Event) -> str | None:
        """The line about an output: the main one comes first, and the figures are its own."""
        if not isinstance(event, OutputPublished) or self._progress is None:
            return None
        if self._is_done:
            return published(event)
        elapsed = self._progress.elapsed + (self._remux.elapsed if self._remux else 0)
        fetched = max(0, event.bytes - self._were_there(event.output))
        rate = fetched / elapsed if elapsed else 0
        took = f"{format_mb(event.bytes)} in {clock(elapsed)} ({format_mb(round(rate))}/s)"
        self._is_done = True
        return f"✓ {event.output}: {took}"

    def _were_there(self, output: str) -> int:
        """Bytes of it that did not have to be fetched; what is remuxed has other names before."""
        return sum(self._resumed.values()) if self._remux else self._resumed.get(output, 0)

    def _fit(self, text: str) -> str:
        return fit(text, self._console.encoding)


def _strokes(share: float, width: int) -> list[tuple[str, str]]:
    done = int(width * share)
    return [("━" * done, "green"), ("─" * (width - done), "dim")]
