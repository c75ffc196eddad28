"""Text to values at the command's edge: numbers, thresholds, durations, headers, what to take.

Each type refuses what it cannot read with one sentence, as a usage error. The grammar of sizes,
durations and headers is `units`, that of format rules and sections `hls`. Not covered: keys
(`keys`).
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

import click

from pipeline.errors import UsageError
from pipeline.units import parse_duration, parse_header, parse_size

#: What `--audio` and `--subtitles` take besides languages.
_KEYWORDS = frozenset({"all", "none", "default"})

#: A hundred years.
_MOST_DAYS = 36_500


class Text(click.ParamType):  # type: ignore[type-arg]  # generic in newer versions of click only
    """Text that `parse` turns into a value; its ValueError or UsageError is what is read."""

    def __init__(self, name: str, parse: Callable[[str], Any]) -> None:
        self.name = name
        self._parse = parse

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> object:
        """The value; numbers from a configuration file are read as if they had been typed."""
        try:
            return self._parse(str(value))
        except (ValueError, UsageError) as error:
            self.fail(str(error), param, ctx)

    def split_envvar_value(self, rv: str) -> Sequence[str]:
        """A variable with several values holds one a line: headers contain spaces."""
        return rv.splitlines()


def _threshold(text: str) -> int | None:
    if text == "none":
        return None
    if text != "auto":
        return parse_size(text)
    # Imported here: only "auto" needs the store.
    from pipeline.store.threshold import automatic_threshold  # noqa: PLC0415

    return automatic_threshold()


def _whole_number(least: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not (text.isascii() and text.isdigit() and int(text) >= least):
            raise ValueError(f"{text!r} is not a whole number from {least} on")
        return int(text)

    return parse


def _positive_duration(text: str) -> float:
    seconds = parse_duration(text)
    if not seconds:
        raise ValueError("it must be more than 0")
    return seconds


def _size(text: str) -> int:
    size = parse_size(text)
    if not size:
        raise ValueError("it must be more than 0")
    return size


def _listen(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") if colon else "127.0.0.1"
    if not (host and port.isascii() and port.isdigit() and int(port) < 1 << 16):
        raise ValueError(f"{text!r} is neither a port nor HOST:PORT")
    return host, int(port)


def _days(text: str) -> float:
    days = float(text)
    if not 0 <= days <= _MOST_DAYS:
        raise ValueError(f"it must be from 0 to {_MOST_DAYS}")
    return days


def _format(text: str) -> str:
    if text != "best":  # the default, which needs no rules yet
        from pipeline.hls.rules import parse_rules  # noqa: PLC0415

        parse_rules(text)
    return text


def _section(text: str) -> str:
    from pipeline.hls.sections import parse_section  # noqa: PLC0415

    parse_section(text)
    return text


def _regex(text: str) -> str:
    try:
        re.compile(text)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"it is no regular expression: {error}") from error
    return text


def _renditions(text: str) -> str:
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise ValueError("it wants languages joined by commas, 'all' or 'none'")
    joined = ",".join(names)
    return joined.lower() if joined.lower() in _KEYWORDS else joined


COUNT = Text("N", _whole_number(1))
COUNT_OR_ZERO = Text("N", _whole_number(0))
THRESHOLD = Text("SIZE|auto|none", _threshold)
DURATION = Text("DURATION", parse_duration)
POSITIVE_DURATION = Text("DURATION", _positive_duration)
RATE = Text("RATE", _size)
SIZE = Text("SIZE", _size)
DAYS = Text("N", _days)
LISTEN = Text("[HOST:]PORT", _listen)
HEADER = Text("HEADER", parse_header)
# These stay text: they are checked, and the engine reads them again.
FORMAT = Text("RULE", _format)
SECTION = Text("START-END", _section)
REGEX = Text("REGEX", _regex)
RENDITIONS = Text("LANG", _renditions)
