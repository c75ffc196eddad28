"""The three streams: data to stdout, words to stderr, and what the terminal can show.

Words go to the descriptor itself and not through `sys.stderr`: a write that blocks then holds no
lock that another thread needs. Not covered: what the words are (`words`), and the bar, which rich
draws through `sys.stderr` in a thread that nobody waits for.
"""

import errno
import os
import select
import shutil
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import NamedTuple, TextIO

from pipeline.errors import OutputClosedError, StorageError
from pipeline.units import printable

_STDERR = 2

#: Longest that a last word waits for a stderr that nobody reads, in seconds.
_PATIENCE = 1.0

_ASCII = {"✓": "[ok]", "⚠": "[!]", "…": "...", "━": "#", "─": "-"}


class Terminal(NamedTuple):
    """What stderr is."""

    interactive: bool = False  # somebody sees it as it is written
    movable: bool = False  # the cursor can go back: fit for a bar
    encoding: str = "utf-8"

    @classmethod
    def of(cls, stream: TextIO | None) -> "Terminal":
        """The terminal behind `stream`, which is None when its descriptor was closed."""
        if stream is None:
            return cls()
        interactive = is_terminal(stream)
        dumb = os.environ.get("TERM", "dumb") in {"dumb", "unknown", ""}
        return cls(interactive, interactive and not dumb, stream.encoding or "utf-8")


def is_terminal(stream: TextIO | None) -> bool:
    """Whether `stream` is shown to somebody; a stream that is closed is not."""
    return stream is not None and not stream.closed and stream.isatty()


def fit(text: str, encoding: str) -> str:
    """`text` in characters that `encoding` has: words for our own signs, escapes for the rest."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        for sign, plain in _ASCII.items():
            text = text.replace(sign, plain)
        return text.encode(encoding, "backslashreplace").decode(encoding)
    return text


def write_line(line: str) -> None:
    """One line on stderr, whole. Raises OSError when stderr is gone, waits when it is full."""
    encoding = Terminal.of(sys.stderr).encoding
    data = fit(printable(line, limit=len(line)) + "\n", encoding).encode(encoding)
    while data:
        data = data[os.write(_STDERR, data) :]


def say(text: str) -> None:
    """The lines of `text` on stderr, if it can be had within a moment: it never stops an exit."""
    with suppress(OSError):
        for line in text.splitlines():
            if select.select([], [_STDERR], [], _PATIENCE)[1]:
                write_line(line)


def print_data(text: str) -> None:
    """`text` as a line on stdout, now. Raises an `HlspipeError` when stdout does not take it."""
    print_pieces([text])


def print_pieces(pieces: Iterable[str]) -> None:
    """The same for a line too long to be held at once."""
    if sys.stdout is None:
        raise OutputClosedError("Standard output is closed")
    try:
        for piece in pieces:
            sys.stdout.write(piece)
        sys.stdout.write("\n")
        sys.stdout.flush()
    except OSError as error:
        raise stdout_error(error) from error


def print_words(text: str) -> None:
    """The lines of `text`, which is fit to print, on stdout, in characters that it has."""
    print_data(fit(text, Terminal.of(sys.stdout).encoding))


def stdout_width() -> int | None:
    """Columns of the terminal that stdout is; None where lines may be of any length."""
    return shutil.get_terminal_size().columns if is_terminal(sys.stdout) else None


def stdout_error(error: OSError) -> OutputClosedError | StorageError:
    """What it means that writing to stdout failed with `error`."""
    if error.errno in {errno.EPIPE, errno.EBADF}:
        return OutputClosedError("Standard output was closed by its reader")
    return StorageError(f"Standard output cannot be written: {error.strerror}")
