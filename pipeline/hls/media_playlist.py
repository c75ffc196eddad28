"""Media playlists: what the whole list says of itself, around its segments.

RFC 8216 section 4.3.3; the tags of segments are read by `segments`.
"""

from collections.abc import Mapping

from pipeline.hls.attributes import lenient_float, lenient_integer
from pipeline.hls.date_ranges import DateRanges
from pipeline.hls.dates import count_back
from pipeline.hls.model import MediaPlaylist
from pipeline.hls.scan import Handler, scan
from pipeline.hls.segments import SegmentScanner
from pipeline.hls.urls import Base
from pipeline.hls.variables import Variables


def parse_media_playlist(text: str, url: str, base: Base, variables: Variables) -> MediaPlaylist:
    """The media playlist in `text`, whose relative URIs are seen from `base`."""
    scanner = _Scanner(SegmentScanner(base, variables), variables)
    scan(text, scanner.handlers(), scanner.segments.uri)
    return scanner.finish(url)


class _Scanner:
    """The state of one pass."""

    def __init__(self, segments: SegmentScanner, variables: Variables) -> None:
        self.segments = segments
        self._variables = variables
        self._version: int | None = None
        self._playlist_type: str | None = None
        self._end_list = False
        self._i_frames_only = False
        self._start_time_offset: float | None = None
        self._date_ranges = DateRanges()

    def handlers(self) -> Mapping[str, Handler]:
        """The handler of each tag, those of segments among them."""
        return {
            **self.segments.handlers(),
            "#EXT-X-DEFINE": self._variables.define,
            "#EXT-X-VERSION": self._set_version,
            "#EXT-X-TARGETDURATION": self._set_target_duration,
            "#EXT-X-MEDIA-SEQUENCE": self._set_media_sequence,
            "#EXT-X-DISCONTINUITY-SEQUENCE": self._set_discontinuity_sequence,
            "#EXT-X-PLAYLIST-TYPE": self._set_playlist_type,
            "#EXT-X-ENDLIST": self._set_end_list,
            "#EXT-X-I-FRAMES-ONLY": self._set_i_frames_only,
            "#EXT-X-START": self._start,
            "#EXT-X-DATERANGE": self._date_range,
        }

    def _set_version(self, value: str) -> None:
        self._version = lenient_integer(value)

    def _set_target_duration(self, value: str) -> None:
        seconds = lenient_float(value)
        self.segments.target_duration = None if seconds is None or seconds < 0 else seconds

    def _set_media_sequence(self, value: str) -> None:
        self.segments.media_sequence_number = lenient_integer(value) or 0

    def _set_discontinuity_sequence(self, value: str) -> None:
        self.segments.discontinuity_sequence_number = lenient_integer(value) or 0

    def _set_playlist_type(self, value: str) -> None:
        self._playlist_type = value.strip().upper() or None

    def _set_end_list(self, _value: str) -> None:
        self._end_list = True

    def _set_i_frames_only(self, _value: str) -> None:
        self._i_frames_only = True

    def _start(self, value: str) -> None:
        offset = self._variables.attributes(value).get("TIME-OFFSET")
        self._start_time_offset = lenient_float(offset)

    def _date_range(self, value: str) -> None:
        self._date_ranges.add(self._variables.attributes(value))

    def finish(self, url: str) -> MediaPlaylist:
        """The playlist that was read."""
        segments = self.segments
        return MediaPlaylist(
            url=url,
            segments=count_back(segments.segments),
            version=self._version,
            target_duration=segments.target_duration,
            media_sequence_number=segments.media_sequence_number,
            discontinuity_sequence_number=segments.discontinuity_sequence_number,
            playlist_type=self._playlist_type,
            end_list=self._end_list,
            i_frames_only=self._i_frames_only,
            start_time_offset=self._start_time_offset,
            skipped_segments=segments.skipped,
            stray_lines=segments.stray_lines,
            date_ranges=self._date_ranges.finish(),
        )
