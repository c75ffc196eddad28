"""docs/faults.md is true: every fault and threat once, and only tests that exist."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
DOCUMENT = TESTS.parent / "docs" / "faults.md"

NUMBERS = [f"F{number}" for number in range(1, 73)] + [f"S{number}" for number in range(1, 25)]

#: How a row begins that names no test.
_REASONS = ("does not apply", "none yet")


def rows() -> list[list[str]]:
    """The cells of each row that has a number."""
    lines = DOCUMENT.read_text().splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if re.fullmatch(r"[FS]\d+", row[0])]


def named(cell: str) -> list[str]:
    """The tests in a cell."""
    return re.findall(r"`([\w/]+\.py::[\w:]+)`", cell)


def names_in(path: Path) -> Iterator[str]:
    """The tests in a file, as pytest names them."""
    for node in ast.parse(path.read_text()).body:
        inside = node.body if isinstance(node, ast.ClassDef) else [node]
        prefix = f"{node.name}::" if isinstance(node, ast.ClassDef) else ""
        for function in inside:
            if isinstance(function, ast.FunctionDef) and function.name.startswith("test_"):
                yield prefix + function.name


def test_every_number_is_there_once() -> None:
    """In order, so that each is found."""
    assert [row[0] for row in rows()] == NUMBERS


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_a_row_names_tests_that_exist(row: list[str]) -> None:
    """Four cells, and in the last one tests, or the reason why there are none."""
    _, fault, _, tests = row
    found = named(tests)

    assert fault
    assert found or tests.startswith(_REASONS)
    assert "::" not in re.sub(r"`[^`]*`", "", tests)
    for name in found:
        file, _, test = name.partition("::")
        assert test in set(names_in(TESTS / file)), name
