"""`pipeline.fetch`: one URL, one output, one receipt."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import HlspipeError, Interrupted, OutputExistsError, UsageError
from pipeline.events import Event
from pipeline.jobs.containers import container_of, refuse_directory
from pipeline.jobs.job import ANY_ENDING, STDOUT, Job
from pipeline.jobs.sources import PLAYLIST_CAP, STDIN, is_web, local_url, may_be_local, read_here
from pipeline.options import FetchOptions, MergeMode, SelectionOptions
from pipeline.processes.limits import Limits
from pipeline.processes.running import Order, Origin
from pipeline.processes.supervisor import Supervisor
from pipeline.store.part import refuse_busy
from pipeline.units import printable, public_url

if TYPE_CHECKING:
    from pipeline.jobs.receipt import Receipt
    from pipeline.jobs.remuxing import Remuxing

_STDOUT_DESCRIPTOR = 1

#: Other names for standard output: in the storage process they would be its own.
_STDOUT_NAMES = {"/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"}

#: What a path to a directory ends with, and the same in a batch, where endings are still open.
_NAMELESS = {f"{dots}{ending}" for dots in ("", ".", "..") for ending in ("", ANY_ENDING)}


def fetch(
    url: str,
    output: str | os.PathLike[str] | None = None,
    options: FetchOptions | None = None,
    on_event: Callable[[Event], None] | None = None,
) -> "Receipt":
    """Download the HLS stream at `url` into `output` and return the receipt.

    `url` is an http(s) or file: URL, a path, or "-" for a playlist on standard input. `output` is a
    path, "-" for standard output, or None for a name made from the URL in the current directory;
    renditions go beside it. `on_event` is called with each `pipeline.events` value, in this thread.

    While it runs in the main thread, SIGINT, SIGTERM and SIGHUP end it cleanly; handlers that the
    program has set itself are left alone. Raises a subclass of `HlspipeError`, or `Interrupted`;
    both carry the receipt of what was done as `receipt`. Nothing is left behind in either case.
    """
    options = options or FetchOptions()
    container = container_of(_as_text(output), options)
    if container is not None and output is not None:
        return _fetch_remuxed(url, Path(output), container, options, on_event or _nobody)
    job = prepared(url, output, options, on_event or _nobody)
    if found := already_there(job):
        return found
    stream = _STDOUT_DESCRIPTOR if job.output == STDOUT else None
    try:
        with Supervisor(options, on_event, stream) as supervisor:
            return _run(supervisor, job)
    except (HlspipeError, Interrupted) as error:
        _note_kept_bytes(error, job)  # only now nobody writes any more
        raise


def _run(supervisor: Supervisor, job: Job) -> "Receipt":
    flow = supervisor.begin(job_order(job))
    # The playlist is on its way. Over a long line, what follows takes no time while it is.
    job.get_ready()
    from pipeline.jobs.accounting import receipt_of  # noqa: PLC0415

    try:
        supervisor.run(flow)
    except (HlspipeError, Interrupted) as error:
        drafted = receipt_of(job, flow, supervisor)
        error.receipt = drafted.failed(error.exit_code, str(error))
        raise
    supervisor.finish()
    return receipt_of(job, flow, supervisor)


def _note_kept_bytes(error: HlspipeError | Interrupted, job: Job) -> None:
    if error.receipt is not None:
        from pipeline.jobs.accounting import note_kept_bytes  # noqa: PLC0415  (imported by now)

        note_kept_bytes(error, job)


def _fetch_remuxed(
    url: str,
    output: Path,
    container: str,
    options: FetchOptions,
    tell: Callable[[Event], None],
) -> "Receipt":
    # What can be refused is refused for the name that the user has given.
    if found := already_there(prepared(url, output, options, tell)):
        return found
    remuxing = prepared_remuxing(url, output, container, options, tell)
    job = remuxing.job
    try:
        return remuxing.run(job_order(job))
    except (HlspipeError, Interrupted) as error:
        _note_kept_bytes(error, job)
        raise


def prepared_remuxing(
    url: str,
    output: Path,
    container: str,
    options: FetchOptions,
    tell: Callable[[Event], None],
) -> "Remuxing":
    """A download into `output` by way of files beside it. Raises HlspipeError."""
    from pipeline.jobs.remuxing import Remuxing, work_output  # noqa: PLC0415  (few are remuxed)

    refuse_directory(output)
    job = prepared(url, work_output(output), options, tell)
    job.remuxed = True
    return Remuxing(output, container, job, tell)


def prepared(
    url: str,
    output: str | os.PathLike[str] | None,
    options: FetchOptions,
    tell: Callable[[Event], None],
) -> Job:
    """A job for what `fetch` was given. Raises HlspipeError for what can be refused at once."""
    local = may_be_local(url, options.base_url)
    url, text = _resolved(url)
    job = Job(url, _as_text(output), options, tell, text, local)
    _check(job)
    return job


def already_there(job: Job) -> "Receipt | None":
    """The receipt of a job whose output is there, where that is as good as a download."""
    if job.options.accepts_existing and job.output_exists:
        from pipeline.events import AlreadyThere  # noqa: PLC0415  (few are)
        from pipeline.jobs.receipt import Receipt, Status  # noqa: PLC0415

        job.tell(AlreadyThere(str(job.output)))
        return Receipt(public_url(job.url), job.output, Status.COMPLETE, exit_code=0)
    return None


def job_order(job: Job) -> Order:
    """What a supervisor is told of a job; its requests are made on behalf of the user's own URL."""
    options = job.options
    origin = job.url if is_web(job.url) or job.local else options.base_url or job.url
    return Order(
        job.steps(),
        Origin(origin, job.local),
        options.http,
        Limits(options.max_size, options.max_time),
        job.renewal,
    )


