"""Multivariant playlists: variant streams and renditions (RFC 8216 section 4.3.4)."""

from collections.abc import Mapping

from pipeline.errors import PlaylistError
from pipeline.hls.attributes import (
    Attributes,
    flag,
    lenient_float,
    lenient_integer,
    lenient_resolution,
)
from pipeline.hls.keys import parse_key
from pipeline.hls.limits import MAX_VARIANTS
from pipeline.hls.model import Key, MultivariantPlaylist, Rendition, VariantStream
from pipeline.hls.scan import Handler, scan
from pipeline.hls.urls import Base
from pipeline.hls.variables import Variables


def parse_multivariant_playlist(
    text: str, url: str, base: Base, variables: Variables
) -> MultivariantPlaylist:
    """The multivariant playlist in `text`, whose relative URIs are seen from `base`."""
    scanner = _Scanner(base, variables)
    scan(text, scanner.handlers(), scanner.uri)
    return scanner.finish(url)


class _Scanner:
    """The state of one pass."""

    def __init__(self, base: Base, variables: Variables) -> None:
        self._base = base
        self._variables = variables
        self._pending: Attributes | None = None
        self._variants: list[VariantStream] = []
        self._i_frame_variants: list[VariantStream] = []
        self._renditions: list[Rendition] = []
        self._session_keys: list[Key] = []
        self._version: int | None = None
        self._start_time_offset: float | None = None

    def handlers(self) -> Mapping[str, Handler]:
        """The handler of each tag."""
        return {
            "#EXT-X-STREAM-INF": self._stream_inf,
            "#EXT-X-I-FRAME-STREAM-INF": self._i_frame_stream_inf,
            "#EXT-X-MEDIA": self._media,
            "#EXT-X-SESSION-KEY": self._session_key,
            "#EXT-X-DEFINE": self._variables.define,
            "#EXT-X-VERSION": self._set_version,
            "#EXT-X-START": self._start,
        }

    def _stream_inf(self, value: str) -> None:
        self._pending = self._variables.attributes(value)

    def uri(self, line: str) -> None:
        """A URI line: the variant stream of the EXT-X-STREAM-INF before it."""
        pending, self._pending = self._pending, None
        if pending is None:
            return
        _bounded(self._variants, "variants")
        self._variants.append(self._variant(self._variables.substitute(line), pending))

    def _i_frame_stream_inf(self, value: str) -> None:
        attributes = self._variables.attributes(value)
        if not attributes.get("URI"):
            return
        _bounded(self._i_frame_variants, "I-frame variants")
        self._i_frame_variants.append(self._variant(attributes["URI"], attributes))

    def _variant(self, uri: str, attributes: Attributes) -> VariantStream:
        return VariantStream(
            uri=uri,
            url=self._base.resolve(uri),
            bandwidth=lenient_integer(attributes.get("BANDWIDTH")),
            average_bandwidth=lenient_integer(attributes.get("AVERAGE-BANDWIDTH")),
            codecs=attributes.get("CODECS"),
            resolution=lenient_resolution(attributes.get("RESOLUTION")),
            frame_rate=lenient_float(attributes.get("FRAME-RATE")),
            audio=attributes.get("AUDIO"),
            video=attributes.get("VIDEO"),
            subtitles=attributes.get("SUBTITLES"),
            closed_captions=attributes.get("CLOSED-CAPTIONS"),
            name=attributes.get("NAME"),
        )

    def _media(self, value: str) -> None:
        attributes = self._variables.attributes(value)
        uri = attributes.get("URI") or None
        _bounded(self._renditions, "renditions")
        self._renditions.append(
            Rendition(
                type=attributes.get("TYPE", ""),
                group_id=attributes.get("GROUP-ID"),
                name=attributes.get("NAME"),
                language=attributes.get("LANGUAGE"),
                uri=uri,
                url=self._base.resolve(uri) if uri else None,
                default=flag(attributes.get("DEFAULT")),
                autoselect=flag(attributes.get("AUTOSELECT")),
                forced=flag(attributes.get("FORCED")),
                instream_id=attributes.get("INSTREAM-ID"),
                channels=attributes.get("CHANNELS"),
            )
        )

    def _session_key(self, value: str) -> None:
        key = parse_key(self._variables.attributes(value), self._base)
        if key is not None:
            _bounded(self._session_keys, "session keys")
            self._session_keys.append(key)

    def _set_version(self, value: str) -> None:
        self._version = lenient_integer(value)

    def _start(self, value: str) -> None:
        self._start_time_offset = lenient_float(
            self._variables.attributes(value).get("TIME-OFFSET")
        )

    def finish(self, url: str) -> MultivariantPlaylist:
        """The playlist that was read."""
        if self._pending is not None and not self._variants:
            raise PlaylistError(
                "The playlist ends behind its only EXT-X-STREAM-INF, before the URI"
            )
        return MultivariantPlaylist(
            url=url,
            variants=tuple(self._variants),
            i_frame_variants=tuple(self._i_frame_variants),
            renditions=tuple(self._renditions),
            session_keys=tuple(self._session_keys),
            version=self._version,
            start_time_offset=self._start_time_offset,
            variables=dict(self._variables.values),
        )


def _bounded(found: list[VariantStream] | list[Rendition] | list[Key], what: str) -> None:
    if len(found) >= MAX_VARIANTS:
        raise ValueError(f"more than {MAX_VARIANTS} {what}")
