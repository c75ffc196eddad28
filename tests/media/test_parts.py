"""Where a merged file is cut into parts, and what each of them needs."""

from pathlib import Path

from pipeline.media.packed import Tag
from pipeline.media.parts import Part, parts_of
from pipeline.media.tracks import Source
from tests.media.test_packed import tag


def box(name: bytes, size: int) -> bytes:
    """A box with `size` bytes in it."""
    return (size + 8).to_bytes(4, "big") + name + bytes(size)


FIRST, SECOND = box(b"ftyp", 8) + box(b"moov", 20), box(b"ftyp", 8) + box(b"moov", 30)
FRAGMENT = box(b"moof", 10) + box(b"mdat", 100)


def cut(content: bytes, breaks: tuple[int, ...], demuxer: str, tmp_path: Path) -> list[Part]:
    path = tmp_path / "merged"
    path.write_bytes(content)
    return parts_of(Source(path, "main", breaks=breaks), demuxer)


def test_discontinuities(tmp_path: Path) -> None:
    """Each begins a part with a timeline of its own; the ends of the file are none."""
    found = cut(bytes(100), (0, 40, 70, 100), "mpegts", tmp_path)

    assert found == [
        Part(0, 40, True, b"", ()),
        Part(40, 70, True, b"", ()),
        Part(70, 100, True, b"", ()),
    ]


def test_another_section(tmp_path: Path) -> None:
    """It begins a part, on the same timeline; one that is repeated begins none."""
    content = FIRST + FRAGMENT + FIRST + FRAGMENT + SECOND + FRAGMENT
    second = content.index(SECOND)

    found = cut(content, (), "mp4", tmp_path)

    assert found == [
        Part(0, second, True, b"", ()),
        Part(second, len(content), False, b"", ()),
    ]


def test_the_section_in_force(tmp_path: Path) -> None:
    """A part that begins with a fragment is read with the last section before it."""
    begun = FIRST + FRAGMENT + SECOND + FRAGMENT
    second = begun.index(SECOND)

    found = cut(begun + FRAGMENT, (second, len(begun)), "mp4", tmp_path)

    assert [(part.start, part.fresh, part.header) for part in found] == [
        (0, True, b""),
        (second, True, b""),
        (len(begun), True, SECOND),
    ]


def test_tags_of_packed_audio(tmp_path: Path) -> None:
    """Each part has its own."""
    first, second = tag(1) + bytes(50), tag(2) + bytes(50)

    found = cut(first + second, (len(first),), "aac", tmp_path)

    assert [part.tags for part in found] == [
        (Tag(0, 90_000),),
        (Tag(len(first), 180_000),),
    ]
