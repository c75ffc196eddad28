import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from pipeline.cli.columns import Column, facts_table, table

NAMES = ["short", "a rather long name that nobody wants to read to its end"]


def test_columns_are_as_wide_as_their_cells() -> None:
    """Without a terminal nothing is cut: who reads a pipe wants it all."""
    assert table([Column("id", ["0", "10"], number=True), Column("name", NAMES)]) == [
        "id  name",
        f" 0  {NAMES[0]}",
        f"10  {NAMES[1]}",
    ]


def test_text_gives_way_and_numbers_do_not() -> None:
    """Half a number is a wrong number; half a name is still a name."""
    columns = [Column("rate", ["21.5 Mbit/s"] * 2, number=True), Column("name", NAMES)]

    assert table(columns, 30) == [
        "       rate  name",
        "21.5 Mbit/s  short",
        "21.5 Mbit/s  a rather long na…",
    ]


def test_a_column_without_cells_is_left_out() -> None:
    """What no row has takes no room."""
    assert table([Column("a", ["1"]), Column("b", [""]), Column("c", ["3"])]) == ["a  c", "1  3"]


def test_wide_characters_take_their_room() -> None:
    """What stands behind Japanese is in line with what stands behind English."""
    lines = table([Column("name", ["日本語", "English"]), Column("default", ["yes", "no"])])

    assert lines[1:] == ["日本語   yes", "English  no"]


@given(
    st.lists(
        st.tuples(st.text(st.characters(exclude_categories=["C"]), max_size=60), st.booleans()),
        min_size=1,
        max_size=9,
    ),
    st.integers(20, 120),
)
def test_no_line_is_wider_than_the_terminal(cells: list[tuple[str, bool]], width: int) -> None:
    """Whatever the server calls things, no line is broken."""
    columns = [Column("title", [text], number=number) for text, number in cells]

    assert all(cell_len(line) <= width for line in table(columns, width))


def test_long_facts_go_on_below_themselves() -> None:
    """A fact that does not fit continues under its beginning."""
    facts = [("Kind", ["short"]), ("State", ["one two three four", "five"])]

    assert facts_table(facts, 16) == [
        "Kind   short",
        "State  one two",
        "       three",
        "       four",
        "       five",
    ]


@pytest.mark.parametrize("width", [None, 80])
def test_facts_that_fit_take_a_line_each(width: int | None) -> None:
    """Nothing is broken without need."""
    assert facts_table([("A", ["b c"]), ("Long", ["d"])], width) == ["A     b c", "Long  d"]
