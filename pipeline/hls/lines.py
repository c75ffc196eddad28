"""Bytes to numbered lines: encoding, line ends, caps, and the question whether it is a playlist.

RFC 8216 section 4.1. What a tag means is the business of `media_playlist` and `multivariant`.
"""

import re
from collections.abc import Iterator

from pipeline.errors import PlaylistError
from pipeline.hls.limits import MAX_BYTES, MAX_LINE, MAX_LINES
from pipeline.units import MIB, printable

_BOM = "\ufeff"
_BLANKS = " \t\r\v\f"
_LINE = re.compile(r"[^\n]+")

#: Only comments, blank lines and other tags may stand before the EXTM3U tag. The RFC wants it
#: first; players are divided, and a comment above it makes no web page a playlist.
#: Possessive throughout: nothing is tried twice, however many lines there are.
_HEADER = re.compile(
    r"(?:[ \t\r\v\f]*+(?:#(?!EXTM3U)[^\n]*+)?+\n)*+[ \t\r\v\f]*+#EXTM3U(?![A-Z0-9])"
)


def decode(data: bytes | str) -> str:
    """The text of a playlist with line feeds only, or PlaylistError if it cannot be one."""
    if len(data) > MAX_BYTES:
        raise PlaylistError(f"The playlist is larger than {MAX_BYTES // MIB} MB")
    text = data if isinstance(data, str) else _text(data)
    text = text.removeprefix(_BOM)
    if "\n" not in text:
        text = text.replace("\r", "\n")
    _check(text)
    return text


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as exc:
        line = data.count(b"\n", 0, exc.start) + 1
        first = data[:400].decode("utf-8", "replace")
        raise PlaylistError(
            f"Not a playlist: line {line} is not UTF-8; {_quoted_first_line(first)}"
        ) from exc


def _check(text: str) -> None:
    if text.count("\n") > MAX_LINES:
        raise PlaylistError(f"The playlist has more than {MAX_LINES} lines")
    if _HEADER.match(text) is None:
        raise PlaylistError(
            f"Not a playlist, it does not begin with #EXTM3U: {_quoted_first_line(text)}"
        )
    if "\0" in text:
        line = line_number(text, text.index("\0"))
        raise PlaylistError(f"Not a playlist: line {line} holds a NUL; {_quoted_first_line(text)}")


def _quoted_first_line(text: str) -> str:
    first = text[:MAX_LINE].lstrip().partition("\n")[0].strip()
    return f'its first line is "{printable(first, 100)}"' if first else "it is empty"


def placed(text: str) -> Iterator[tuple[int, str]]:
    """Each line that is not blank, stripped of blanks at both ends, and its place in `text`.

    One at a time: all lines of a large playlist together would take 100 MB.
    """
    for match in _LINE.finditer(text):
        line = match[0].strip(_BLANKS)
        if not line:
            continue
        if len(line) > MAX_LINE:
            number = line_number(text, match.start())
            raise PlaylistError(
                f"Line {number} of the playlist is longer than {MAX_LINE} characters"
            )
        yield match.start(), line


def line_number(text: str, place: int) -> int:
    """The number, from 1 on, of the line that begins at `place`."""
    return text.count("\n", 0, place) + 1
