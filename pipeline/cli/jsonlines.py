"""`--progress json`: one JSON object a line on stderr for each event.

An object is the event's name in snake_case under "event", and its fields. Everything beyond
printable ASCII is escaped, so that a line is safe in any terminal and any log.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pipeline.cli.thinning import Thinning
from pipeline.events import Event

_BETWEEN_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")

#: Progress objects a second, at most: enough for any display that reads them.
_PER_SECOND = 4

#: Entries of a list that are encoded at once. All 200,000 segments of a long playlist together
#: take 100 MB of text, and twice that while it is made.
_PER_PIECE = 1000


def event_name(event: Event) -> str:
    """The name under which `event` is shown: `SwitchedToDisk` is "switched_to_disk"."""
    return _BETWEEN_WORDS.sub("_", type(event).__name__).lower()


def json_text(value: object) -> str:
    """`value` on one line of JSON that is printable ASCII throughout."""
    return json.dumps(value).replace("\x7f", "\\u007f")


def json_pieces(fields: Mapping[str, Any]) -> Iterator[str]:
    """The object `fields` as `json_text` writes it, a piece at a time: its lists may be long."""
    before = "{"
    for name, value in fields.items():
        yield f"{before}{json_text(name)}: "
        yield from _list_pieces(value) if isinstance(value, list) else [json_text(value)]
        before = ", "
    yield "}" if fields else "{}"


def _list_pieces(values: list[Any]) -> Iterator[str]:
    before = "["
    for start in range(0, len(values), _PER_PIECE):
        yield before + json_text(values[start : start + _PER_PIECE])[1:-1]
        before = ", "
    yield "]" if values else "[]"


def json_line(event: str, **fields: Any) -> str:
    """One object of the stream."""
    return json_text({"event": event, **fields})


class JsonLines:
    """Shows events as JSON Lines."""

    interval = None

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._thinning = Thinning(1 / _PER_SECOND)

    def show(self, event: Event) -> None:
        """Write `event`, unless it is progress that follows too closely."""
        self._write_all(self._thinning.admit(event))

    def _write_all(self, events: list[Event]) -> None:
        for shown in events:
            self._write(json_line(event_name(shown), **shown._asdict()))

    def tick(self) -> None:
        """A lull: the newest count is due, if it was held back."""
        self._write_all(self._thinning.lull())

    def close(self) -> None:
        """Nothing to take back."""
