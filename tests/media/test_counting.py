"""How many units begin in an MPEG-TS file."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.media.counting import unit_starts


def packet(begins: bool, filling: int = 0xFF) -> bytes:
    """A transport packet."""
    return bytes([0x47, 0x41 if begins else 0x01, 0x00, 0x10]) + bytes([filling]) * 184


@settings(max_examples=50, deadline=None)
@given(st.lists(st.booleans(), max_size=200), st.integers(0, 210))
def test_what_is_counted(
    tmp_path_factory: pytest.TempPathFactory, starts: list[bool], end: int
) -> None:
    """Packets that say so, as far as is looked."""
    path = tmp_path_factory.getbasetemp() / "counted.ts"
    path.write_bytes(b"".join(map(packet, starts)))

    assert unit_starts(path) == sum(starts)
    assert unit_starts(path, end * 188) == sum(starts[:end])


def test_more_than_one_piece(tmp_path: Path) -> None:
    """A file of some megabytes."""
    path = tmp_path / "a.ts"
    path.write_bytes((packet(True) + packet(False) * 2) * 10_000)

    assert unit_starts(path) == 10_000
    assert unit_starts(path, 188 * 3 * 9_000) == 9_000


@pytest.mark.parametrize(
    "content",
    [
        packet(True) + b"x" + packet(True),
        packet(True) + b"\0" * 188,
        packet(True) * 9000 + b"x" + packet(True) * 9000,
    ],
    ids=["shifted", "no packet", "shifted late"],
)
def test_what_is_not_packet_behind_packet(content: bytes, tmp_path: Path) -> None:
    """Nothing is said of it."""
    path = tmp_path / "a.ts"
    path.write_bytes(content)

    assert unit_starts(path) is None
