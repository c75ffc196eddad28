"""Subtitle renditions: WebVTT segments read like documents, merged, and written as one file.

They are small: no segment of theirs goes through storage.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.crypto.cbc import cbc_decryptor, check_key, unpad
from pipeline.errors import DecryptionError, PlaylistError
from pipeline.hls.model import MediaPlaylist
from pipeline.hls.plan import Plan, PlannedItem
from pipeline.media.subtitles import SubtitleSegment, merge_webvtt, to_srt
from pipeline.options import SubtitlesFormat
from pipeline.processes.wishes import Document, Fetched, Wish
from pipeline.store.output import FileOutput
from pipeline.units import MIB

#: The largest segment of subtitles: an hour of dense ones is 200 KB.
_SEGMENT_CAP = 16 * MIB

_KEY_CAP = 1024


@dataclass(frozen=True, slots=True)
class Subtitles:
    """One rendition of subtitles to be written to `output`."""

    output: str
    playlist: MediaPlaylist
    plan: Plan
    begin: float  # seconds into the playlist at which the video begins (`--section`)


def fetch_subtitles(
    tracks: tuple[Subtitles, ...], given: Mapping[str, bytes]
) -> Generator[Wish | tuple[Wish, ...], Any, tuple[str, ...]]:
    """The WebVTT documents of `tracks`, each merged from its segments."""
    keys = dict(given)
    urls = {url for track in tracks for url in _key_urls(track.plan)} - keys.keys()
    wanted = sorted(urls)
    if wanted:
        fetched = yield tuple(Document(url, _KEY_CAP, "the key") for url in wanted)
        keys |= {url: answer.body for url, answer in zip(wanted, fetched, strict=True)}
    documents = []
    for track in tracks:
        wishes = tuple(_document(item) for item in track.plan.items)
        answers = (yield wishes) if wishes else ()
        documents.append(_merged(track, answers, keys))
    return tuple(documents)


def write_subtitles(track: Subtitles, document: str, kind: SubtitlesFormat, force: bool) -> None:
    """Write one document under its name, whole or not at all. Raises HlspipeError."""
    text = to_srt(document) if kind is SubtitlesFormat.SRT else document
    output = FileOutput(Path(track.output).absolute(), force)
    try:
        output.write(memoryview(text.encode()))
        output.commit()
        output.publish()
    except BaseException:
        output.discard()
        raise


def _document(item: PlannedItem) -> Document:
    if item.segment_index is None:
        raise PlaylistError("Subtitles in fMP4 are not supported: only WebVTT is")
    what = f"subtitle segment {item.segment_index}"
    return Document(item.url, _SEGMENT_CAP, what, item.byte_range)


def _key_urls(plan: Plan) -> set[str]:
    return {item.decryption.key_url for item in plan.items if item.decryption is not None}


def _merged(track: Subtitles, answers: tuple[Fetched, ...], keys: Mapping[str, bytes]) -> str:
    starts = _starts(track.playlist)
    segments = [
        SubtitleSegment(_clear(item, answer.body, keys), starts[item.segment_index or 0])
        for item, answer in zip(track.plan.items, answers, strict=True)
    ]
    return merge_webvtt(segments, track.begin)


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
