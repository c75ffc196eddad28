"""A download whose output is remuxed: fetched as it is into hidden files, then put into one.

The sources are fetched by an ordinary job into the output's work directory (`store.workdir`), which
with `resume` outlives a run that was interrupted. Covers the order of things, and what becomes of
the sources when they cannot be put together. Not covered: containers and tools (`containers`), what
is noted of the sources (`fetched`), the process (`processes.remuxing`).
"""

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from pipeline.errors import HlspipeError, Interrupted, OutputExistsError, RemuxFailed, StorageError
from pipeline.events import (
    Event,
    MergeStarted,
    OutputPublished,
    RemuxProgress,
    Resumed,
    TransferStarted,
    Warned,
)
from pipeline.jobs.accounting import receipt_of
from pipeline.jobs.containers import HOW_TO, find_tool
from pipeline.jobs.fetched import Fetched
from pipeline.jobs.job import ANY_ENDING, Job
from pipeline.jobs.receipt import Receipt
from pipeline.media.tracks import RemuxPlan
from pipeline.options import FetchOptions, RemuxTool
from pipeline.processes.remuxing import RemuxChild
from pipeline.processes.running import Order
from pipeline.processes.signals import SignalWatch
from pipeline.processes.supervisor import Supervisor
from pipeline.store.files import rename_synced, storage_error, sync
from pipeline.store.workdir import WorkDirectory, work_path


