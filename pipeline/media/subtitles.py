"""WebVTT segments to one WebVTT document, and that to SubRip.

Cue times count from anywhere: merged, they all count from one beginning, which `timing` finds.
Not covered: subtitles in fMP4 (`wvtt`, `stpp`).
"""

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from pipeline.errors import PlaylistError
from pipeline.media.timing import TimedSegment, offsets
from pipeline.media.webvtt import Cue, WebVtt, clock, parse_webvtt

_TOUCHING_MS = 1  # rounding from 90 kHz
_TAG = re.compile(r"<(/?)([a-zA-Z]*+)[^<>]*+>")  # possessive: a long word is scanned once

#: References to characters that cannot be: Python refuses to make a number of too many digits.
_NO_CHARACTER = re.compile(r"&#(?:[0-9]{9,}|[xX][0-9a-fA-F]{8,});?")

_SUBRIP_TAGS = ("b", "i", "u")


@dataclass(frozen=True, slots=True)
class SubtitleSegment:
    """One WebVTT segment as it came, and what the playlist says of it (seconds)."""

    content: bytes | str
    start: float  # its place in the playlist
    duration: float = 0.0
    discontinuity: int = 0  # the discontinuity sequence number


def check_webvtt(segments: Iterable[SubtitleSegment]) -> None:
    """Raises PlaylistError, which says which it is, if one of the segments is no WebVTT."""
    for number, segment in enumerate(segments):
        _read(number, segment, 0.0)


def merge_webvtt(
    segments: Iterable[SubtitleSegment], begin: float = 0.0, first: float | None = None
) -> str:
    """One document with the cues of all segments, in order.

    `begin` is the place in the playlist (seconds) that the document's time 0 means: 0 unless
    only a part of the playlist is wanted. `first` is the first timestamp of the video (seconds),
    if it is known. Raises PlaylistError for a segment that is no WebVTT.
    """
    read = [_read(number, segment, begin) for number, segment in enumerate(segments)]
    blocks = dict.fromkeys(block for segment in read for block in segment.document.blocks)
    header = next((s.document.header for s in read if s.document.cues), ("WEBVTT",))
    moved = [
        _moved(segment.document.cues, offset)
        for segment, offset in zip(read, offsets(read, first, round(begin * 1000)), strict=True)
    ]
    return str(WebVtt(header, None, tuple(blocks), tuple(_merged(moved))))


def to_srt(document: str) -> str:
    """A WebVTT document as SubRip: no settings, no tags but bold, italic and underline."""
    texts = ((cue, subrip_text(cue.payload)) for cue in parse_webvtt(document).cues)
    shown = [(cue, text) for cue, text in texts if text]
    return "".join(
        f"{number}\n{clock(cue.start, ',')} --> {clock(cue.end, ',')}\n{text}\n\n"
        for number, (cue, text) in enumerate(shown, 1)
    )


def subrip_text(payload: str) -> str:
    """A cue's text as SubRip has it."""
    text = html.unescape(_NO_CHARACTER.sub("\ufffd", _TAG.sub(_subrip_tag, payload)))
    return "\n".join(line.rstrip() for line in text.splitlines() if line.strip())


def _read(number: int, segment: SubtitleSegment, begin: float) -> TimedSegment:
    try:
        document = parse_webvtt(segment.content)
    except PlaylistError as error:
        raise PlaylistError(f"Subtitle segment {number} is no WebVTT: {error.message}") from error
    start, duration = round((segment.start - begin) * 1000), round(segment.duration * 1000)
    return TimedSegment(document, start, duration, segment.discontinuity)


def _moved(cues: Iterable[Cue], offset: int) -> list[Cue]:
    """The cues at other times, without what would be over before the document begins."""
    return [
        replace(cue, start=max(cue.start + offset, 0), end=cue.end + offset)
        for cue in cues
        if cue.end + offset > 0
    ]


def _merged(segments: Iterable[Iterable[Cue]]) -> list[Cue]:
    """All cues by time, each once: what segments repeat or cut in two becomes one again."""
    merged: list[Cue] = []
    latest: dict[tuple[str, str, str], int] = {}  # where the cue of that text is in `merged`
    seen: set[tuple[int, int, str, str]] = set()
    for cues in segments:
        fresh: dict[tuple[str, str, str], int] = {}
        for cue in cues:
            text = (cue.identifier, cue.settings, cue.payload)
            place = latest.get(text)
            if place is not None and _touch(merged[place], cue):
                merged[place] = replace(merged[place], end=max(merged[place].end, cue.end))
            elif (cue.start, cue.end, cue.settings, cue.payload) not in seen:
                seen.add((cue.start, cue.end, cue.settings, cue.payload))
                fresh[text] = len(merged)
                merged.append(cue)
        latest |= fresh
    return sorted(merged, key=lambda cue: cue.start)


def _touch(earlier: Cue, later: Cue) -> bool:
    return earlier.start <= later.start <= earlier.end + _TOUCHING_MS


def _subrip_tag(tag: re.Match[str]) -> str:
    """The tag without its classes, if SubRip has it; times and all others vanish."""
    slash, name = tag[1], tag[2].lower()
    return f"<{slash}{name}>" if name in _SUBRIP_TAGS else ""
