"""What a playlist is, for people: the facts that `hlspipe inspect` prints.

Pure: a playlist comes in, names and texts fit to print go out. Every segment is looked at, none
is listed. Not covered: the variants and renditions themselves (`listing`).
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from pipeline.cli.words import clock, count
from pipeline.errors import UnsupportedError
from pipeline.hls.dates import format_date
from pipeline.hls.model import (
    IDENTITY,
    Key,
    MediaPlaylist,
    MediaSegment,
    MultivariantPlaylist,
)
from pipeline.hls.protection import usable_key
from pipeline.units import printable

Fact = tuple[str, Sequence[str]]

_NONE = "none"

#: Entries of a list that are told; the rest is counted.
_LISTED = 8


def facts(playlist: MediaPlaylist | MultivariantPlaylist) -> list[Fact]:
    """The facts about `playlist`, the most telling first."""
    if isinstance(playlist, MediaPlaylist):
        return _media(playlist)
    return _multivariant(playlist)


def _multivariant(playlist: MultivariantPlaylist) -> list[Fact]:
    kinds = Counter(printable(one.type.lower(), 30) for one in playlist.renditions)
    found: list[Fact] = [
        ("Kind", [_kind("multivariant playlist", playlist.version)]),
        ("Variants", [str(len(playlist.variants))]),
        ("I-frame variants", [str(len(playlist.i_frame_variants))]),
        ("Renditions", [", ".join(f"{n} {kind}" for kind, n in kinds.items()) or _NONE]),
    ]
    if playlist.session_keys:
        named = dict.fromkeys(_named(key) for key in playlist.session_keys)
        found += [("Session keys", _capped(list(named))), *_drm([playlist.session_keys])]
    return found + _start(playlist.start_time_offset)


def _media(playlist: MediaPlaylist) -> list[Fact]:
    segments = playlist.segments
    keys = Counter(segment.keys for segment in segments)
    kind = "I-frame playlist" if playlist.i_frames_only else "media playlist"
    return [
        ("Kind", [_kind(kind, playlist.version)]),
        ("State", [_state(playlist)]),
        ("Segments", [_segments(segments)]),
        ("Duration", [_duration(playlist)]),
        ("Encryption", _encryption(keys)),
        *_drm(keys),
        ("Initialization", [_initialization(segments)]),
        ("Byte ranges", [_byte_ranges(segments)]),
        ("Discontinuities", [str(sum(one.discontinuity for one in segments) or _NONE)]),
        ("Gaps", [_gaps(segments)]),
        *_dates(segments),
        *_start(playlist.start_time_offset),
        *_oddities(playlist),
    ]


def _kind(kind: str, version: int | None) -> str:
    return f"{kind}, version {'not given' if version is None else version}"


def _state(playlist: MediaPlaylist) -> str:
    state = "complete" if playlist.end_list else "live: it has no end yet"
    kind = playlist.playlist_type
    return f"{state} ({printable(kind, 30)})" if kind else state


def _segments(segments: Sequence[MediaSegment]) -> str:
    if not segments:
        return _NONE
    first, last = segments[0].media_sequence_number, segments[-1].media_sequence_number
    return f"{len(segments)} (media sequence numbers {first} to {last})"


def _duration(playlist: MediaPlaylist) -> str:
    target = playlist.target_duration
    said = "no target duration" if target is None else f"target duration {target:g} s"
    return f"{clock(playlist.total_duration)} ({playlist.total_duration:.3f} s), {said}"


def _encryption(keys: Mapping[tuple[Key, ...], int]) -> list[str]:
    """How many segments each way of encryption has, and with how many keys."""
    segments: Counter[str] = Counter()
    urls: dict[str, set[str | None]] = {}
    for alternatives, uses in keys.items():
        for key in alternatives:
            segments[_named(key)] += uses
            urls.setdefault(_named(key), set()).add(key.url)
    lines = [
        f"{named}: {count(uses, 'segment')}, {count(len(urls[named]), 'key')}"
        for named, uses in segments.items()
    ]
    if lines and () in keys:
        lines.append(f"in the clear: {count(keys[()], 'segment')}")
    return _capped(lines) or [_NONE]


def _named(key: Key) -> str:
    method = printable(key.method, 30)
    if key.key_format == IDENTITY:
        return method
    return f"{method} ({printable(key.key_format, 60)})"


def _drm(keys: Iterable[tuple[Key, ...]]) -> list[Fact]:
    """The DRM systems of segments that nothing but DRM can decrypt."""
    reasons: dict[str, None] = {}
    for alternatives in filter(None, keys):
        try:
            # Whether the method is understood is not asked here: only who has the key.
            usable_key(alternatives, [key.method for key in alternatives])
        except UnsupportedError as error:
            reasons[error.message] = None
    return [("DRM", _capped(list(reasons)))] if reasons else []


def _initialization(segments: Sequence[MediaSegment]) -> str:
    sections = {one.initialization_section for one in segments} - {None}
    return count(len(sections), "section") if sections else _NONE


def _byte_ranges(segments: Sequence[MediaSegment]) -> str:
    urls = [one.url for one in segments if one.byte_range is not None]
    if not urls:
        return _NONE
    return f"{count(len(urls), 'segment')} in {count(len(set(urls)), 'resource')}"


def _gaps(segments: Sequence[MediaSegment]) -> str:
    places = [str(index) for index, one in enumerate(segments) if one.gap]
    return f"{len(places)} (counted from 0: {', '.join(_capped(places))})" if places else _NONE


def _dates(segments: Sequence[MediaSegment]) -> list[Fact]:
    dates = [one.program_date_time for one in segments if one.program_date_time is not None]
    if not dates:
        return []
    return [("Dates", [f"{format_date(dates[0])} to {format_date(dates[-1])}"])]


def _start(offset: float | None) -> list[Fact]:
    return [] if offset is None else [("Start", [f"at {offset:g} s"])]


def _oddities(playlist: MediaPlaylist) -> list[Fact]:
    """What whoever made the playlist may want to know, and nobody else."""
    found: list[Fact] = []
    if playlist.skipped_segments:
        skipped = count(playlist.skipped_segments, "segment")
        found.append(("Left out", [f"{skipped}: this is a delta update (EXT-X-SKIP)"]))
    if playlist.stray_lines:
        lines = count(playlist.stray_lines, "line")
        found.append(("Ignored", [f"{lines} that no tag announces as a segment"]))
    return found


def _capped(entries: Collection[str]) -> list[str]:
    listed = list(entries)[:_LISTED]
    more = len(entries) - len(listed)
    return [*listed, f"and {more} more"] if more else listed
