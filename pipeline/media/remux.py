"""The same streams in another container: MP4, M4A or Matroska, nothing encoded anew.

Everything is read twice. The first pass proves that there is something to write, and says how
long each part lasts (`timeline`) and how many packets come, for which room is left at the front
of an MP4 file. The second pass writes, and may release what it has read (`slices`), so that the
disk never holds the video twice. Needs PyAV (the extra `mp4`): import this module late.

Not covered: choosing a container, publishing the output, looking after the process.
"""

import errno
import heapq
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import av
from av.container import OutputContainer

from pipeline.errors import RemuxFailed, StorageError
from pipeline.media.demux import Moment, Reader, rescale, unit_of
from pipeline.media.forms import announce, is_hvc1
from pipeline.media.texts import TextTrack
from pipeline.media.timeline import ALIGNED, Place, Span, placed
from pipeline.media.timestamps import HEAD_BYTES, around_zero, first_timestamp
from pipeline.media.tracks import RemuxPlan, Source, language_code

__all__ = ["RemuxFailed", "Remuxed", "remux"]

_FORMATS = {"mp4": "mp4", "m4a": "ipod", "mkv": "matroska"}
_PROGRESS_STEP = 4 << 20
_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EACCES, errno.ENOENT)
#: What FFmpeg says of a packet that makes no sense.
_DAMAGED = (av.InvalidDataError, av.ArgumentError, av.PatchWelcomeError)
_PACKET_ENTRY = 48  # bytes in the sample tables, at most: stsz, stts, ctts, stsc, co64, stss, sdtp
_MOOV_REST = 256 << 10  # everything else in the `moov` box
_LONG = 1 << 62
_MOST_ROOM = 0.02  # of the bytes: above, FFmpeg moves everything once more instead


@dataclass(frozen=True)
class Remuxed:
    """What was written: seconds, tracks, and what a user should know."""

    duration: float
    tracks: int
    warnings: tuple[str, ...]


@dataclass
class _Progress:
    report: Callable[[int, int], None]
    total: int
    done: int = 0
    _said: int = 0

    def add(self, count: int) -> None:
        self.done += count
        if self.done - self._said >= _PROGRESS_STEP:
            self._said = self.done
            self.report(min(self.done, self.total), self.total)

    def finish(self) -> None:
        self.report(self.total, self.total)


@dataclass
class _Output:
    """The container that is written, and what was written to it."""

    container: OutputContainer
    streams: dict[tuple[int, Place], Any] = field(default_factory=dict)
    last: dict[tuple[int, Place], int] = field(default_factory=dict)  # the dts, in its ticks
    factors: dict[tuple[int, Place], Fraction] = field(default_factory=dict)  # to its ticks
    units: dict[tuple[int, Place], float] = field(default_factory=dict)  # seconds of a tick
    end: float = 0.0
    written: int = 0
    lost: int = 0

    def write(self, source: int, moment: Moment) -> None:
        """Mux the packet. One that FFmpeg refuses is left out, and counted."""
        packet, stream = moment.packet, self.streams.get((source, moment.place))
        if stream is None:
            return
        key = (source, moment.place)
        if key not in self.factors:
            self.factors[key] = unit_of(packet) / unit_of(stream)
            self.units[key] = float(unit_of(stream))
        packet.stream = stream
        rescale(packet, self.factors[key])
        packet.time_base = stream.time_base
        # Ticks may be longer here: what was apart must not fall together.
        packet.dts = max(packet.dts or 0, self.last.get(key, -_LONG) + 1)
        packet.pts = max(packet.pts or 0, packet.dts)
        self.last[key] = packet.dts
        self.end = max(self.end, (packet.pts + (packet.duration or 0)) * self.units[key])
        try:
            self.container.mux_one(packet)
        except _DAMAGED:
            self.lost += 1
        else:
            self.written += 1


def remux(plan: RemuxPlan, progress: Callable[[int, int], None]) -> Remuxed:
    """Write `plan.output`; `progress` gets bytes read, of bytes, now and then.

    Raises RemuxFailed, before anything of a source is released, if no stream can be read or the
    container cannot hold it, and StorageError if the disk says no.
    """
    av.logging.set_level(None)
    logging.getLogger("libav").setLevel(logging.CRITICAL)
    try:
        with ExitStack() as stack:
            return _remux(plan, progress, stack)
    except av.FFmpegError as error:
        if error.errno in _DISK:
            raise StorageError(f"{plan.output} cannot be written: {error.strerror}") from error
        raise RemuxFailed(
            f"FFmpeg cannot write this as {plan.container}: {error.strerror}"
        ) from error
    except OSError as error:
        raise StorageError(f"{plan.output} cannot be written: {error.strerror}") from error


def _remux(plan: RemuxPlan, progress: Callable[[int, int], None], stack: ExitStack) -> Remuxed:
    media = [source for source in plan.sources if source.kind != "subtitles"]
    size = sum(source.path.stat().st_size for source in media)
    meter = _Progress(progress, 2 * size)
    readers = [Reader(source, meter.add) for source in media]
    for reader in readers:
        stack.callback(reader.close)
    measured = _measured(readers)
    shifts = placed(measured, [reader.knows_time for reader in readers])
    for reader in readers:
        reader.check_forms(plan.container)
    meter.total = meter.done + size  # a glance has not read everything
    late = _late(plan.sources[0], shifts[0][0])
    texts = [TextTrack.read(source, late) for source in plan.sources if source.kind == "subtitles"]
    output = _open(plan, readers, texts, late, stack)
    _write(plan, output, readers, shifts, texts)
    meter.finish()
    if not output.written:
        raise RemuxFailed(f"Not one packet of the stream could be written as {plan.container}")
    return Remuxed(output.end, len(output.streams), _warnings(readers, output))


