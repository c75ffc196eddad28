"""The list of a batch: lines to entries, each a download that somebody wants.

Two forms, also mixed: a URL a line, with indented `option=value` lines under it, or a JSON object
a line. Comments begin with "#". A line that cannot be understood is an entry with an error, so that
it fails alone. Pure: nothing is opened here.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pipeline.errors import HlspipeError
from pipeline.hls.rules import parse_rules
from pipeline.jobs.strictjson import read_json
from pipeline.options import FetchOptions
from pipeline.units import parse_header, printable

#: Characters of a line: a URL with a token, and an object with some headers.
_LONGEST_LINE = 64 * 1024


@dataclass(frozen=True, slots=True)
class Entry:
    """One download of a batch."""

    line: int  # in the list, from 1
    url: str = field(repr=False)
    output: str | None = None
    directory: str | None = None
    id: str | None = None
    priority: int = 0  # higher ones begin first
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    format: str | None = None
    audio: str | None = None
    subtitles: str | None = None
    error: str | None = None  # why this line is none

    def options(self, common: FetchOptions) -> FetchOptions:
        """`common`, the options of the batch, with what this entry wants otherwise."""
        selection = replace(
            common.selection,
            format=self.format or common.selection.format,
            audio=self.audio or common.selection.audio,
            subtitles=self.subtitles or common.selection.subtitles,
        )
        http = replace(common.http, headers=common.http.headers + self.headers)
        return replace(common, http=http, selection=selection)


def parse_entries(lines: Iterable[str]) -> Iterator[Entry]:
    """The entries of a list, in its order."""
    entry: Entry | None = None
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        if line[0] in " \t" and entry is not None:
            entry = _with_option(entry, text)
            continue
        if entry is not None:
            yield entry
        entry = _entry(number, text)
    if entry is not None:
        yield entry


def _entry(number: int, text: str) -> Entry:
    if len(text) > _LONGEST_LINE:
        return Entry(number, "", error=f"it is longer than {_LONGEST_LINE} characters")
    if not text.startswith("{"):
        return Entry(number, text)
    try:
        found = read_json(text)
        return _of_object(number, found)
    except (ValueError, TypeError, RecursionError, HlspipeError) as error:
        return Entry(number, "", error=printable(str(error), 120))


def _of_object(number: int, found: Mapping[str, Any]) -> Entry:
    entry = Entry(number, _text("url", found.get("url")))
    for name, value in found.items():
        if name == "headers":
            if not isinstance(value, dict):
                raise ValueError("headers are an object")
            for key, content in value.items():
                entry = _OPTIONS["header"](entry, f"{key}: {_text('a header', content)}")
        elif name == "priority":
            entry = replace(entry, priority=_whole(value))
        elif name != "url" and value is not None:
            option = {"output": "out"}.get(name, name)
            _require_known(option)
            entry = _set(entry, option, _text(name, value))
    return entry


def _with_option(entry: Entry, text: str) -> Entry:
    """`entry` with one of its indented lines; its first error stays."""
    if entry.error is not None:
        return entry
    name, equals, value = text.partition("=")
    if not equals:
        return replace(entry, error=f"an option is name=value, not {printable(text, 60)}")
    try:
        return _set(entry, name.strip(), value.strip())
    except (ValueError, HlspipeError) as error:
        return replace(entry, error=str(error))


def _require_known(name: str) -> None:
    if name not in _OPTIONS:
        raise ValueError(f"there is no option {printable(name, 60)!r}")


def _set(entry: Entry, name: str, value: str) -> Entry:
    _require_known(name)
    return _OPTIONS[name](entry, value)


def _text(name: str, value: object) -> str:
    if not isinstance(value, str) or not value or "\n" in value or "\0" in value:
        raise ValueError(f"{printable(name, 60)} is to be a text of one line")
    return value


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError("a priority is a whole number")
    return value


def _header(entry: Entry, value: str) -> Entry:
    return replace(entry, headers=(*entry.headers, parse_header(value)))


def _format(entry: Entry, value: str) -> Entry:
    parse_rules(value)
    return replace(entry, format=value)


def _priority(entry: Entry, value: str) -> Entry:
    try:
        return replace(entry, priority=int(value))
    except ValueError as error:
        raise ValueError("a priority is a whole number") from error


def _file(entry: Entry, value: str) -> Entry:
    if Path(value).name in ("", ".", ".."):
        raise ValueError("an output has a name")
    return replace(entry, output=value)


#: The options of an entry, as they are written.
_OPTIONS: Mapping[str, Callable[[Entry, str], Entry]] = {
    "out": _file,
    "dir": lambda entry, value: replace(entry, directory=value),
    "id": lambda entry, value: replace(entry, id=value),
    "header": _header,
    "referer": lambda entry, value: _header(entry, f"Referer: {value}"),
    "user-agent": lambda entry, value: _header(entry, f"User-Agent: {value}"),
    "format": _format,
    "audio": lambda entry, value: replace(entry, audio=value),
    "subtitles": lambda entry, value: replace(entry, subtitles=value),
    "priority": _priority,
}
