"""The receipt of a job: what the story, the processes and the disk say of it in the end."""

from dataclasses import replace
from pathlib import Path

from pipeline.errors import HlspipeError, Interrupted, OutputBusyError
from pipeline.jobs.job import STDOUT, Job
from pipeline.jobs.receipt import (
    MemoryFacts,
    Receipt,
    RenditionFacts,
    SegmentCounts,
    Status,
    StorageFacts,
)
from pipeline.processes.download import Download
from pipeline.processes.flow import Flow
from pipeline.processes.supervisor import Supervisor
from pipeline.store.part import kept_bytes
from pipeline.units import public_url


def _renditions(job: Job) -> tuple[RenditionFacts, ...]:
    """What was written beside the main output."""
    sizes = {}
    for track, done in zip(job.media, job.transferred, strict=False):
        sizes[track.output] = done.size
    sizes |= job.subtitles
    return tuple(
        RenditionFacts(
            track.rendition.type,
            track.rendition.language,
            track.rendition.name,
            track.output,
            sizes[track.output],
        )
        for track in job.tracks
        if track.rendition is not None and track.output in sizes
    )


def receipt_of(job: Job, flow: Flow, supervisor: Supervisor) -> Receipt:
    """The receipt of a job that went well, and a draft of it for one that did not."""
    bulletin, size = supervisor.bulletin, supervisor.crew.size
    account = bulletin.account(flow.context)
    download = next(iter(supervisor.downloads_of(flow)), None)
    missing = _missing(download) if download else ()
    plan = job.tracks[0].plan if job.tracks else None
    return Receipt(
        url=public_url(job.url),
        output=job.output,
        status=Status.INCOMPLETE if missing else Status.COMPLETE,
        exit_code=0,
        segments=SegmentCounts(
            expected=download.segments if download else 0,
            stored=download.segments_stored if download else 0,
            missing=missing,
            unverified_lengths=download.unverified if download else 0,
        ),
        resumed_bytes=download.resumed_bytes if download else 0,
        gaps=plan.gaps if plan else (),
        discontinuities=plan.discontinuities if plan else 0,
        bytes=job.transferred[0].size if job.transferred else 0,
        sha256=job.transferred[0].sha256 if job.transferred else None,
        renditions=_renditions(job),
        storage=StorageFacts(
            mode=bulletin.mode,
            threshold_bytes=bulletin.options.effective_threshold,
            switched_at_bytes=bulletin.switched_at,
            spilled_bytes=bulletin.spilled_bytes,
            peak_temp_bytes=bulletin.peak_temp_bytes,
            temp_dir=str(bulletin.temp_dir) if bulletin.temp_dir else None,
        ),
        memory=MemoryFacts(bulletin.memory.peak),
        processes=size.processes,
        connections=supervisor.tuner.limit,
        requests=account.requests,
        retries=account.retries,
        elapsed_seconds=round(account.elapsed, 3),
    )


def _missing(download: Download) -> tuple[int, ...]:
    """Segments that it does without, and the one that it could not do without."""
    refused = () if download.refused is None else (download.refused,)
    return tuple(sorted({*download.missing, *refused}))


def note_kept_bytes(error: HlspipeError | Interrupted, job: Job) -> None:
    """Have the receipt that `error` carries, if it does, say what is left for a later run."""
    if isinstance(error.receipt, Receipt):
        error.receipt = with_kept_bytes(error.receipt, job, error)


def with_kept_bytes(receipt: Receipt, job: Job, error: BaseException) -> Receipt:
    """The receipt of a job that failed, with what is left of it for a later run.

    To be asked when nobody writes any more; what another run is writing is not ours to speak of.
    """
    if not job.options.resume or job.output in (None, STDOUT) or isinstance(error, OutputBusyError):
        return receipt
    return replace(receipt, kept_bytes=kept_bytes(Path(str(job.output))))
