"""The form of a track: what its decoder must know beforehand, and tracks whose form changes.

A container tells it once, in its header; but an advertisement, say, often comes from an encoder of
its own. An MP4 file can tell it again: FFmpeg adds a sample entry where a packet comes with "new
extradata", which its bitstream filters make. H.264 and H.265 may carry their parameter sets among
the pictures, in MP4 and in Matroska. AAC cannot: Matroska holds one form of it in a track.

Not covered: a track that changes to another codec.
"""

from __future__ import annotations  # PyAV's Packet is generic in its stubs only

from typing import Any

import av
from av.bitstream import BitStreamFilterContext
from av.packet import Packet

from pipeline.errors import RemuxFailed

_WITH_SETS = ("h264", "hevc")
#: Sound whose frames do not tell its sampling rate and channels, and that nothing here describes
#: anew. (Pictures of other codecs, and MP3, AC-3 and E-AC-3, tell all that a decoder needs.)
_SILENT = ("alac", "flac", "opus")

_ADTS_SYNC = b"\xff\xf1"
_ADTS_HEADER = 7
#: The bits of an ADTS header's third and fourth byte that say profile, sampling rate, channels.
_PROFILE_AND_RATE, _CHANNELS_HIGH, _CHANNELS_LOW = 0xFC, 0x01, 0xC0
_EXPLICIT_SBR = (5, 29)  # object types that have the one of the core behind a second rate
_IN_ADTS = range(1, 5)  # object types that an ADTS header can name


def codec_of(stream: Any) -> str:
    """FFmpeg's name of the codec, whichever decoder there is for it."""
    return str(stream.codec_context.codec.canonical_name)


def form_of(stream: Any, packet: Packet[Any]) -> tuple[bytes | None, bool]:
    """The form of `stream`, of which this is a packet, and whether it is certain.

    Forms are equal where one decoder fits both. What a packet says is not certain, for it may be
    damaged; None if it says nothing.
    """
    context, codec = stream.codec_context, codec_of(stream)
    extradata = bytes(context.extradata or b"")
    if codec == "aac" and not extradata:
        return _of_adts(bytes(packet)[:_ADTS_HEADER]), False
    if codec == "aac":
        return adts_form(extradata), True
    if codec in _SILENT:
        return f"{context.sample_rate} {context.layout.nb_channels}".encode(), True
    return (extradata if codec in _WITH_SETS else b""), True


def adts_form(configuration: bytes) -> bytes:
    """The third and fourth byte of the ADTS header for an AudioSpecificConfig.

    Explicitly signalled SBR is left out: decoders find it by themselves. What ADTS has no word for
    comes back as it is. (ISO/IEC 14496-3, 1.6.2.1 and 1.A.2.2.)
    """
    bits = int.from_bytes(configuration[:4].ljust(4, b"\0"), "big")
    kind, rate, channels = bits >> 27, bits >> 23 & 15, bits >> 19 & 15
    if kind in _EXPLICIT_SBR:
        kind = bits >> 10 & 31
    if kind not in _IN_ADTS or rate > 12 or not 1 <= channels <= 7:
        return configuration
    return bytes([(kind - 1) << 6 | rate << 2 | channels >> 2, (channels & 3) << 6])


def _of_adts(header: bytes) -> bytes | None:
    if len(header) < _ADTS_HEADER or header[0] != 0xFF or header[1] & 0xF6 != 0xF0:
        return None
    third = header[2] & (_PROFILE_AND_RATE | _CHANNELS_HIGH)
    return bytes([third, header[3] & _CHANNELS_LOW])


def check(codec: str, forms: list[bytes], container: str) -> str | None:
    """A warning, if a track of these forms may not play as it did.

    Raises RemuxFailed if `container` cannot hold them in one track.
    """
    if len(set(forms)) < 2 or codec in _WITH_SETS:
        return None
    if codec != "aac":
        return f"The {codec} stream changes its form on the way: parts of it may not play"
    if container == "mkv":
        raise RemuxFailed(
            "The sound changes its sampling rate or channels on the way:"
            " an MP4 file can hold that, MKV cannot"
        )
    if any(len(form) != 2 for form in forms):
        raise RemuxFailed("The sound changes to a form of AAC that cannot be described anew")
    return None


def is_hvc1(stream: Any, container: str) -> bool:
    """Whether it is written under that name, which Apple's players want for H.265 in MP4."""
    return codec_of(stream) == "hevc" and container != "mkv"


def may_change_unseen(template: Any, container: str) -> bool:
    """Whether other parameter sets on the way would be lost, wherever they come.

    An `hvc1` track has none among its pictures: FFmpeg takes them out when it writes one.
    """
    return is_hvc1(template, container) and not _to_annex_b(template)


def announce(template: Any, stream: Any) -> None:
    """Have the header of `stream` tell the first form in the way in which `Changed` writes."""
    if filters := _to_annex_b(template):
        BitStreamFilterContext(filters, template, stream)


class Changed:
    """One part of a track whose form changes: its packets, with the form added to them."""

    def __init__(self, stream: Any, form: bytes, container: str) -> None:
        """`form` is the part's."""
        self._wrapped = b""
        codec, filters = codec_of(stream), ""
        if codec == "aac":
            filters = "aac_adtstoasc"
            if stream.codec_context.extradata:
                self._wrapped = form
        elif codec in _WITH_SETS:
            told = "extract_extradata" if container != "mkv" else ""
            filters = ",".join(filter(None, [_to_annex_b(stream), told]))
        self._stream, self._filters = stream, filters
        self._filter: BitStreamFilterContext | None = None

    def write(self, packet: Packet[Any]) -> Packet[Any] | None:
        """The packet as it goes into the file; None if it, or the track's header, is damaged."""
        if not self._filters:
            return packet
        if self._wrapped:
            packet, self._wrapped = _wrapped(packet, self._wrapped), b""
        try:
            if self._filter is None:
                self._filter = BitStreamFilterContext(self._filters, self._stream)
            return next(iter(self._filter.filter(packet)), None)
        except av.FFmpegError:
            return None


def _to_annex_b(stream: Any) -> str:
    """The filter from lengths to start codes, where there are lengths: "" otherwise."""
    codec, extradata = codec_of(stream), bytes(stream.codec_context.extradata or b"")
    with_lengths = codec in _WITH_SETS and extradata[:1] == b"\x01"
    return f"{codec}_mp4toannexb" if with_lengths else ""


def _wrapped(packet: Packet[Any], form: bytes) -> Packet[Any]:
    """The packet behind an ADTS header: the filter makes new extradata of that."""
    size = packet.size + _ADTS_HEADER
    length = bytes([form[1] | size >> 11, size >> 3 & 0xFF, (size & 7) << 5 | 0x1F, 0xFC])
    made: Packet[Any] = Packet(_ADTS_SYNC + form[:1] + length + bytes(packet))
    made.dts, made.pts, made.duration = packet.dts, packet.pts, packet.duration
    made.is_keyframe = packet.is_keyframe
    return made
