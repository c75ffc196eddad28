"""The receipt: what a download asked for, what it got and what it cost.

One frozen value with the JSON form that scripts rely on. Sizes are bytes, times are seconds.
"""

from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any


class Status(StrEnum):
    """How a download ended."""

    COMPLETE = "complete"
    INCOMPLETE = "incomplete"  # whole but for gaps that the user allowed
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class SegmentCounts:
    """Media segments: initialization sections are not counted."""

    expected: int = 0
    stored: int = 0
    #: 0-based places in the media playlist of the segments that could not be had.
    missing: tuple[int, ...] = ()
    #: How many came without a length from the server: they look whole, and that is all.
    unverified_lengths: int = 0


@dataclass(frozen=True, slots=True)
class RenditionFacts:
    """A rendition that was written beside the output."""

    type: str  # "AUDIO" or "SUBTITLES"
    language: str | None
    name: str | None
    output: str
    bytes: int


@dataclass(frozen=True, slots=True)
class StorageFacts:
    """Where the bytes rested on their way."""

    mode: str = "memory"  # "memory" or "disk"
    threshold_bytes: int | None = None
    switched_at_bytes: int | None = None
    spilled_bytes: int = 0
    peak_temp_bytes: int = 0
    temp_dir: str | None = None


@dataclass(frozen=True, slots=True)
class MemoryFacts:
    """Proportional set size of the whole process tree; None where it cannot be measured."""

    peak_pss_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What `fetch` returns, and what `--json` prints."""

    url: str
    output: str | None = None
    status: Status = Status.FAILED
    exit_code: int = 1
    error: str | None = None
    segments: SegmentCounts = field(default_factory=SegmentCounts)
    bytes: int = 0
    sha256: str | None = None
    #: Bytes of the output that an earlier run had left, and that were not fetched again.
    resumed_bytes: int = 0
    #: Bytes of an unfinished output that are left for a later run (`resume`).
    kept_bytes: int = 0
    #: Segments, as in `missing`, that the playlist itself says are not there (EXT-X-GAP).
    gaps: tuple[int, ...] = ()
    discontinuities: int = 0  # EXT-X-DISCONTINUITY: where timestamps may jump
    renditions: tuple[RenditionFacts, ...] = ()
    #: "mp4", "m4a" or "mkv", and what has written it ("pyav", "ffmpeg"), if it was remuxed.
    container: str | None = None
    remuxed_by: str | None = None
    storage: StorageFacts = field(default_factory=StorageFacts)
    memory: MemoryFacts = field(default_factory=MemoryFacts)
    processes: int = 0
    connections: int = 0  # that were asked for, or that have turned out to pay
    requests: int = 0
    retries: int = 0
    elapsed_seconds: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """The receipt as values that JSON can carry; absent is None."""
        return asdict(self)

    def failed(self, exit_code: int, error: str) -> "Receipt":
        """This receipt, for a download that ended with an error."""
        return replace(self, status=Status.FAILED, exit_code=exit_code, error=error)