def _nobody(event: Event) -> None:
    """Nobody listens."""


def _as_text(output: str | os.PathLike[str] | None) -> str | None:
    if output is None:
        return None
    text = os.fspath(output)
    return STDOUT if text in _STDOUT_NAMES else text


def _resolved(source: str) -> tuple[str, bytes | None]:
    """`source` as an absolute URL, and the playlist itself if it does not come from the web."""
    if source != STDIN and is_web(source):
        return source, None
    url = local_url("stdin.m3u8" if source == STDIN else source)
    return url, read_here(source, PLAYLIST_CAP)


def _check(job: Job) -> None:
    """Refuse what can be refused before any process is started."""
    if job.options.selection != SelectionOptions():
        from pipeline.jobs.wanted import check_selection  # noqa: PLC0415  (most want the usual)

        check_selection(job.options.selection)
    if job.output is not None and job.output.rpartition("/")[2] in _NAMELESS:
        shown = printable(job.output.removesuffix(ANY_ENDING), 200)
        raise UsageError(f'The output "{shown}" is no name of a file')
    if job.options.resume:
        _check_resumable(job)
    if job.options.http.cookies is not None:
        _check_cookies(job.options.http.cookies)
    if job.output not in (None, STDOUT):
        refuse_busy(Path(str(job.output)))
    settled = job.options.force or job.options.accepts_existing
    if not settled and job.output_exists and Path(str(job.output)).is_file():
        raise OutputExistsError(f"{job.output} exists already: --force replaces it")


def _check_resumable(job: Job) -> None:
    if job.output == STDOUT:
        raise UsageError("What went to standard output cannot be taken up (--continue)")
    if job.options.storage.effective_merge is MergeMode.END:
        raise UsageError("--continue keeps what is written while downloading: not --merge end")


def _check_cookies(path: Path) -> None:
    from pipeline.net.cookies import load_cookies  # noqa: PLC0415  (10 ms that few runs need)

    load_cookies(path)
