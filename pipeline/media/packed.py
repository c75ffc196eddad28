"""What time it is in packed audio: only ID3 tags say it, one before each segment.

RFC 8216 section 3.4. FFmpeg's demuxers count such a file from zero, and skip the tags. Not covered:
audio in MPEG-TS or MP4, which carries its times itself.
"""

import mmap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.media.timestamps import CLOCK, ID3_OWNER, WRAP, around_zero

#: FFmpeg's demuxers of packed audio.
FORMATS = ("aac", "mp3", "ac3", "eac3")

#: Seconds by which a tag may be off before it is believed that something is missing. A frame is
#: 0.02 to 0.03 seconds, and some packagers count in whole ones.
_EXACT = 0.1


#: Bytes of other frames that may stand in a tag before the one with the time.
_FRAMES_BEFORE = 4096


@dataclass(frozen=True)
class Tag:
    """Where it stands in the file (bytes), and the time of the first sample behind it (ticks)."""

    offset: int
    ticks: int


def tags(path: Path) -> tuple[Tag, ...]:
    """All tags with a time in the file."""
    found = []
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        at = data.find(ID3_OWNER)
        while at >= 0:
            end = at + len(ID3_OWNER)
            begin = data.rfind(b"ID3", max(0, at - _FRAMES_BEFORE), at)
            ticks = int.from_bytes(data[end : end + 8], "big") % WRAP
            found.append(Tag(at if begin < 0 else begin, ticks))
            at = data.find(ID3_OWNER, end)
    return tuple(found)


class TaggedTime:
    """The time in one part of a file, of which a demuxer knows how far it is from the beginning."""

    def __init__(self, found: Sequence[Tag]) -> None:
        """`found`: the part's tags. Without any, it counts from zero."""
        self._tags = list(reversed(found))
        self._shift: float | None = None

    def shift(self, offset: int, seconds: float) -> float:
        """What to add to the time of a packet: in the file at `offset`, for its demuxer `seconds`.

        It changes where a tag is ahead of what was counted: there is a gap. A tag that is behind
        is not believed, for what is heard cannot be heard at the same time as something else.
        """
        while self._tags and self._tags[-1].offset <= offset:
            tagged = self._tags.pop().ticks / CLOCK
            if self._shift is None:
                self._shift = tagged - seconds
                continue
            ahead = around_zero(tagged - (seconds + self._shift))
            if ahead > _EXACT:
                self._shift += ahead
        return self._shift or 0.0
