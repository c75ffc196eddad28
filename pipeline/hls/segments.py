"""The tags that describe segments, and the URI lines that end each description.

RFC 8216 section 4.3.2. Ignored are, besides unknown tags, the partial segments of low-latency
playlists: the whole segments follow.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pipeline.hls.attributes import lenient_integer
from pipeline.hls.byteranges import ByteRanges, parse_byte_range
from pipeline.hls.dates import parse_date, shifted
from pipeline.hls.durations import parse_extinf
from pipeline.hls.keys import KeyState, parse_key
from pipeline.hls.limits import MAX_SEGMENTS
from pipeline.hls.model import ByteRange, InitializationSection, MediaSegment
from pipeline.hls.scan import Handler
from pipeline.hls.urls import Base
from pipeline.hls.variables import Variables


@dataclass(slots=True)
class _Pending:
    """What the tags since the last URI say about the next segment alone."""

    duration: float | None = None
    title: str | None = None
    byte_range: str | None = None
    date: datetime | None = None
    discontinuity: bool = False
    gap: bool = False


_NOTHING = _Pending()


class SegmentScanner:
    """Collects segments. Owned by the scanner of the playlist, which sets the public numbers."""

    def __init__(self, base: Base, variables: Variables) -> None:
        self.segments: list[MediaSegment] = []
        self.stray_lines = 0
        self.skipped = 0
        self.target_duration: float | None = None
        self.media_sequence_number = 0
        self.discontinuity_sequence_number = 0
        self._base = base
        self._variables = variables
        self._pending = _Pending()
        self._keys = KeyState()
        self._ranges = ByteRanges()
        self._section: InitializationSection | None = None
        self._date: datetime | None = None
        self._discontinuities = 0

    def handlers(self) -> Mapping[str, Handler]:
        """The handler of each tag."""
        return {
            "#EXTINF": self._extinf,
            "#EXT-X-BYTERANGE": self._byte_range,
            "#EXT-X-DISCONTINUITY": self._discontinuity,
            "#EXT-X-KEY": self._key,
            "#EXT-X-MAP": self._map,
            "#EXT-X-PROGRAM-DATE-TIME": self._program_date_time,
            "#EXT-X-GAP": self._gap,
            "#EXT-X-SKIP": self._skip,
        }

    def _extinf(self, value: str) -> None:
        seconds, self._pending.title = parse_extinf(value)
        self._pending.duration = (self.target_duration or 0.0) if seconds is None else seconds

    def _byte_range(self, value: str) -> None:
        self._pending.byte_range = value

    def _discontinuity(self, _value: str) -> None:
        """Section 4.3.3.3: each tag counts, also where two stand before one segment."""
        self._discontinuities += 1
        self._pending.discontinuity = True

    def _gap(self, _value: str) -> None:
        self._pending.gap = True

    def _program_date_time(self, value: str) -> None:
        self._pending.date = parse_date(value) or self._pending.date

    def _key(self, value: str) -> None:
        self._keys.apply(parse_key(self._variables.attributes(value), self._base))

    def _map(self, value: str) -> None:
        attributes = self._variables.attributes(value)
        uri = attributes.get("URI")
        if not uri:
            raise ValueError("no URI")
        written = attributes.get("BYTERANGE")
        self._section = InitializationSection(
            uri=uri,
            url=self._base.resolve(uri),
            byte_range=_section_range(written) if written else None,
            keys=self._keys.keys,
        )

    def _skip(self, value: str) -> None:
        """A delta update; of one segment at least, even if it does not say how many it leaves out.

        rfc8216bis section 4.4.5.2: what is left out still counts in the media sequence.
        """
        skipped = self._variables.attributes(value).get("SKIPPED-SEGMENTS")
        self.skipped += max(lenient_integer(skipped) or 1, 1)

    def uri(self, line: str) -> None:
        """A URI line: the segment that the tags before it describe."""
        pending, self._pending = self._pending, _Pending()
        if pending == _NOTHING:
            self.stray_lines += 1
            return
        if len(self.segments) >= MAX_SEGMENTS:
            raise ValueError(f"more than {MAX_SEGMENTS} segments")
        self.segments.append(self._segment(self._variables.substitute(line), pending))

    def _segment(self, uri: str, pending: _Pending) -> MediaSegment:
        url = self._base.resolve(uri)
        duration = pending.duration or 0.0
        date = pending.date or self._date
        self._date = shifted(date, max(duration, 0.0))
        return MediaSegment(
            uri=uri,
            url=url,
            duration=duration,
            title=pending.title,
            media_sequence_number=self.media_sequence_number + self.skipped + len(self.segments),
            discontinuity_sequence_number=self.discontinuity_sequence_number
            + self._discontinuities,
            discontinuity=pending.discontinuity,
            gap=pending.gap,
            byte_range=self._resolved_range(pending.byte_range, url),
            keys=self._keys.keys,
            initialization_section=self._section,
            program_date_time=date,
        )

    def _resolved_range(self, written: str | None, url: str) -> ByteRange | None:
        if written is None:
            self._ranges.whole()
            return None
        return self._ranges.resolve(written, url)


def _section_range(text: str) -> ByteRange:
    """BYTERANGE of an EXT-X-MAP, where an offset left out is 0 (section 4.3.2.5)."""
    length, offset = parse_byte_range(text)
    return ByteRange(length, offset or 0)
