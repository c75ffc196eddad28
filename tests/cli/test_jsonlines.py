import json
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.cli.jsonlines import JsonLines, event_name, json_pieces, json_text
from pipeline.events import Event, Progress, SegmentsStored, Warned


def lines(*events: Event) -> list[str]:
    """What the display writes."""
    written: list[str] = []
    display = JsonLines(written.append)
    for event in events:
        display.show(event)
    display.close()
    return written


def test_a_line_is_the_event_and_its_fields() -> None:
    """Each event is one object, with its name in snake_case."""
    progress = Progress(45, 200, 1 << 20, "memory", 0, 1.5)

    assert [json.loads(line) for line in lines(progress)] == [
        {"event": "progress"} | progress._asdict()
    ]


def test_progress_comes_at_most_four_times_a_second() -> None:
    """A listener is not flooded, and still sees the last count."""
    events = [Progress(i, 100, i, "memory", 0, i / 100) for i in range(1, 101)]
    shown = [json.loads(line) for line in lines(*events, SegmentsStored(100, None))]

    assert [line.get("segments_done") for line in shown] == [1, 26, 51, 76, 100, None]


@pytest.mark.parametrize("kind", get_args(Event), ids=lambda kind: kind.__name__)
def test_every_event_has_a_name_in_snake_case(kind: type[Event]) -> None:
    """Names are words joined by underscores."""
    name = event_name(tuple.__new__(kind))

    assert name.replace("_", "") == kind.__name__.lower()
    assert name.count("_") == sum(letter.isupper() for letter in kind.__name__) - 1


@given(st.text())
def test_any_text_is_one_printable_line(text: str) -> None:
    """Whatever a server put into a message: printable ASCII that reads back the same."""
    (line,) = lines(Warned(text))

    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["message"] == text


def test_control_characters_are_escaped() -> None:
    """A terminal that shows JSON is as safe as one that shows words."""
    assert json_text("\x1b[31m\x7f\x9b\u202e") == '"\\u001b[31m\\u007f\\u009b\\u202e"'


@given(
    st.dictionaries(
        st.text(),
        st.none() | st.text() | st.lists(st.integers() | st.dictionaries(st.text(), st.text())),
    )
)
def test_pieces_make_the_same_object(fields: dict[str, object]) -> None:
    """Written piece by piece or at once: the same text."""
    assert "".join(json_pieces(fields)) == json_text(fields)


def test_a_long_list_comes_in_many_pieces() -> None:
    """No piece grows with the list."""
    fields = {"kind": "media", "segments": [{"uri": str(i)} for i in range(10_000)]}
    pieces = list(json_pieces(fields))

    assert "".join(pieces) == json_text(fields)
    assert max(map(len, pieces)) < len(json_text(fields)) / 5
