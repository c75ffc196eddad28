"""Subtitle renditions: WebVTT segments read like documents, merged, and written as one file.

They are small: no segment of theirs goes through storage. They can be fetched before the video is
there, and are written when it is: their times count from its first timestamp.
"""

from collections.abc import Generator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.crypto.cbc import cbc_decryptor, check_key, unpad
from pipeline.errors import DecryptionError, PlaylistError, StorageError
from pipeline.hls.model import MediaPlaylist
from pipeline.hls.plan import Plan, PlannedItem
from pipeline.media.subtitles import SubtitleSegment, check_webvtt, merge_webvtt, to_srt
from pipeline.media.timestamps import HEAD_BYTES, first_timestamp
from pipeline.options import SubtitlesFormat
from pipeline.processes.wishes import Document, Fetched, Wish
from pipeline.store.care import Care
from pipeline.store.file_output import FileOutput
from pipeline.units import MIB, format_mb

#: The largest segment of subtitles: an hour of dense ones is 200 KB.
_SEGMENT_CAP = 2 * MIB

#: The most of all subtitles together, which are held in memory: dozens of languages of long films.
_MOST_BYTES = 64 * MIB

#: Segments that are asked for at a time: enough for many connections, and a bound on what is held
#: before it is counted.
_AT_A_TIME = 32

_KEY_CAP = 1024

Segments = tuple[SubtitleSegment, ...]


@dataclass(frozen=True, slots=True)
class Video:
    """Where the video begins that subtitles belong to; seconds."""

    begin: float = 0.0  # the place of its first segment in the playlist (`--section`)
    first: float | None = None  # its first timestamp; None: unknown


@dataclass(frozen=True, slots=True)
class Subtitles:
    """One rendition of subtitles to be written to `output`."""

    output: str
    playlist: MediaPlaylist
    plan: Plan


def video_of(playlist: MediaPlaylist, made: Plan, output: str) -> Video:
    """The video that was written to `output` from the items of `made`."""
    place = next((item.segment_index for item in made.items if item.segment_index is not None), 0)
    try:
        with Path(output).open("rb") as file:
            first = first_timestamp(file.read(HEAD_BYTES))
    except OSError:  # it has been moved away: there are other ways to time subtitles
        first = None
    return Video(_starts(playlist)[place], first)


def fetch_subtitles(
    tracks: tuple[Subtitles, ...], given: Mapping[str, bytes]
) -> Generator[Wish | tuple[Wish, ...], Any, tuple[tuple[Segments, ...], Mapping[str, bytes]]]:
    """The WebVTT segments of `tracks`, decrypted and seen to be WebVTT, and their keys by URL.

    Raises HlspipeError.
    """
    keys = dict(given)
    urls = {url for track in tracks for url in _key_urls(track.plan)} - keys.keys()
    wanted = sorted(urls)
    if wanted:
        fetched = yield tuple(Document(url, _KEY_CAP, "the key") for url in wanted)
        keys |= {url: answer.body for url, answer in zip(wanted, fetched, strict=True)}
    found = []
    room = _MOST_BYTES
    for track in tracks:
        answers = yield from _bodies(track.plan.items, room)
        room -= sum(len(answer.body) for answer in answers)
        segments = _segments(track, answers, keys)
        check_webvtt(segments)
        found.append(segments)
    return tuple(found), keys


def _bodies(
    items: tuple[PlannedItem, ...], room: int
) -> Generator[tuple[Wish, ...], Any, list[Fetched]]:
    """The segments as they come, `room` bytes at the most. Raises PlaylistError."""
    found: list[Fetched] = []
    for start in range(0, len(items), _AT_A_TIME):
        answers = yield tuple(_document(item) for item in items[start : start + _AT_A_TIME])
        found += answers
        room -= sum(len(answer.body) for answer in answers)
        if room < 0:
            raise PlaylistError(
                f"The subtitles are larger than {format_mb(_MOST_BYTES)}: no text is"
            )
    return found


def write_subtitles(
    track: Subtitles, segments: Segments, video: Video, kind: SubtitlesFormat, force: bool
) -> int:
    """Write one document under its name, whole or not at all; its size. Raises HlspipeError."""
    document = merge_webvtt(segments, video.begin, video.first)
    text = to_srt(document) if kind is SubtitlesFormat.SRT else document
    data = text.encode()
    output = FileOutput(Path(track.output).absolute(), Care(force))
    try:
        output.write(memoryview(data))
        output.commit(0)
        output.settle()
        output.publish()
    except BaseException:
        with suppress(StorageError):  # the first error is the one to tell
            output.discard()
        raise
    output.close()
    return len(data)


def _document(item: PlannedItem) -> Document:
    if item.segment_index is None:
        raise PlaylistError("Subtitles in fMP4 are not supported: only WebVTT is")
    what = f"subtitle segment {item.segment_index}"
    return Document(item.url, _SEGMENT_CAP, what, item.byte_range)


def _key_urls(plan: Plan) -> set[str]:
    return {item.decryption.key_url for item in plan.items if item.decryption is not None}


def _segments(track: Subtitles, answers: Sequence[Fetched], keys: Mapping[str, bytes]) -> Segments:
    starts = _starts(track.playlist)
    found = []
    for item, answer in zip(track.plan.items, answers, strict=True):
        place = item.segment_index or 0
        number = track.playlist.segments[place].discontinuity_sequence_number
        content = _clear(item, answer.body, keys)
        found.append(SubtitleSegment(content, starts[place], item.duration, number))
    return tuple(found)


def _starts(playlist: MediaPlaylist) -> list[float]:
    """Seconds into the playlist at which each segment begins."""
    starts, time = [], 0.0
    for segment in playlist.segments:
        starts.append(time)
        time += max(segment.duration, 0.0)
    return starts


def _clear(item: PlannedItem, body: bytes, keys: Mapping[str, bytes]) -> bytes:
    if item.decryption is None:
        return body
    key = keys[item.decryption.key_url]
    check_key(key, item.decryption.method)
    if not body or len(body) % 16:
        raise DecryptionError(
            f"Subtitle segment {item.segment_index} is no whole number of cipher blocks long"
        )
    data = bytearray(body)
    with memoryview(data) as view:
        cbc_decryptor(key, item.decryption.iv).decrypt(view)
    return bytes(data[: -unpad(bytes(data[-16:]))])
