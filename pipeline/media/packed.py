"""What time it is in packed audio: only ID3 tags say it, one before each segment.

RFC 8216 section 3.4. FFmpeg's demuxers count such a file from zero, and skip the tags. Not covered:
audio in MPEG-TS or MP4, which carries its times itself.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.media.timestamps import CLOCK, ID3_OWNER, WRAP, around_zero

#: FFmpeg's demuxers of packed audio.
FORMATS = ("aac", "mp3", "ac3", "eac3")

#: Seconds by which a tag may be off before it is believed that something is missing. A frame is
#: 0.02 to 0.03 seconds, and some packagers count in whole ones.
_EXACT = 0.1

#: Seconds of a segment, at the most: between two tags that follow each other.
_LONGEST = 120.0

#: Bytes of other frames that may stand in a tag before the one with the time.
_FRAMES_BEFORE = 4096

_TIMED = len(ID3_OWNER) + 8
_PIECE = 1 << 20
_OVERLAP = _FRAMES_BEFORE + _TIMED


@dataclass(frozen=True)
class Tag:
    """Where it stands in the file (bytes), and the time of the first sample behind it (ticks)."""

    offset: int
    ticks: int


def tags(path: Path) -> tuple[Tag, ...]:
    """All tags with a time in the file."""
    found: list[Tag] = []
    data, place = bytearray(), 0  # what is looked at, and where it begins in the file
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            data += piece
            done = 0
            for begin, end in _times_in(data):
                ticks = int.from_bytes(data[end - 8 : end], "big") % WRAP
                found.append(Tag(place + begin, ticks))
                done = end
            done = max(done, len(data) - _OVERLAP)
            del data[:done]
            place += done
    return tuple(found)


def _times_in(data: bytearray) -> Iterator[tuple[int, int]]:
    """Where each tag with a time begins, and where the time ends."""
    at = data.find(ID3_OWNER)
    while at >= 0 and at + _TIMED <= len(data):
        end = at + _TIMED
        begin = data.rfind(b"ID3", max(0, at - _FRAMES_BEFORE), at)
        yield (at if begin < 0 else begin), end
        at = data.find(ID3_OWNER, end)


class TaggedTime:
    """The time in one part of a file, of which a demuxer knows how far it is from the beginning."""

    def __init__(self, found: Sequence[Tag]) -> None:
        """`found`: the part's tags. Without one at its beginning, it counts from zero."""
        self._tags = list(reversed(found))
        self._shift = 0.0
        self._base: float | None = None  # what tags say, compared with what is counted
        self._begun = False
        self.is_told = False  # the part's first packet has a tag before it

    def shift(self, offset: int, seconds: float) -> float:
        """What to add to the time of a packet: in the file at `offset`, for its demuxer `seconds`.

        It changes where a tag is ahead of what was counted: there is a gap. A tag that is behind
        is not believed, for what is heard cannot be heard at the same time as something else.
        """
        while self._tags and self._tags[-1].offset <= offset:
            self._take(self._tags.pop(), seconds)
        self._begun = True
        return self._shift

    def _take(self, tag: Tag, seconds: float) -> None:
        tagged = tag.ticks / CLOCK
        if self._base is None:
            self._base = tagged - seconds
            if not self._begun:
                self._shift, self._base, self.is_told = self._base, 0.0, True
            return
        ahead = around_zero(tagged - self._base - seconds - self._shift)
        if ahead > _EXACT and self._agrees(tag, ahead):
            self._shift += ahead

    def _agrees(self, tag: Tag, ahead: float) -> bool:
        """Whether the next tag bears out that so much is missing before this one."""
        if not self._tags:
            return ahead <= _LONGEST
        return 0 <= around_zero((self._tags[-1].ticks - tag.ticks) / CLOCK) <= _LONGEST
