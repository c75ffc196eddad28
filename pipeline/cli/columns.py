"""Tables and lists of facts as lines of text, as wide as there is room.

Pure: text comes fit to print, lines go out. A character can take two columns of a terminal, or
none at all; rich knows which. Not covered: what the cells say (`listing`, `facts`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap

from rich.cells import cell_len, set_cell_size

_GAP = "  "
_CUT = "…"

#: Columns that a cell keeps on a narrow terminal, if it has as many.
_NARROWEST = 8


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its title, and a cell for each row."""

    title: str
    cells: Sequence[str]
    number: bool = False  # stands on the right, and is never cut


def table(columns: Sequence[Column], width: int | None = None) -> list[str]:
    """The lines of a table that takes `width` columns at most; None: as wide as it needs.

    A column whose cells are all empty is left out. The widest columns of text give way first.
    """
    shown = [column for column in columns if any(column.cells)]
    sizes = _sizes(shown, width)
    rows = zip(*((column.title, *column.cells) for column in shown), strict=True)
    return [_line(row, shown, sizes, width) for row in rows]


def facts_table(facts: Sequence[tuple[str, Sequence[str]]], width: int | None = None) -> list[str]:
    """Names and what there is to say about each, in lines of `width` columns at most."""
    margin = max(len(name) for name, _ in facts) + len(_GAP)
    lines: list[str] = []
    for name, texts in facts:
        parts = [part for text in texts for part in _wrapped(text, width, margin)]
        names = [name, *[""] * (len(parts) - 1)]
        lines += [f"{left.ljust(margin)}{part}" for left, part in zip(names, parts, strict=True)]
    return lines


def _wrapped(text: str, width: int | None, margin: int) -> list[str]:
    return [text] if width is None else wrap(text, max(width - margin, _NARROWEST))


def _sizes(columns: Sequence[Column], width: int | None) -> list[int]:
    sizes = [max(map(cell_len, (column.title, *column.cells))) for column in columns]
    texts = [place for place, column in enumerate(columns) if not column.number]
    while texts and width is not None and _total(sizes) > width:
        widest = max(texts, key=lambda place: sizes[place])
        if sizes[widest] <= _NARROWEST:
            break
        sizes[widest] -= 1
    return sizes


def _total(sizes: Sequence[int]) -> int:
    return sum(sizes) + len(_GAP) * (len(sizes) - 1)


def _line(
    row: Sequence[str], columns: Sequence[Column], sizes: Sequence[int], width: int | None
) -> str:
    cells = [
        _cell(text, size, right=column.number)
        for text, column, size in zip(row, columns, sizes, strict=True)
    ]
    line = _GAP.join(cells).rstrip()
    return line if width is None or cell_len(line) <= width else set_cell_size(line, width)


def _cell(text: str, size: int, *, right: bool) -> str:
    spare = size - cell_len(text)
    if spare < 0:
        return set_cell_size(text, size - 1) + _CUT
    return " " * spare + text if right else text + " " * spare
