"""Subtitles as packets: timed text (tx3g) for MP4, SubRip for Matroska.

A text track of MP4 shows one text at a time: cues that overlap follow each other, cues that
begin together become one.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from av.container import OutputContainer
from av.packet import Packet
from av.stream import Disposition

from pipeline.errors import PlaylistError, RemuxFailed
from pipeline.media.demux import Moment
from pipeline.media.subtitles import subrip_text
from pipeline.media.tracks import Source, language_code
from pipeline.media.webvtt import Cue, parse_webvtt

_MILLISECOND = Fraction(1, 1000)
_TAG = re.compile(r"</?[biu]>")
_CODECS = {"mp4": "mov_text", "m4a": "mov_text", "mkv": "subrip"}


@dataclass(frozen=True)
class TextTrack:
    """The cues of one WebVTT source, in order, none at the same time as another."""

    source: Source
    cues: tuple[Cue, ...]

    @classmethod
    def read(cls, source: Source, late: float) -> "TextTrack":
        """The track in the file, `late` seconds later. Raises RemuxFailed if it is no WebVTT."""
        try:
            document = parse_webvtt(source.path.read_bytes())
        except PlaylistError as error:
            raise RemuxFailed(f"{source.what} is no WebVTT: {error.message}") from error
        texts = (replace(cue, payload=subrip_text(cue.payload)) for cue in document.cues)
        by = round(late * 1000)
        moved = (replace(cue, start=cue.start + by, end=cue.end + by) for cue in texts)
        shown = sorted((cue for cue in moved if cue.payload), key=lambda cue: cue.start)
        return cls(source, tuple(_one_at_a_time(shown)))

    def announce(self, container: OutputContainer, kind: str) -> Any:
        """The track in the output."""
        stream = container.add_mux_stream(_CODECS[kind], time_base=_MILLISECOND)
        stream.metadata["language"] = language_code(self.source.language)
        if self.source.name:
            stream.metadata["title"] = stream.metadata["handler_name"] = self.source.name
        stream.disposition = Disposition.default if self.source.default else Disposition(0)
        return stream

    def packets(self, kind: str) -> Iterator[Moment]:
        """A packet for each cue; gaps are the muxer's affair."""
        for cue in self.cues:
            packet = Packet(_timed_text(cue) if _CODECS[kind] == "mov_text" else _plain(cue))
            packet.time_base = _MILLISECOND
            packet.pts = packet.dts = cue.start
            packet.duration = cue.end - cue.start
            packet.is_keyframe = True
            yield Moment(cue.start / 1000, ("subtitle", 0), packet)


def _one_at_a_time(cues: list[Cue]) -> list[Cue]:
    shown: list[Cue] = []
    for cue in cues:
        if shown and shown[-1].start == cue.start:
            both = f"{shown[-1].payload}\n{cue.payload}"
            shown[-1] = replace(shown[-1], end=max(shown[-1].end, cue.end), payload=both)
            continue
        if shown and shown[-1].end > cue.start:
            shown[-1] = replace(shown[-1], end=cue.start)
        shown.append(cue)
    return shown


def _timed_text(cue: Cue) -> bytes:
    """https://www.3gpp.org/dynareport/26245.htm, section 5.17: a length, and UTF-8 text."""
    text = _TAG.sub("", cue.payload).encode()[:65535]
    return len(text).to_bytes(2, "big") + text


def _plain(cue: Cue) -> bytes:
    return cue.payload.encode()
