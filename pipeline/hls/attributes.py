"""Attribute lists and the numbers in them (RFC 8216 section 4.2).

Readers here raise ValueError with a reason; the scanner that called them adds tag and line.
Where a value only informs (a resolution, say), `lenient_*` gives None instead.
"""

import re

from pipeline.hls.limits import MAX_DIGITS
from pipeline.units import printable

# One attribute and the comma behind it. Each alternative is decided by its first character and
# none can be matched in two ways, so that a list of any content takes linear time.
_ATTRIBUTE = re.compile(r'[\s,]*([^=,"]*)(?:=\s*(?:"([^"]*)"|([^,]*)))?')

_INTEGER = re.compile(r"[0-9]+")
_SIGNED = re.compile(r"([+-]?)([0-9]+)")
_FLOAT = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
_RESOLUTION = re.compile(r"([0-9]{1,9})[ \t]*[xX][ \t]*([0-9]{1,9})")

#: Far beyond any duration or rate, and far from what a sum could carry to infinity.
_LARGEST = 1e18

Attributes = dict[str, str]


def parse_attributes(text: str) -> Attributes:
    """NAME to value, quotes removed. Of a repeated name the last one counts.

    More lenient than section 4.2 wherever only one reading is possible: blanks around names,
    `=` and commas, names in lower case, a quoted value where an unquoted one belongs and the
    reverse, a last quote that is missing, a comma missing behind a quoted value.
    """
    found: Attributes = {}
    position = 0
    while position < len(text):
        match = _ATTRIBUTE.match(text, position)
        if match is None or match.end() == position:
            position += 1
            continue
        position = match.end()
        name, quoted, bare = match.groups()
        if quoted is not None:
            found[name.strip().upper()] = quoted
        elif bare is not None:
            found[name.strip().upper()] = bare.strip().strip('"')
    return found


def integer(text: str) -> int:
    """A decimal-integer of at most 20 digits, ValueError otherwise."""
    digits = text.strip()
    if _INTEGER.fullmatch(digits) is None:
        raise ValueError(f'"{printable(digits, 40)}" is not a whole number')
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"a number of {len(digits)} digits")
    return int(digits)


def lenient_integer(text: str | None) -> int | None:
    """The whole number, with its sign, that `text` starts with; None if it starts with none.

    Signs are against section 4.2; some packagers count media sequences from below zero.
    """
    match = _SIGNED.match((text or "").strip())
    if match is None:
        return None
    return -integer(match[2]) if match[1] == "-" else integer(match[2])


def lenient_float(text: str | None) -> float | None:
    """The number that `text` starts with; None if it starts with none. ValueError beyond 10^18."""
    match = _FLOAT.match((text or "").strip())
    if match is None:
        return None
    value = float(match[0])
    if abs(value) > _LARGEST:
        raise ValueError(f'"{printable(match[0], 40)}" is out of range')
    return value


def lenient_resolution(text: str | None) -> tuple[int, int] | None:
    """Width and height of "1280x720"; None if it is no resolution."""
    match = _RESOLUTION.fullmatch((text or "").strip())
    return (int(match[1]), int(match[2])) if match else None


def flag(text: str | None) -> bool:
    """True for YES."""
    return (text or "").strip().upper() == "YES"
