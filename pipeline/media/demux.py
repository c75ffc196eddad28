"""A source's packets, part by part, with mended times. The one place where FFmpeg reads.

Each part (`parts`) is read by a demuxer of its own, from a file object without `seek`: nothing of
FFmpeg's opens a file, or guesses what clocks mean.
"""

from __future__ import annotations  # PyAV's Packet is generic in its stubs only

from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream

from pipeline.errors import RemuxFailed
from pipeline.media import forms, packed, sniffing
from pipeline.media.counting import unit_starts
from pipeline.media.latecomers import has_latecomers
from pipeline.media.parts import Part, parts_of
from pipeline.media.slices import Slice
from pipeline.media.timeline import Clock, Extent, Place, Span
from pipeline.media.tracks import Source

_BUFFER = 256 << 10

#: With 150 Mbit/s, FFmpeg's usual 5 MB may end before the first sound. What it looks at waits in
#: memory until it is used.
_DEEP = {"probesize": str(32 << 20), "analyzeduration": str(30_000_000)}

#: How much is looked at for a guess: some seconds of the richest streams.
_GLANCE_BYTES = 16 << 20

#: A guess at the number of packets is made so many times larger, and never less than this: too
#: little room costs the file. A packet gets 48 bytes and takes about 22, so that what begins with
#: one frame in a unit and goes on with four still fits.
_GENEROUS, _AT_LEAST = 2.0, 2000

_SAMPLES = {"mp3": 1152, "mp3float": 1152, "ac3": 1536, "eac3": 1536}  # in a frame
_KINDS = ("video", "audio")


@dataclass
class Track:
    """A stream of a source: what it is like, its clock, how long it lasts in each part."""

    template: Any  # PyAV's stream types are generic in ways that help nobody here
    clock: Clock
    usual: int  # the duration of a packet that does not say, in ticks
    extents: dict[int, Extent] = field(default_factory=dict)
    forms: dict[int, bytes] = field(default_factory=dict)  # by part (`forms.form_of`)
    _suspected: tuple[int, bytes | None] | None = None

    @property
    def packets(self) -> int:
        """How many there are in all parts."""
        return sum(extent.packets for extent in self.extents.values())

    @property
    def codec(self) -> str:
        """FFmpeg's name of the codec."""
        return forms.codec_of(self.template)

    def note_form(self, number: int, packet: Packet[Any]) -> None:
        """The form of that part is the packet's, if that is certain or the one before agrees."""
        form, certain = forms.form_of(packet.stream, packet)
        if form is not None and (certain or self._suspected == (number, form)):
            self.forms[number] = form
        self._suspected = number, form

    @property
    def changes(self) -> bool:
        """Whether one header is not enough for all its parts."""
        return len(set(self.forms.values())) > 1

    def span(self, number: int) -> Span:
        """When it begins and ends in that part."""
        extent, unit = self.extents[number], self.clock.time_base
        return Span(extent.start * unit, extent.end * unit)


@dataclass(frozen=True)
class Moment:
    """A packet, whose it is, and when it is decoded (seconds)."""

    time: float
    place: Place
    packet: Packet[Any]


