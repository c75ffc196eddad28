"""Messages as bytes: every one arrives as it was sent, and nothing else is one."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.processes import messages
from pipeline.processes.wire import decode, encode

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NUMBERS = st.integers(0, 1 << 40)

#: What a field of each annotated type may hold.
VALUES = {
    str: TEXT,
    int: NUMBERS,
    bool: st.booleans(),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bytes: st.binary(max_size=40),
    str | None: st.none() | TEXT,
    int | None: st.none() | NUMBERS,
    bool | None: st.none() | st.booleans(),
    float | None: st.none() | st.floats(allow_nan=False, allow_infinity=False),
    bytes | None: st.none() | st.binary(max_size=40),
    list[float]: st.lists(st.floats(0, 100), max_size=3),
    list[list[str]]: st.lists(st.lists(TEXT, min_size=2, max_size=2), max_size=3),
    list[list[Any]]: st.lists(st.lists(st.none() | TEXT | NUMBERS, max_size=3), max_size=3),
    list[str]: st.lists(TEXT, max_size=3),
    list[int]: st.lists(NUMBERS, max_size=9),
    list[list[int]]: st.lists(st.lists(NUMBERS, min_size=2, max_size=2), max_size=3),
}
KINDS = messages.Message.__args__


def any_of(kind):
    """A strategy for messages of one kind."""
    return st.builds(kind, **{name: VALUES[type_] for name, type_ in kind.__annotations__.items()})


@given(st.one_of(map(any_of, KINDS)))
def test_every_message_arrives_as_it_was_sent(message):
    """Names, text of any script, bytes and nothing at all survive the wire."""
    arrived = decode(encode(message))

    assert type(arrived) is type(message)
    assert arrived == message


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"[]",
        b"7",
        b"null",
        b'"Stop"',
        b"{}",
        b'["Unheard"]',
        b'["Stop", 1]',
        b'["Publish"]',
        b'[["Stop"]]',
        b'["Publish", {"hex": 7}]',
        b'["Publish", {"hex": "zz"}]',
        b'["Publish", {"other": "00"}]',
        b"\xff\xfe",
        b'["Stop"',
    ],
)
def test_frame_that_is_no_message(frame):
    """Whatever else a child may send is a ValueError."""
    with pytest.raises(ValueError):  # noqa: PT011  (whose text it is does not matter)
        decode(frame)


@given(st.binary(max_size=60))
def test_noise_is_no_message(frame):
    """Bytes of any kind are a message or a ValueError."""
    try:
        found = decode(frame)
    except ValueError:
        return

    assert isinstance(found, KINDS)
