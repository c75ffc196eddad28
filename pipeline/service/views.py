"""A job as clients see it: without what is secret in its URL and its options."""

from typing import Any

from pipeline.events import Progress
from pipeline.service.downloadroot import DownloadRoot
from pipeline.service.joboptions import SECRET_OPTIONS
from pipeline.service.record import Job
from pipeline.units import public_url

_HIDDEN = "…"


def job_view(job: Job, root: DownloadRoot, progress: Progress | None = None) -> dict[str, Any]:
    """What JSON says of a job. Times are seconds since 1970, sizes bytes; absent is None."""
    return {
        "id": job.id,
        "client_id": job.client_id,
        "url": public_url(job.url),
        "output": root.shown(job.output),
        "state": job.state,
        "wish": job.wish,
        "priority": job.priority,
        "attempts": job.attempts,
        "created": job.created,
        "started": job.started,
        "ended": job.ended,
        "not_before": job.not_before or None,
        "options": {name: _shown(name, value) for name, value in job.options.items()},
        "error": job.error,
        "exit_code": job.exit_code,
        "receipt": job.receipt,
        "progress": progress_view(progress),
    }


def progress_view(progress: Progress | None) -> dict[str, Any] | None:
    """How far a job is that is running."""
    if progress is None:
        return None
    return {
        "segments_done": progress.segments_done,
        "segments": progress.segments,
        "bytes": progress.stored_bytes,
        "elapsed_seconds": round(progress.elapsed, 1),
    }


def _shown(name: str, value: object) -> object:
    if name not in SECRET_OPTIONS:
        return value
    # The names of headers help in finding a mistake; their values are nobody's business.
    return dict.fromkeys(value, _HIDDEN) if isinstance(value, dict) else _HIDDEN
