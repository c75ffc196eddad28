"""WebVTT segments to one WebVTT document, and that to SubRip.

Cue times count from the beginning of the playlist, or from anywhere else when X-TIMESTAMP-MAP
ties them to the media's clock (RFC 8216 section 3.5): merged, they all count from one beginning.
Not covered: subtitles in fMP4 (`wvtt`, `stpp`), and clocks that a discontinuity sets anew.
"""

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from pipeline.errors import PlaylistError
from pipeline.media.webvtt import TICKS_PER_MS, Cue, TimestampMap, WebVtt, clock, parse_webvtt

_WRAP = 1 << 33  # MPEG-2 timestamps have 33 bits: 26.5 hours
# A segment's first cue begins within the segment, or was cut at its start: not a minute off.
_NEAR_MS = 60_000
_TOUCHING_MS = 1  # rounding from 90 kHz
_TAG = re.compile(r"<(/?)([a-zA-Z]*+)[^<>]*+>")  # possessive: a long word is scanned once
_SUBRIP_TAGS = ("b", "i", "u")


@dataclass(frozen=True, slots=True)
class SubtitleSegment:
    """One WebVTT segment as it came, and where in the playlist it starts (seconds)."""

    content: bytes | str
    start: float


@dataclass(frozen=True, slots=True)
class _Segment:
    """A segment read; its start in milliseconds."""

    document: WebVtt
    start: int


def merge_webvtt(segments: Iterable[SubtitleSegment], begin: float = 0.0) -> str:
    """One document with the cues of all segments, in order.

    `begin` is the place in the playlist (seconds) that the document's time 0 means: 0 unless
    only a part of the playlist is wanted. Raises PlaylistError for a segment that is no WebVTT.
    """
    read = [_read(number, segment) for number, segment in enumerate(segments)]
    blocks = dict.fromkeys(block for segment in read for block in segment.document.blocks)
    header = next((s.document.header for s in read if s.document.cues), ("WEBVTT",))
    cues = _merged(_timed(read, round(begin * 1000)))
    return str(WebVtt(header, None, tuple(blocks), tuple(cues)))


def to_srt(document: str) -> str:
    """A WebVTT document as SubRip: no settings, no tags but bold, italic and underline."""
    texts = ((cue, _subrip_text(cue.payload)) for cue in parse_webvtt(document).cues)
    shown = [(cue, text) for cue, text in texts if text]
    return "".join(
        f"{number}\n{clock(cue.start, ',')} --> {clock(cue.end, ',')}\n{text}\n\n"
        for number, (cue, text) in enumerate(shown, 1)
    )


def _read(number: int, segment: SubtitleSegment) -> _Segment:
    try:
        return _Segment(parse_webvtt(segment.content), round(segment.start * 1000))
    except PlaylistError as error:
        raise PlaylistError(f"Subtitle segment {number} is no WebVTT: {error.message}") from error


def _timed(segments: Sequence[_Segment], begin: int) -> list[list[Cue]]:
    """The cues of each segment, at their times in the document."""
    mapped = (segment for segment in segments if segment.document.timestamp_map)
    first = next(mapped, segments[0] if segments else None)
    base = (first.document.timestamp_map if first else None) or TimestampMap()
    spoken = next((segment for segment in segments if segment.document.cues), None)
    if first is None or spoken is None:
        return []
    shift = 0
    if abs(spoken.document.cues[0].start + _offset(spoken, base, 0) - spoken.start) > _NEAR_MS:
        # The cues count from elsewhere: then the first mapping's time is its segment's start.
        shift = first.start - base.local
    return [
        _moved(segment.document.cues, _offset(segment, base, shift) + shift - begin)
        for segment in segments
    ]


def _offset(segment: _Segment, base: TimestampMap, shift: int) -> int:
    """How many ms the segment's cue times lie behind those that `base` is about.

    Of the offsets that 33 bits may mean, the one that brings the cues next to their segment.
    """
    mapping, cues = segment.document.timestamp_map, segment.document.cues
    if mapping is None or not cues:
        return 0
    ticks = (mapping.zero - base.zero) % _WRAP
    missing = (segment.start - shift - cues[0].start) * TICKS_PER_MS - ticks
    return round((ticks + round(missing / _WRAP) * _WRAP) / TICKS_PER_MS)


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


def _subrip_text(payload: str) -> str:
    text = html.unescape(_TAG.sub(_subrip_tag, payload))
    return "\n".join(line.rstrip() for line in text.splitlines() if line.strip())


def _subrip_tag(tag: re.Match[str]) -> str:
    """The tag without its classes, if SubRip has it; times and all others vanish."""
    slash, name = tag[1], tag[2].lower()
    return f"<{slash}{name}>" if name in _SUBRIP_TAGS else ""
