"""What merged files are, told from their bytes."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.media.sniffing import Section, sections


def box(name: bytes, size: int = 0, *, wide: bool = False) -> bytes:
    """A box with `size` bytes in it."""
    if wide:
        return b"\0\0\0\1" + name + (size + 16).to_bytes(8, "big") + bytes(size)
    return (size + 8).to_bytes(4, "big") + name + bytes(size)


FIRST = box(b"ftyp", 16) + box(b"moov", 100)
SECOND = box(b"moov", 120)
FRAGMENT = box(b"styp", 8) + box(b"moof", 50) + box(b"mdat", 1000)


def found(content: bytes, tmp_path: Path) -> list[Section]:
    path = tmp_path / "merged.mp4"
    path.write_bytes(content)
    return sections(path)


def test_sections_and_where_they_begin(tmp_path: Path) -> None:
    """With and without a file type box, however large the boxes between them say they are."""
    large = box(b"moof", 50) + box(b"mdat", 70_000, wide=True)
    content = FIRST + FRAGMENT + large + SECOND + FRAGMENT + FIRST + FRAGMENT

    second = len(FIRST + FRAGMENT + large)
    third = second + len(SECOND + FRAGMENT)
    assert found(content, tmp_path) == [
        Section(0, FIRST),
        Section(second, SECOND),
        Section(third, FIRST),
    ]


def test_segments_that_begin_with_a_file_type(tmp_path: Path) -> None:
    """Without a movie box it is no initialization section."""
    segment = box(b"ftyp", 16) + FRAGMENT

    assert found(FIRST + segment + segment + SECOND + segment, tmp_path) == [
        Section(0, FIRST + box(b"ftyp", 16)),
        Section(len(FIRST + segment + segment), SECOND + box(b"ftyp", 16)),
    ]


@pytest.mark.parametrize("size", [0, 1, 7, 2**32 - 1])
def test_a_box_that_cannot_be_followed(tmp_path: Path, size: int) -> None:
    """What comes behind it is one with it."""
    torn = size.to_bytes(4, "big") + b"mdat" + bytes(8)

    assert found(FIRST + FRAGMENT + torn + SECOND + FRAGMENT, tmp_path) == [Section(0, FIRST)]


@given(st.binary(max_size=200))
def test_any_bytes_have_an_answer(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """No bytes keep it busy for ever."""
    for section in found(content, tmp_path_factory.getbasetemp()):
        assert content[section.offset :].startswith(section.content)
