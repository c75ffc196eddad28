"""What each event is in words, for the plain display and above the bar. 1 MB = 2^20 bytes.

A new event needs a function here that is registered for it; one without words is not shown.
Server text in events has been escaped by the engine, and is escaped once more where it is
printed.
"""

from functools import singledispatch
from typing import TYPE_CHECKING

from pipeline.events import (
    AlreadyThere,
    Event,
    LengthsUnverified,
    MergeStarted,
    OutputPublished,
    Progress,
    RemuxProgress,
    Resumed,
    Retried,
    SegmentMissed,
    SegmentsPicked,
    SegmentsStored,
    SwitchedToDisk,
    TempDirectoryCreated,
    TempFilesRemoved,
    TransferStarted,
    UrlsRenewed,
    VariantChosen,
    Warned,
)
from pipeline.units import KIB, MIB, format_mb, printable

if TYPE_CHECKING:
    from pipeline.jobs.receipt import Receipt

#: Shown with `-v` only.
_DETAILS = (TransferStarted, LengthsUnverified)

#: What is one among many, and whose retries are details: progress goes on without it. That a
#: playlist or a key is tried again is all that there is to be seen, for minutes if need be.
_ONE_OF_MANY = ("Segment", "The initialization section")


def words(event: Event, *, verbose: bool = False) -> str | None:
    """The line for `event`, or None when it has none."""
    return _say(event) if verbose or not _is_detail(event) else None


def _is_detail(event: Event) -> bool:
    if isinstance(event, Retried):
        return event.what.startswith(_ONE_OF_MANY)
    return isinstance(event, _DETAILS)


@singledispatch
def _say(_event: Event) -> str | None:
    return None


@_say.register
def _variant(event: VariantChosen) -> str:
    facts = [event.resolution, event.codecs]
    if event.bandwidth is not None:
        facts.insert(1, f"{event.bandwidth / 1e6:.1f} Mbit/s")
    shown = ", ".join(fact for fact in facts if fact) or event.url
    which = f"one of {event.variants} variants" if event.variants > 1 else "the only variant"
    return f"Taking {which}: {shown}"


@_say.register
def _picked(event: SegmentsPicked) -> str:
    reasons = [f"{event.outside} outside the section"] if event.outside else []
    reasons += [f"{event.excluded} excluded"] if event.excluded else []
    left_out = f": {', '.join(reasons)}" if reasons else ""
    return f"Taking {event.segments} of {count(event.of, 'segment')}{left_out}"


@_say.register
def _resumed(event: Resumed) -> str:
    found = f"{count(event.segments, 'segment')} ({format_mb(event.bytes)})"
    return f"Going on with {printable(event.output)}: {found} are there"


@_say.register
def _there(event: AlreadyThere) -> str:
    return f"{printable(event.output)} is there already: nothing is fetched"


@_say.register
def _transfer(event: TransferStarted) -> str:
    return (
        f"Fetching {count(event.segments, 'segment')} ({clock(event.duration)}) into"
        f" {event.output} with {count(event.processes, 'process')} and"
        f" {count(event.connections, 'connection')}"
    )


@_say.register
def _progress(event: Progress) -> str:
    done, total = event.segments_done, event.segments
    stored = format_mb(event.stored_bytes)
    return f"Downloading segments: {done}/{total} ({percent(done, total)}%) [{stored}]"


@_say.register
def _switched(event: SwitchedToDisk) -> str | None:
    if event.starved:
        return "⚠ The system has no memory left, switching to disk storage"
    if not event.threshold_bytes:  # disk from the first byte is what the user asked for
        return None
    size = short_size(event.threshold_bytes)
    return f"⚠ Download size exceeded {size}, switching to disk storage"


@_say.register
def _created(event: TempDirectoryCreated) -> str:
    reason = f" ({event.reason})" if event.reason else ""
    return f"Creating temp directory: {event.path}{reason}"


@_say.register
def _stored(event: SegmentsStored) -> str:
    if event.temp_dir is None:
        return f"✓ Segments stored in memory ({format_mb(event.stored_bytes)})"
    return f"✓ Segments stored in temporary directory: {event.temp_dir}"


@_say.register
def _unverified(event: LengthsUnverified) -> str:
    which = count(event.segments, "segment")
    return f"⚠ The server announced no length for {which}: whole as far as can be told"


@_say.register
def _merging(event: MergeStarted) -> str:
    return f"Merging {event.segments} segments into {event.output}..."


@_say.register
def _removed(_event: TempFilesRemoved) -> str:
    return "✓ Temporary files cleaned up"


@_say.register
def _missed(event: SegmentMissed) -> str:
    return f"⚠ Segment {event.segment_index} is missing, going on: {event.reason} ({event.url})"


@_say.register
def _warned(event: Warned) -> str:
    return f"⚠ {event.message}"


@_say.register
def _retried(event: Retried) -> str:
    what = event.what[:1].lower() + event.what[1:]
    return f"Retrying {what} in {event.delay:.1f} s: {event.reason}"


@_say.register
def _renewed(event: UrlsRenewed) -> str:
    return (
        f"URLs have expired ({event.reason}): {count(event.items, 'fresh one')} from the playlist"
    )


@_say.register
def _remuxed(event: RemuxProgress) -> str:
    return f"Writing {event.output}: {percent(event.done_bytes, event.total_bytes)}%"


def published(event: OutputPublished) -> str:
    """The line for an output that no other line is about: subtitles, say."""
    return f"✓ {event.output}: {short_size(event.bytes)}"


def summary(receipt: "Receipt") -> str:
    """What `-v` says of a download that is complete."""
    peak = receipt.memory.peak_pss_bytes
    memory = f", {format_mb(peak)} of memory at most" if peak is not None else ""
    return (
        f"{format_mb(receipt.bytes)} in {clock(receipt.elapsed_seconds)}:"
        f" {count(receipt.requests, 'request')}, {count(receipt.retries, 'retry')}{memory}"
    )


def percent(done: int, total: int) -> float:
    """How much of `total` is done, with one decimal; 100 when all of it is, and not before."""
    if done >= total:
        return 100.0
    return min(round(done * 100 / total, 1), 99.9)


def short_size(size: int) -> str:
    """`size` bytes as an option is written: "50MB", "1.5MB", "512KB"."""
    for unit, name in ((MIB, "MB"), (KIB, "KB")):
        if size >= unit:
            return f"{size / unit:.2f}".rstrip("0").rstrip(".") + name
    return f"{size} bytes"


def clock(seconds: float) -> str:
    """`seconds` as "0:42", "12:05" or "1:02:03"."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def count(number: int, noun: str) -> str:
    """`number` and `noun`, in the plural where it is due."""
    plural = {"process": "processes", "retry": "retries", "fresh one": "fresh ones"}.get(
        noun, f"{noun}s"
    )
    return f"{number} {noun if number == 1 else plural}"
