"""What happens during a run, told to whoever shows it: small frozen values in the past tense.

The supervisor makes them, the library hands them to `on_event`, the command line turns them into
a bar, into plain lines or into JSON Lines. Sizes are bytes, times are seconds. Not covered: the
messages between processes (`processes.messages`).
"""

from typing import NamedTuple


class VariantChosen(NamedTuple):
    """A multivariant playlist was given, and this variant stream is the one fetched."""

    url: str
    bandwidth: int | None
    resolution: str | None
    codecs: str | None
    variants: int


class SegmentsPicked(NamedTuple):
    """Only some segments of the playlist are wanted (`--section`, `--exclude`)."""

    segments: int
    of: int
    outside: int  # not in the section
    excluded: int  # in the section, their URI matches


class TransferStarted(NamedTuple):
    """The plan is made and segments are being fetched."""

    output: str
    segments: int
    duration: float
    processes: int
    connections: int


class Resumed(NamedTuple):
    """Part of the output was there already (`resume`), and has been verified."""

    output: str
    segments: int
    bytes: int


class AlreadyThere(NamedTuple):
    """The output is there, and that is as good as a download: nothing is fetched."""

    output: str


class Progress(NamedTuple):
    """Where the run stands. Sent often: a listener that prints should thin it out."""

    segments_done: int
    segments: int
    stored_bytes: int  # payload bytes that storage has taken, partial segments included
    storage_mode: str  # "memory" or "disk"
    temp_bytes: int  # bytes in segment files now
    elapsed: float


class SwitchedToDisk(NamedTuple):
    """The threshold was reached: from here on segments go to disk, for good."""

    threshold_bytes: int
    stored_bytes: int
    #: It was not reached: the system had no memory left.
    starved: bool = False


class TempDirectoryCreated(NamedTuple):
    """The directory for segment files was made."""

    path: str
    #: Why the first choice was passed over ("/tmp is held in memory"), or None.
    reason: str | None


class SegmentsStored(NamedTuple):
    """Every segment is in: in memory, or (`temp_dir` is set) with the help of that directory."""

    stored_bytes: int
    temp_dir: str | None


class LengthsUnverified(NamedTuple):
    """So many segments came without a length, and look whole (shown with `-v`)."""

    segments: int


class MergeStarted(NamedTuple):
    """The output is being completed and put in place."""

    segments: int
    output: str


class TempFilesRemoved(NamedTuple):
    """The temp directory is gone."""

    path: str


class SegmentMissed(NamedTuple):
    """A segment could not be had, and the run goes on without it (`allow_gaps`)."""

    segment_index: int
    url: str  # public: no query
    reason: str


class Warned(NamedTuple):
    """Something a user should know that does not stop the run: one sentence."""

    message: str


class Retried(NamedTuple):
    """A try failed and another will follow (shown with `-v`)."""

    what: str
    reason: str
    delay: float


class UrlsRenewed(NamedTuple):
    """URLs had expired; the playlist, read again, names fresh ones for what is still to come."""

    items: int  # that have another URL now
    reason: str  # what the server said to the old one


class OutputPublished(NamedTuple):
    """The output is whole and has its name."""

    output: str
    bytes: int


class RemuxProgress(NamedTuple):
    """So many of so many bytes have been put into the output's container. Sent often."""

    output: str
    done_bytes: int
    total_bytes: int
    elapsed: float  # since that began


Event = (
    VariantChosen
    | SegmentsPicked
    | TransferStarted
    | Resumed
    | AlreadyThere
    | Progress
    | SwitchedToDisk
    | TempDirectoryCreated
    | SegmentsStored
    | LengthsUnverified
    | MergeStarted
    | TempFilesRemoved
    | SegmentMissed
    | Warned
    | Retried
    | UrlsRenewed
    | OutputPublished
    | RemuxProgress
)