class Reader:
    """Reads one source twice: `measure`, and then `packets`."""

    def __init__(self, source: Source, on_read: Callable[[int], None]) -> None:
        self.source = source
        self.tracks: dict[Place, Track] = {}
        self.warnings: dict[str, None] = {}
        self.format = sniffing.demuxer(source.path)
        self._on_read = on_read
        self._parts = parts_of(source, self.format)
        self._is_packed = self.format in packed.FORMATS
        #: Whether its times are those of the presentation, as far as that has been read.
        self.knows_time = True
        self._kept: list[InputContainer] = []
        self._is_deep = False  # the usual look at a part's beginning was not enough
        self.lost = 0  # packets that could not be written in their track's form

    def measure(self) -> list[dict[Place, Span]]:
        """Read everything, write nothing; how long each track lasts on each timeline.

        Raises RemuxFailed when there is no video or audio in it.
        """
        found: list[dict[Place, Span]] = []
        for number, part in enumerate(self._parts):
            for place, packet in self._read(part, release=False):
                self._measure_packet(number, place, packet)
            if part.fresh:
                found.append({})
            for place, track in self.tracks.items():
                if number in track.extents:
                    span = track.span(number)
                    found[-1][place] = found[-1].get(place, span).together(span)
        if not any(found):
            raise RemuxFailed(f"{self.source.what} holds no video or audio that could be read")
        return found

    def check_forms(self, container: str) -> None:
        """Warn of tracks that change their form. Raises RemuxFailed where that cannot be held."""
        for track in self.tracks.values():
            warning = forms.check(track.codec, list(track.forms.values()), container)
            if warning is not None:
                self.warnings[warning] = None

    def glance(self) -> list[dict[Place, Span]] | None:
        """What `measure` finds, guessed from the first seconds; None where that will not do.

        For one stretch of MPEG-TS, which is moved by when it begins: where it ends does not matter
        then, and how many packets it has may be a guess, if it is a generous one.
        """
        if self.format != "mpegts" or len(self._parts) != 1:
            return None
        looked_at = self._look_at_beginning()
        begun = unit_starts(self.source.path, looked_at)
        total = unit_starts(self.source.path) if begun else None
        found = [track.packets for track in self.tracks.values()]
        if not begun or not total or not found or not all(found):
            self._forget()
            return None
        for track in self.tracks.values():
            extent = track.extents[0]
            extent.packets = round(extent.packets * total / begun * _GENEROUS) + _AT_LEAST
        return [{place: track.span(0) for place, track in self.tracks.items()}]

    def _look_at_beginning(self) -> int:
        """Measure until enough is known; how many bytes that took."""
        at = 0
        for place, packet in self._read(self._parts[0], release=False):
            at = max(at, packet.pos or 0)
            if at >= _GLANCE_BYTES:
                break
            self._measure_packet(0, place, packet)
        return at

    def _forget(self) -> None:
        self.close()
        self.tracks.clear()
        self.warnings.clear()

    def packets(
        self, shifts: list[dict[Place, Fraction]], container: str, *, release: bool
    ) -> Iterator[Moment]:
        """All packets, at their times in the output, as `container` wants them.

        `shifts` are those of the timelines.
        """
        for track in self.tracks.values():
            track.clock = Clock(track.clock.time_base)
        units: dict[Place, float] = {}
        ahead, changing = iter(shifts), self._changing(container)
        for number, part in enumerate(self._parts):
            if part.fresh:
                self._move_clocks(next(ahead))
            packets = self._read(part, release=release)
            if changing:
                packets = self._in_form(number, packets, changing, container)
            for place, packet in packets:
                if place not in units:
                    units[place] = float(self.tracks[place].clock.time_base)
                clock = self.tracks[place].clock
                _set_times(clock, packet)
                yield Moment((packet.dts or 0) * units[place], place, packet)

    def _move_clocks(self, shift: dict[Place, Fraction]) -> None:
        for place, track in self.tracks.items():
            track.clock.move(round(shift.get(place, 0) / track.clock.time_base))

    def _changing(self, container: str) -> set[Place]:
        """The tracks whose packets do not go into `container` as they are."""
        return {
            place
            for place, track in self.tracks.items()
            if track.changes or forms.may_change_unseen(track.template, container)
        }

    def _in_form(
        self,
        number: int,
        packets: Iterator[tuple[Place, Packet[Any]]],
        changing: set[Place],
        container: str,
    ) -> Iterator[tuple[Place, Packet[Any]]]:
        """The packets of a part, those of the tracks `changing` with its form."""
        changed: dict[Place, forms.Changed] = {}
        for place, packet in packets:
            if place not in changing:
                yield place, packet
                continue
            track = self.tracks[place]
            if place not in changed:
                form = track.forms.get(number, b"")
                changed[place] = forms.Changed(packet.stream, form, container)
            written = changed[place].write(packet)
            if written is None:
                self.lost += 1
                continue
            written.time_base = track.clock.time_base
            yield place, written

    def close(self) -> None:
        """Let go of the templates."""
        while self._kept:
            self._kept.pop().close()

    def _measure_packet(self, number: int, place: Place, packet: Packet[Any]) -> None:
        track = self.tracks[place]
        if number not in track.extents:
            track.clock = Clock(track.clock.time_base)
            track.extents[number] = Extent()
        if number not in track.forms:
            track.note_form(number, packet)
        _dts, pts = track.clock.place(packet.dts, packet.pts, packet.duration)
        track.extents[number].include(pts, pts + (packet.duration or 0))

    def _read(self, part: Part, *, release: bool) -> Iterator[tuple[Place, Packet[Any]]]:
        """The part's packets, as far as they can be read."""
        with ExitStack() as stack:
            container = self._opened(part, stack, release=release)
            if container is None:
                self.warnings["A part could not be read and was left out"] = None
                return
            if not self._keep(container):
                stack.callback(container.close)
            places = self._places(container)
            factors = {
                index: unit_of(container.streams[index]) / self.tracks[place].clock.time_base
                for index, place in places.items()
            }
            tagged = packed.TaggedTime(part.tags) if self._is_packed else None
            for packet in self._demuxed(container, list(places)):
                place = places.get(packet.stream_index)
                if place is not None and packet.size:
                    rescale(packet, factors[packet.stream_index])
                    packet.time_base = self.tracks[place].clock.time_base
                    if tagged is not None:
                        _move(packet, tagged, part.start)
                    packet.duration = packet.duration or self.tracks[place].usual
                    yield place, packet
            if tagged is not None and not tagged.is_told:
                self.knows_time = False

    def _opened(self, part: Part, stack: ExitStack, *, release: bool) -> InputContainer | None:
        """The part as FFmpeg knows it from its beginning; None if it cannot make anything of it.

        Where that does not show what each stream is like, more of it is looked at.
        """
        for options in [_DEEP] if self._is_deep else [{}, _DEEP]:
            path = self.source.path
            file = Slice(path, part.start, part.end, part.header, release=release)
            file.on_read = self._on_read
            try:
                container = av.open(
                    file, "r", format=self.format, buffer_size=_BUFFER, options=options
                )
            except (av.FFmpegError, ValueError):
                file.close()
                return None
            if options is _DEEP or all(_is_usable(each) for _, each in _numbered(container)):
                stack.enter_context(file)
                return container
            container.close()
            file.close()
            self._is_deep = True
        return None

    def _demuxed(self, container: InputContainer, indices: list[int]) -> Iterator[Packet[Stream]]:
        """The packets until the end, or until FFmpeg gives up: what came before that is good."""
        if not indices:
            return
        # IndexError is PyAV's, at the end, if there are latecomers.
        with suppress(av.FFmpegError, IndexError):
            yield from container.demux([container.streams[index] for index in indices])
        if has_latecomers(container):
            self.warnings["A stream that begins on the way was left out"] = None

    def _keep(self, container: InputContainer) -> bool:
        """Remember what has streams that no container before had; was it one?"""
        fresh = False
        for place, stream in _numbered(container):
            if place not in self.tracks and _is_usable(stream):
                self.tracks[place] = Track(stream, Clock(unit_of(stream)), _usual(stream))
                fresh = True
        if fresh:
            self._kept.append(container)
        return fresh

    def _places(self, container: InputContainer) -> dict[int, Place]:
        """Which of the container's streams are wanted, by their index in it."""
        places = {}
        for place, stream in _numbered(container):
            track = self.tracks.get(place)
            if track is not None and stream.codec_context.name == track.template.codec_context.name:
                places[stream.index] = place
        for stream in container.streams:
            if stream.index not in places:
                what = f"Stream {stream.index} ({stream.type})"
                self.warnings[f"{what} has no place in the output and was left out"] = None
        return places