@dataclass
class Remuxing:
    """One output that is remuxed, and the files on the way to it."""

    output: Path
    container: str
    job: Job
    tell: Callable[[Event], None]
    child: RemuxChild = field(default_factory=RemuxChild)
    _fetched: Fetched | None = None
    _done: bool = False  # what was fetched has become the output, or lies beside it
    _tool: str | None = None
    _begun: float = 0.0
    _held: list[int] = field(default_factory=list)  # bytes on disk of each source, before
    _receipt: Receipt | None = None  # of the download, while its streams are put together

    def __post_init__(self) -> None:
        self.work = WorkDirectory(self.output)
        self.job.tell = self.hear

    def hear(self, event: Event) -> None:
        """Pass on an event of the download. What lies in the work directory is no output yet."""
        match event:
            case OutputPublished():
                return
            case TransferStarted() | MergeStarted() | Resumed():
                event = event._replace(output=str(self.output))
        self.tell(event)

    @property
    def options(self) -> FetchOptions:
        """Those of the download."""
        return self.job.options

    def run(self, order: Order) -> Receipt:
        """Everything. Raises HlspipeError or Interrupted, and leaves nothing behind then."""
        # From the first file to the last: what is begun is also cleaned up.
        with SignalWatch() as signals:
            try:
                known = self.open(ready=True)
                if known is not None:
                    return self._to_the_end(signals, known)
                return self._fetch(order, signals)
            finally:
                self.close()

    # -- step by step ------------------------------------------------------------------------

    def open(self, *, ready: bool = False) -> Receipt | None:
        """Take the output; the receipt of an earlier run that has fetched everything, if any.

        With `ready` the process gets ready while the download runs, which costs memory meanwhile.
        Raises HlspipeError. `close` belongs to it, however it ends.
        """
        # Before there is a file: it removes them all should this process be killed.
        self._start_child(ready=ready)
        noted = self.work.take(self._identity(), resume=self.options.resume)
        if noted is None:
            return None
        self._fetched = Fetched.from_note(noted)
        if self._fetched is None:
            self.work.forget_note()
            return None
        return self._fetched.receipt(self.job.url)

    def _start_child(self, *, ready: bool = False) -> None:
        ready = ready and find_tool(self.options.remux) == "pyav"
        self.child.start(self.output, keep=self.options.resume, ready=ready)

    def begin(self, receipt: Receipt) -> Receipt | None:
        """Everything is fetched: begin to put it together; the final receipt, if that is all.

        Raises HlspipeError with the receipt of the failure.
        """
        if self._fetched is None:
            self._fetched = Fetched.of(self.job, receipt.segments)
            self.work.note(self._fetched.to_note())
        self._receipt = replace(receipt, output=str(self.output), renditions=())
        with self._failing():
            self._tool = find_tool(self.options.remux)
            if self._tool is None and self._is_mp4_already:
                self._publish(self._paths[0])
                return self._finished(None)
            self._held = [_held(path) for path in self._paths]
            if self._tool is None:
                raise RemuxFailed(f"Nothing here makes {self.container} files: {HOW_TO}")
            if not self.child.running:
                self._start_child()
            self._begun = time.monotonic()
            self.child.begin(self._plan(self._fetched), self._tool)
        return None

    def poll(self) -> Receipt | None:
        """The final receipt once the output is published. Raises as `begin` does."""
        with self._failing():
            done = self.child.poll(self._progressed)
            if done is None:
                return None
            for warning in done.warnings:
                self.tell(Warned(warning))
            self._publish(self.work.part)
            return self._finished("pyav" if self._tool == "pyav" else "ffmpeg")

    def close(self) -> None:
        """Leave nothing behind but what is to be kept, and end the process."""
        # In this order: until then it would clean up should this process be killed.
        self.work.close(keep=self.options.resume and not self._done)
        self.child.end()

    @contextmanager
    def _failing(self) -> Iterator[None]:
        """What was fetched is kept if it can be, and the error says so."""
        try:
            yield
        except (HlspipeError, Interrupted) as caught:
            error = caught
            if isinstance(caught, (RemuxFailed, StorageError)):
                self.child.end()
                text = f"{caught.message.rstrip('.')}; {self._kept(caught)}"
                error = type(caught)(text)
            if self._receipt is not None:
                error.receipt = self._receipt.failed(error.exit_code, str(error))
            raise error from caught

    def _identity(self) -> str:
        """What tells this download from another one of the same name."""
        asked, keys = self.options.selection, self.options.keys
        facts = [self.job.url, repr(asked), str(self.options.allow_gaps)]
        facts += [repr((keys.key, keys.key_url, keys.iv))]
        return hashlib.sha256("\n".join(facts).encode()).hexdigest()

    def _fetch(self, order: Order, before: SignalWatch) -> Receipt:
        stays = replace(self.options, checksum=False)
        with Supervisor(stays, self.hear) as supervisor:
            if before.received:  # from here on signals are the supervisor's
                raise Interrupted(before.received[0])
            flow = supervisor.begin(order)
            self.job.get_ready()
            try:
                supervisor.run(flow)
            except (HlspipeError, Interrupted) as error:
                drafted = replace(receipt_of(self.job, flow, supervisor), output=str(self.output))
                error.receipt = drafted.failed(error.exit_code, str(error))
                raise
            receipt = receipt_of(self.job, flow, supervisor)
            supervisor.finish()
            return self._to_the_end(supervisor.signals, receipt)

    def _to_the_end(self, signals: SignalWatch, receipt: Receipt) -> Receipt:
        done = self.begin(receipt)
        while done is None:
            with self._failing():
                if signals.received:
                    raise Interrupted(signals.received[0])
            if (done := self.poll()) is None:
                self.child.wait(signals)
        return done

    # -- the remux ---------------------------------------------------------------------------

    @property
    def _is_mp4_already(self) -> bool:
        """Whether the one source is an MP4 file as it is."""
        return (
            self.options.remux is RemuxTool.AUTO
            and self.container != "mkv"
            and [path.suffix for path in self._paths] == [".mp4"]
        )

    @property
    def _paths(self) -> list[Path]:
        """Where the sources are."""
        return [one.path for one in self._fetched.sources] if self._fetched else []

    def _plan(self, fetched: Fetched) -> RemuxPlan:
        return RemuxPlan(
            fetched.sources,
            self.work.part,
            self.container,
            fetched.chapters,
            may_consume=not self.options.resume,
        )

    def _progressed(self, done: int, total: int) -> None:
        elapsed = time.monotonic() - self._begun
        self.tell(RemuxProgress(str(self.output), done, total, elapsed))

    def _publish(self, whole: Path) -> None:
        if not self.options.force and os.path.lexists(self.output):
            raise OutputExistsError(f"{self.output} exists already: --force replaces it")
        try:
            if self.options.fsync:
                descriptor = os.open(whole, os.O_RDWR | os.O_CLOEXEC)
                try:
                    sync(descriptor)
                finally:
                    os.close(descriptor)
                rename_synced(whole, self.output)
            else:
                whole.replace(self.output)
        except OSError as error:
            raise storage_error("publish", self.output, error) from error
        self._done = True

    def _finished(self, tool: str | None) -> Receipt:
        digest = None
        size = self.output.stat().st_size
        if self.options.checksum:
            with self.output.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        self.tell(OutputPublished(str(self.output), size))
        container = self.container if tool else None
        assert self._receipt is not None  # noqa: S101  (set by `begin`)
        receipt = replace(self._receipt, bytes=size, sha256=digest)
        return replace(receipt, container=container, remuxed_by=tool)

    # -- what stays --------------------------------------------------------------------------

    def _kept(self, error: HlspipeError) -> str:
        """Where what was fetched is now, in words."""
        if self.options.resume and isinstance(error, StorageError):
            return "what was fetched is kept: the same command goes on once there is room"
        return self._keep()

    def _keep(self) -> str:
        """Put the sources beside the output, and say where they are."""
        paths = self._paths
        if any(_held(path) < before for path, before in zip(paths, self._held, strict=False)):
            return "what was fetched had been used up by then"
        kept = []
        for path in paths:
            beside = _free(self.output.with_name(path.name))
            try:
                path.replace(beside)
            except OSError as error:
                raise storage_error("publish", beside, error) from error
            kept.append(str(beside))
        self._done = True
        return f"what was fetched is in {', '.join(kept)}"


def work_output(output: Path) -> str:
    """What the main source is called, its ending still open."""
    return str(work_path(output) / f"{output.stem}{ANY_ENDING}")


def _held(path: Path) -> int:
    """Bytes on disk: fewer than before when some have been released."""
    return path.stat().st_blocks * 512


def _free(path: Path) -> Path:
    """`path`, or a name like it that nobody has."""
    number, found = 1, path
    while os.path.lexists(found):
        found = path.with_name(f"{path.stem}-{number}{path.suffix}")
        number += 1
    return found
