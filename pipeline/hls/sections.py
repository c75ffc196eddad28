"""Parts of a playlist: the segments that cover a span of time, without those excluded by URI."""

import re
from dataclasses import dataclass

from pipeline.errors import UsageError
from pipeline.hls.model import MediaPlaylist
from pipeline.units import printable

_TIME = re.compile(r"(?:(?:(\d{1,4}):)?(\d{1,4}):)?(\d{1,9}(?:\.\d{1,9})?)")


@dataclass(frozen=True, slots=True)
class Section:
    """Seconds from the beginning of the playlist: `start` included, `end` not; None is open."""

    start: float
    end: float | None


@dataclass(frozen=True, slots=True)
class Picked:
    """Which segments are left, and how many were left out for which reason."""

    keep: tuple[int, ...]  # 0-based places among the playlist's segments
    outside: int  # not in the section
    excluded: int  # in the section, their URI matches


def parse_section(text: str) -> Section:
    """The section in "05:00-20:00", "300-1200", "1:00:00-" or "-90.5". UsageError if it is none."""
    start, dash, end = text.strip().partition("-")
    section = Section(_seconds(start, text) or 0.0, _seconds(end, text))
    if not dash or (section.end is not None and section.end <= section.start):
        raise _unreadable(text)
    return section


def _seconds(text: str, whole: str) -> float | None:
    if not text.strip():
        return None
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise _unreadable(whole)
    hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return hours * 3600 + minutes * 60 + seconds


def _unreadable(text: str) -> UsageError:
    return UsageError(
        f'The section "{printable(text, 60)}" is not understood (try 05:00-20:00 or 300-1200)'
    )


def pick(
    playlist: MediaPlaylist,
    *,
    section: Section | None = None,
    exclude: re.Pattern[str] | None = None,
) -> Picked:
    """The segments of `playlist` that cover `section` and whose URI `exclude` is not found in.

    UsageError if none is left.
    """
    inside = covering(playlist, section) if section else range(len(playlist.segments))
    keep = tuple(
        index
        for index in inside
        if exclude is None or exclude.search(playlist.segments[index].uri) is None
    )
    picked = Picked(keep, len(playlist.segments) - len(inside), len(inside) - len(keep))
    if not keep and playlist.segments:
        raise UsageError(
            f"No segment is left: {picked.outside} outside the section, {picked.excluded} excluded"
        )
    return picked


def covering(playlist: MediaPlaylist, section: Section) -> range:
    """Indexes of the segments that share time with `section`; they follow each other."""
    begin = stop = len(playlist.segments)
    time = 0.0
    for index, segment in enumerate(playlist.segments):
        if section.end is not None and time >= section.end:
            stop = index
            break
        time += max(segment.duration, 0.0)
        if begin == len(playlist.segments) and time > section.start:
            begin = index
    return range(min(begin, stop), stop)