def _late(source: Source, moved: Mapping[Place, Fraction]) -> float:
    """Seconds until the main stream begins, if another rendition is earlier.

    Subtitles and chapters count from there: from what `first_timestamp` says.
    """
    with source.path.open("rb") as file:
        first = first_timestamp(file.read(HEAD_BYTES))
    late = around_zero(first + float(min(moved.values()))) if first is not None and moved else 0.0
    return late if 0 < late < ALIGNED else 0.0


def _measured(readers: list[Reader]) -> list[list[dict[Place, Span]]]:
    """When each track begins and ends in each part; of a single source a glance may do."""
    if len(readers) == 1 and (found := readers[0].glance()) is not None:
        return [found]
    return [reader.measure() for reader in readers]


def _warnings(readers: list[Reader], output: _Output) -> tuple[str, ...]:
    warnings = [warning for reader in readers for warning in reader.warnings]
    if lost := output.lost + sum(reader.lost for reader in readers):
        warnings.append(f"{lost} damaged packets were left out")
    return tuple(dict.fromkeys(warnings))


def _open(
    plan: RemuxPlan,
    readers: list[Reader],
    texts: list[TextTrack],
    late: float,
    stack: ExitStack,
) -> _Output:
    """The output with its tracks announced, and its header written."""
    name = _FORMATS[plan.container]
    options = {} if name == "matroska" else _options(plan, readers, texts)
    # By its path, which is ours and absolute: through a Python file it takes a quarter longer.
    target = str(plan.output.absolute())
    container = av.open(target, "w", format=name, container_options=options)
    stack.callback(container.close)
    output = _Output(container)
    for number, reader in enumerate(readers):
        _announce(output, number, reader, plan.container)
    if not output.streams:
        raise RemuxFailed(f"{plan.container} can hold nothing of it ({_codecs(readers)}): try .mkv")
    for number, text in enumerate(texts, len(readers)):
        output.streams[number, ("subtitle", 0)] = text.announce(container, plan.container)
    _set_chapters(container, plan, late)
    container.start_encoding()
    return output


def _codecs(readers: list[Reader]) -> str:
    tracks = [track for reader in readers for track in reader.tracks.values()]
    return ", ".join(dict.fromkeys(track.codec for track in tracks))


def _options(plan: RemuxPlan, readers: list[Reader], texts: list[TextTrack]) -> dict[str, str]:
    """How the `moov` box gets to the front: room is left for it, or FFmpeg moves all the rest."""
    packets = sum(track.packets for reader in readers for track in reader.tracks.values())
    packets += sum(2 * len(text.cues) + 1 for text in texts)
    room = packets * _PACKET_ENTRY + _MOOV_REST + 1024 * len(plan.chapters)
    size = sum(source.path.stat().st_size for source in plan.sources)
    if room > _MOST_ROOM * size:
        return {"movflags": "faststart"}
    return {"moov_size": str(room)}


def _announce(output: _Output, number: int, reader: Reader, container: str) -> None:
    for place, track in reader.tracks.items():
        if not track.packets or (container == "m4a" and place[0] == "video"):
            continue
        try:
            stream = output.container.add_stream_from_template(track.template, opaque=True)
        except ValueError:
            reader.warnings[f"{container} cannot hold {track.codec}: it was left out"] = None
            continue
        if track.changes:
            announce(track.template, stream)
        if is_hvc1(track.template, container):
            stream.codec_context.codec_tag = "hvc1"
        if place[0] == "video" and track.template.average_rate:
            stream.codec_context.framerate = track.template.average_rate
        if "language" in track.template.metadata:
            stream.metadata["language"] = track.template.metadata["language"]
        _describe(stream, reader.source, place)
        output.streams[number, place] = stream


def _describe(stream: Any, source: Source, place: Place) -> None:
    """Say the language and title of a track; the first of a main source is shown by default."""
    if place[0] != "video" and source.language:
        stream.metadata["language"] = language_code(source.language)
    if place[0] != "video" and source.name:
        stream.metadata["title"] = stream.metadata["handler_name"] = source.name
    default = source.default or (source.kind == "main" and place[1] == 0)
    stream.disposition = av.stream.Disposition.default if default else av.stream.Disposition(0)


def _set_chapters(container: OutputContainer, plan: RemuxPlan, late: float) -> None:
    if not plan.chapters:
        return
    chapters: list[Any] = [  # PyAV's type of a time base is another one from 19 on
        {
            "id": number,
            "start": round((chapter.start + late) * 1000),
            "end": round((chapter.end + late) * 1000),
            "time_base": Fraction(1, 1000),
            "metadata": {"title": chapter.title},
        }
        for number, chapter in enumerate(plan.chapters)
    ]
    container.set_chapters(chapters)


def _write(
    plan: RemuxPlan,
    output: _Output,
    readers: list[Reader],
    shifts: list[list[dict[Place, Fraction]]],
    texts: list[TextTrack],
) -> None:
    """The second pass: all packets, by the times at which they are decoded."""
    lanes = [
        _numbered(number, reader.packets(shift, plan.container, release=plan.may_consume))
        for number, (reader, shift) in enumerate(zip(readers, shifts, strict=True))
    ]
    for number, text in enumerate(texts, len(readers)):
        lanes.append(_numbered(number, text.packets(plan.container)))
    for number, moment in heapq.merge(*lanes, key=lambda lane: lane[1].time):
        output.write(number, moment)
    output.container.close()


def _numbered(number: int, moments: Iterator[Moment]) -> Iterator[tuple[int, Moment]]:
    for moment in moments:
        yield number, moment