def _numbered(container: InputContainer) -> Iterator[tuple[Place, Any]]:
    counts = dict.fromkeys(_KINDS, 0)
    for stream in container.streams:
        if stream.type in counts and stream.codec_context is not None:
            yield (stream.type, counts[stream.type]), stream
            counts[stream.type] += 1


def _is_usable(stream: Any) -> bool:
    """Is it known well enough to be announced in a header?"""
    context = stream.codec_context
    return bool(context.width and context.height if stream.type == "video" else context.sample_rate)


def _usual(stream: Any) -> int:
    """How long a frame lasts: FFmpeg does not always say of the first ones."""
    context = stream.codec_context
    if stream.type == "video":
        return round(1 / (stream.average_rate or 25) / unit_of(stream))
    samples = context.frame_size or _SAMPLES.get(context.name, 1024)
    return round(Fraction(samples, context.sample_rate) / unit_of(stream))


def unit_of(stream: Any) -> Fraction:
    """The stream's time base: PyAV 18 has a type of its own for that."""
    unit = stream.time_base
    return Fraction(unit.numerator, unit.denominator) if unit else Fraction(1, 90_000)


def rescale(packet: Packet[Any], factor: Fraction) -> None:
    """Count in other units. Whole numbers only: this is done for each packet."""
    up, down = factor.numerator, factor.denominator
    if up == down:
        return
    half = down // 2
    if packet.dts is not None:
        packet.dts = (packet.dts * up + half) // down
    if packet.pts is not None:
        packet.pts = (packet.pts * up + half) // down
    packet.duration = ((packet.duration or 0) * up + half) // down


def _move(packet: Packet[Any], tagged: packed.TaggedTime, start: int) -> None:
    """By what the tags say of the time at which the part begins."""
    unit = unit_of(packet)
    ticks = packet.pts or 0
    shift = round(tagged.shift(start + (packet.pos or 0), float(ticks * unit)) / unit)
    packet.pts = ticks + shift
    packet.dts = (packet.dts if packet.dts is not None else ticks) + shift


def _set_times(clock: Clock, packet: Packet[Any]) -> None:
    packet.dts, packet.pts = clock.place(packet.dts, packet.pts, packet.duration)
