"""WebVTT text to values and back (https://www.w3.org/TR/webvtt1/, RFC 8216 section 3.5).

Reads what players read: CRLF, a byte order mark, times without hours or with a comma, blocks of
unknown kinds. Does not look into a cue's text.
"""

import re
from dataclasses import dataclass

from pipeline.errors import PlaylistError
from pipeline.units import printable

TICKS_PER_MS = 90  # of the 90 kHz clock of MPEG-2 timestamps

_TIME = r"(?:[0-9]{1,9}:)?[0-9]{1,2}:[0-9]{1,2}[.,][0-9]{3}"
_TIMING = re.compile(rf"\s*({_TIME})\s*-->\s*({_TIME})(?:[ \t]+(.*))?\s*")
_MAP = "X-TIMESTAMP-MAP"
_MPEGTS = re.compile(r"MPEGTS:\s*([0-9]{1,20})", re.IGNORECASE)
_LOCAL = re.compile(rf"LOCAL:\s*({_TIME})", re.IGNORECASE)
_SIGNATURE = re.compile(r"WEBVTT(?:[ \t].*)?")
_NO_CUE = re.compile(r"(?:STYLE|REGION)[ \t]*(?:\n|\Z)|NOTE(?:[ \t\n]|\Z)")


@dataclass(frozen=True, slots=True)
class Cue:
    """Text from `start` to `end`, in milliseconds."""

    start: int
    end: int
    identifier: str
    settings: str
    payload: str


@dataclass(frozen=True, slots=True)
class TimestampMap:
    """X-TIMESTAMP-MAP: this cue time (in ms) is this MPEG-2 timestamp."""

    mpegts: int = 0
    local: int = 0

    @property
    def zero(self) -> int:
        """The MPEG-2 timestamp of the cue time 0."""
        return self.mpegts - self.local * TICKS_PER_MS


@dataclass(frozen=True, slots=True)
class WebVtt:
    """A document: header lines, blocks that are no cues, cues."""

    header: tuple[str, ...] = ("WEBVTT",)
    timestamp_map: TimestampMap | None = None
    blocks: tuple[str, ...] = ()
    cues: tuple[Cue, ...] = ()

    def __str__(self) -> str:
        parts = ["\n".join(self.header), *self.blocks, *map(_written, self.cues)]
        return "\n\n".join(parts) + "\n"


def parse_webvtt(content: bytes | str) -> WebVtt:
    """The document in `content`; one without cues when that is blank.

    Raises PlaylistError when the text is something else.
    """
    text = content.decode("utf-8", "replace") if isinstance(content, bytes) else content
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        return WebVtt()
    first, *blocks = re.split(r"\n{2,}", text.replace("\0", "\ufffd").strip("\n"))
    header = first.split("\n")
    if not _SIGNATURE.fullmatch(header[0]):
        raise PlaylistError(f"No WebVTT text begins with {printable(header[0], 60)!r}")
    # Cues may follow the header without a blank line.
    length = next((i for i, line in enumerate(header) if "-->" in line), len(header))
    return WebVtt(
        tuple(line for line in header[:length] if not line.startswith(_MAP)),
        _timestamp_map(header[:length]),
        tuple(block for block in blocks if _NO_CUE.match(block)),
        tuple(
            cue
            for block in ["\n".join(header[length:]), *blocks]
            if not _NO_CUE.match(block) and (cue := _cue(block))
        ),
    )


def clock(milliseconds: int, separator: str = ".") -> str:
    """The time as WebVTT writes it (SubRip: with a comma)."""
    seconds, rest = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{separator}{rest:03}"


def _timestamp_map(header: list[str]) -> TimestampMap | None:
    """The first mapping in the header; its two parts come in either order."""
    for line in header:
        mpegts, local = _MPEGTS.search(line), _LOCAL.search(line)
        if line.startswith(_MAP) and mpegts and local:
            return TimestampMap(int(mpegts[1]), _milliseconds(local[1]))
    return None


def _cue(block: str) -> Cue | None:
    """The cue in a block: an identifier perhaps, then times, then text."""
    lines = block.split("\n")
    identifier = "" if "-->" in lines[0] else lines.pop(0)
    timing = _TIMING.fullmatch(lines[0]) if lines else None
    if timing is None:
        return None
    start, end = _milliseconds(timing[1]), _milliseconds(timing[2])
    settings = " ".join((timing[3] or "").split())
    cue = Cue(start, end, identifier.strip(), settings, "\n".join(lines[1:]))
    return cue if start < end else None


def _milliseconds(text: str) -> int:
    """The time that `_TIME` found. Its seconds have three decimals: without a point they are ms."""
    *hours, minutes, seconds = text.replace(",", ".").split(":")
    whole = int(hours[0] if hours else 0) * 60 + int(minutes)
    return whole * 60_000 + int(seconds.replace(".", ""))


def _written(cue: Cue) -> str:
    times = f"{clock(cue.start)} --> {clock(cue.end)} {cue.settings}".rstrip()
    return "\n".join(part for part in (cue.identifier, times, cue.payload) if part)
