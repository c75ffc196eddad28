"""Playlists as plain dicts, in the form that `hlspipe inspect --json` prints.

Every key is always there; what is absent is None. URIs are as written, URLs absolute.
"""

from typing import Any

from pipeline.hls.dates import format_date
from pipeline.hls.keys import identity_key, initialization_vector
from pipeline.hls.model import (
    ByteRange,
    InitializationSection,
    MediaPlaylist,
    MediaSegment,
    MultivariantPlaylist,
    Rendition,
    VariantStream,
)

Json = dict[str, Any]

#: For a multivariant playlist without EXT-X-VERSION. The RFC has 1 (section 7); the libraries
#: whose tests name a number name 3. Nothing depends on it, and we say the same.
_UNSAID_VERSION = 3


def inspect_dict(playlist: MediaPlaylist | MultivariantPlaylist) -> Json:
    """`playlist` as one object of `inspect --json`."""
    if isinstance(playlist, MediaPlaylist):
        return {**_head(playlist), "segments": [_segment(one) for one in playlist.segments]}
    return _multivariant(playlist)


def _multivariant(playlist: MultivariantPlaylist) -> Json:
    return {
        "kind": "multivariant",
        "version": playlist.version or _UNSAID_VERSION,
        "start_time_offset": playlist.start_time_offset,
        "variants": [_variant(one) for one in playlist.variants],
        "iframe_variants": [_variant(one) for one in playlist.i_frame_variants],
        "renditions": [_rendition(one) for one in playlist.renditions],
    }


def _head(playlist: MediaPlaylist) -> Json:
    return {
        "kind": "media",
        "version": playlist.version,
        "target_duration": _plain(playlist.target_duration),
        "media_sequence": playlist.media_sequence_number,
        "discontinuity_sequence": playlist.discontinuity_sequence_number,
        "playlist_type": playlist.playlist_type,
        "endlist": playlist.end_list,
        "iframes_only": playlist.i_frames_only,
        "start_time_offset": playlist.start_time_offset,
        "total_duration": playlist.total_duration,
        "variants": [],
        "iframe_variants": [],
        "renditions": [],
    }


def _segment(segment: MediaSegment) -> Json:
    date = segment.program_date_time
    return {
        "uri": segment.uri,
        "url": segment.url,
        "duration": segment.duration,
        "title": segment.title,
        "byterange": _byte_range(segment.byte_range),
        "key": _key(segment) if segment.keys else None,
        "map": _section(segment.initialization_section),
        "discontinuity": segment.discontinuity,
        "discontinuity_sequence": segment.discontinuity_sequence_number,
        "media_sequence_number": segment.media_sequence_number,
        "program_date_time": None if date is None else format_date(date),
        "gap": segment.gap,
    }


def _plain(number: float | None) -> float | int | None:
    """A whole number without ".0", as playlists write it."""
    return int(number) if number is not None and number.is_integer() else number


def _byte_range(byte_range: ByteRange | None) -> Json | None:
    if byte_range is None:
        return None
    return {"length": byte_range.length, "offset": byte_range.offset}


def _key(segment: MediaSegment) -> Json:
    key = identity_key(segment.keys)
    number = segment.media_sequence_number
    implied = key.iv is None and number < 0
    return {
        "method": key.method,
        "url": key.url,
        "iv": None if key.iv is None else key.iv.hex(),
        "iv_effective": None if implied else initialization_vector(key, number).hex(),
    }


def _section(section: InitializationSection | None) -> Json | None:
    if section is None:
        return None
    return {"url": section.url, "byterange": _byte_range(section.byte_range)}


def _variant(variant: VariantStream) -> Json:
    size = variant.resolution
    return {
        "uri": variant.uri,
        "url": variant.url,
        "bandwidth": variant.bandwidth,
        "average_bandwidth": variant.average_bandwidth,
        "codecs": variant.codecs,
        "resolution": None if size is None else f"{size[0]}x{size[1]}",
        "frame_rate": variant.frame_rate,
        "audio": variant.audio,
        "video": variant.video,
        "subtitles": variant.subtitles,
        "closed_captions": variant.closed_captions,
    }


def _rendition(rendition: Rendition) -> Json:
    return {
        "type": rendition.type,
        "group_id": rendition.group_id,
        "name": rendition.name,
        "language": rendition.language,
        "uri": rendition.uri,
        "url": rendition.url,
        "default": rendition.default,
        "autoselect": rendition.autoselect,
        "forced": rendition.forced,
        "instream_id": rendition.instream_id,
    }
