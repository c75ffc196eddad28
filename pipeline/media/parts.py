"""The parts of a merged file that are read one by one: where they lie, and what each needs.

A part ends where the playlist tells a discontinuity, or where a fragmented MP4 file has another
initialization section. Everything is looked for beforehand, because what is written releases what
it has read. Not covered: reading them (`demux`).
"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import pairwise

from pipeline.media import packed, sniffing
from pipeline.media.tracks import Source


@dataclass(frozen=True)
class Part:
    """A part of a file, in bytes."""

    start: int
    end: int
    fresh: bool  # it has a timeline of its own, and not just another initialization section
    header: bytes  # the initialization section in force, where it is an earlier part's
    tags: tuple[packed.Tag, ...]  # of packed audio


def parts_of(source: Source, demuxer: str) -> list[Part]:
    """All parts, in order; `demuxer` is what `sniffing` says of the file."""
    sections = sniffing.sections(source.path) if demuxer == "mp4" else []
    tags = packed.tags(source.path) if demuxer in packed.FORMATS else ()
    fresh, offsets = {0, *source.breaks}, [tag.offset for tag in tags]
    begins = [section.offset for section in sections]
    found = []
    for start, end in _bounds(source, sections):
        own = tags[bisect_left(offsets, start) : bisect_left(offsets, end)]
        before = bisect_right(begins, start)
        force = sections[before - 1] if before else None
        header = force.content if force is not None and force.offset != start else b""
        found.append(Part(start, end, start in fresh, header, own))
    return found


def _bounds(source: Source, sections: list[sniffing.Section]) -> list[tuple[int, int]]:
    size = source.path.stat().st_size
    other = [now.offset for before, now in pairwise(sections) if before.content != now.content]
    cuts = sorted({0, size, *(at for at in (*source.breaks, *other) if 0 < at < size)})
    return list(pairwise(cuts))
