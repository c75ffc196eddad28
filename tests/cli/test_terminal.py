import errno
import io
import os
import pty
from collections.abc import Iterator
from contextlib import suppress
from typing import TextIO

import pytest

from pipeline.cli.terminal import (
    Terminal,
    fit,
    is_terminal,
    print_data,
    print_pieces,
    print_words,
    say,
    stdout_error,
    stdout_width,
    write_line,
)
from pipeline.errors import OutputClosedError, StorageError


@pytest.fixture
def tty() -> Iterator[TextIO]:
    """A terminal to write to."""
    reading, writing = pty.openpty()
    with os.fdopen(writing, "w", encoding="utf-8") as stream:
        yield stream
    os.close(reading)


@pytest.mark.parametrize(
    ("term", "movable"), [("xterm-256color", True), ("dumb", False), ("", False)]
)
def test_a_dumb_terminal_gets_no_bar(
    tty: TextIO, monkeypatch: pytest.MonkeyPatch, term: str, movable: bool
) -> None:
    """A terminal says with TERM whether its cursor can go back."""
    monkeypatch.setenv("TERM", term)

    assert Terminal.of(tty) == Terminal(interactive=True, movable=movable, encoding="utf-8")


def test_what_is_no_terminal_is_not_interactive() -> None:
    """A file is not looked at, and a stream that was closed is nothing at all."""
    closed = io.StringIO()
    closed.close()

    assert not Terminal.of(io.StringIO()).interactive
    assert Terminal.of(None) == Terminal()
    assert not is_terminal(None)
    assert not is_terminal(closed)


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("utf-8", "✓ ⚠ Wörter… 日"),
        ("iso-8859-1", "[ok] [!] Wörter... \\u65e5"),
        ("ascii", "[ok] [!] W\\xf6rter... \\u65e5"),
    ],
)
def test_words_fit_any_encoding(encoding: str, shown: str) -> None:
    """Signs become words, and letters that are missing become escapes."""
    assert fit("✓ ⚠ Wörter… 日", encoding) == shown


def test_a_line_cannot_move_the_cursor(capfd: pytest.CaptureFixture[str]) -> None:
    """Control characters in a message are shown, not obeyed."""
    write_line("title \x1b]0;owned\x07 \x9b31m \u202e \r\n next")

    assert capfd.readouterr().err == (
        "title \\u001b]0;owned\\u0007 \\u009b31m \\u202e \\u000d\\u000a next\n"
    )


def test_saying_something_never_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    """A last word to a stderr that has gone is lost in silence."""

    def fail(*_: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(os, "write", fail)

    say("anybody there?")


def test_printing_to_a_stdout_that_was_closed_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Data that nobody can get is not swallowed."""
    monkeypatch.setattr("sys.stdout", None)

    with pytest.raises(OutputClosedError):
        print_data("{}")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (errno.EPIPE, OutputClosedError),
        (errno.EBADF, OutputClosedError),
        (errno.ENOSPC, StorageError),
    ],
    ids=["closed pipe", "closed descriptor", "full disk"],
)
def test_a_failed_print_has_its_cause(code: int, kind: type[Exception]) -> None:
    """A reader that left and a disk that is full are told apart."""
    assert isinstance(stdout_error(OSError(code, os.strerror(code))), kind)


def test_pieces_are_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    """What is printed in pieces is whole when it is there."""
    print_pieces(str(number) for number in range(3))

    assert capfd.readouterr().out == "012\n"


def test_a_reader_that_leaves_in_between_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a reader such as `head` has left, the rest is not made."""
    reading, writing = os.pipe()
    os.close(reading)
    stream = os.fdopen(writing, "w", buffering=1)
    monkeypatch.setattr("sys.stdout", stream)

    with pytest.raises(OutputClosedError):
        print_pieces("x" * 100_000 for _ in range(10))
    with suppress(BrokenPipeError):  # from Python 3.14 on, closing tries again
        stream.close()


def test_words_on_stdout_fit_its_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal without Unicode gets escapes and not an error."""
    stream = io.TextIOWrapper(io.BytesIO(), "ascii", newline="")
    monkeypatch.setattr("sys.stdout", stream)
    print_words("Deutsch (Köln…)\nnext")

    assert stream.buffer.getvalue() == b"Deutsch (K\\xf6ln...)\nnext\n"


def test_only_a_terminal_has_a_width(tty: TextIO, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines that go to a pipe or a file may be of any length."""
    monkeypatch.setenv("COLUMNS", "72")

    assert stdout_width() is None

    monkeypatch.setattr("sys.stdout", tty)

    assert stdout_width() == 72
