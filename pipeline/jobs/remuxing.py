"""A download whose output is remuxed: fetched as it is into hidden files, then put into one.

The sources are fetched by an ordinary job into a directory beside the output, `.NAME.work`. The
output's `.part` is locked for the whole time, so that nobody else works on it. With `resume` the
directory outlives a run that was interrupted, and says in `complete.json` if all sources are in.
"""

import hashlib
import json
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, astuple, dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pipeline.errors import HlspipeError, Interrupted, OutputExistsError, RemuxFailed, StorageError
from pipeline.events import Event, OutputPublished, RemuxProgress, Warned
from pipeline.hls.chapters import Chapter, chapters
from pipeline.jobs.accounting import receipt_of
from pipeline.jobs.job import Job
from pipeline.jobs.naming import ANY_ENDING
from pipeline.jobs.receipt import Receipt, SegmentCounts, Status
from pipeline.media.tracks import RemuxPlan, Source
from pipeline.options import FetchOptions, RemuxTool
from pipeline.processes.remuxing import RemuxChild
from pipeline.processes.running import Order
from pipeline.processes.signals import SignalWatch
from pipeline.processes.supervisor import Supervisor
from pipeline.store.files import close_quietly, is_still, rename_synced, storage_error, sync
from pipeline.store.part import open_locked, part_path
from pipeline.units import public_url

#: Containers by the output's ending.
_CONTAINERS = {".mp4": "mp4", ".m4a": "m4a", ".mkv": "mkv"}

HOW_TO = "pip install 'hlspipe[mp4]' brings what makes MP4 files"


def container_of(output: str | None, options: FetchOptions) -> str | None:
    """What `output` is to become; None if bytes are joined as they are."""
    if output is None or options.remux is RemuxTool.NONE:
        return None
    # Not those of Path: they raise for what can be no name, and that is for others to refuse.
    if os.path.exists(output) and not os.path.isfile(output) and not os.path.isdir(output):  # noqa: PTH110, PTH112, PTH113
        return None  # a pipe or a device: bytes leave in order
    return _CONTAINERS.get(Path(output).suffix.lower())


def find_tool(wanted: RemuxTool) -> str | None:
    """What remuxes: "pyav", or the path of an ffmpeg; None if there is nothing."""
    if wanted in (RemuxTool.AUTO, RemuxTool.PYAV) and find_spec("av") is not None:
        return "pyav"
    return shutil.which("ffmpeg") if wanted in (RemuxTool.AUTO, RemuxTool.FFMPEG) else None


@dataclass
class Remuxing:
    """One output that is remuxed, and the files on the way to it."""

    output: Path
    container: str
    job: Job
    tell: Callable[[Event], None]
    child: RemuxChild = field(default_factory=RemuxChild)
    sources: list[dict[str, Any]] = field(default_factory=list)
    chapters: list[tuple[float, float, str]] = field(default_factory=list)
    _lock: int = -1
    _done: bool = False
    _tool: str | None = None
    _held: list[int] = field(default_factory=list)  # bytes on disk of each source, before
    _receipt: Receipt | None = None  # of the download, while its streams are put together

    @property
    def options(self) -> FetchOptions:
        """Those of the download."""
        return self.job.options

    @property
    def work(self) -> Path:
        """Where the sources are."""
        return work_path(self.output)

    @property
    def part(self) -> Path:
        """Where the output is until it is whole."""
        return part_path(self.output)

    def run(self, order: Order) -> Receipt:
        """Everything. Raises HlspipeError or Interrupted, and leaves nothing behind then."""
        # From the first file to the last: what is begun is also cleaned up.
        with SignalWatch() as signals:
            try:
                known = self.open()
                if known is not None:
                    return self._to_the_end(signals, known)
                return self._fetch(order, signals)
            finally:
                self.close()

    # -- step by step ------------------------------------------------------------------------

    def open(self) -> Receipt | None:
        """Take the output; the receipt of an earlier run that has fetched everything, if any.

        Raises HlspipeError. `close` belongs to it, however it ends.
        """
        self._lock = open_locked(self.part)
        self._prepare()
        return self._known() if self._is_complete else None

    def start_child(self) -> None:
        """Start the process: before anything is fetched, for it cleans up after all others."""
        self.child.start(self.work, self.part, self._lock, keep=self.options.resume)

    def begin(self, receipt: Receipt) -> Receipt | None:
        """Everything is fetched: begin to put it together; the final receipt, if that is all.

        Raises HlspipeError with the receipt of the failure.
        """
        if not self.sources:
            self._note(receipt)
        self._receipt = replace(receipt, output=str(self.output), renditions=())
        with self._failing():
            self._tool = find_tool(self.options.remux)
            if self._tool is None and self._is_mp4_already:
                self._publish(Path(self.sources[0]["path"]))
                return self._finished(None)
            self._held = [_held(one["path"]) for one in self.sources]
            if self._tool is None:
                raise RemuxFailed(f"Nothing here makes {self.container} files: {HOW_TO}")
            if not self.child.running:
                self.start_child()
            self.child.begin(self._plan(), self._tool)
        return None

    def poll(self) -> Receipt | None:
        """The final receipt once the output is published. Raises as `begin` does."""
        with self._failing():
            done = self.child.poll(self._progressed)
            if done is None:
                return None
            for warning in done.warnings:
                self.tell(Warned(warning))
            self._publish(self.part)
            return self._finished("pyav" if self._tool == "pyav" else "ffmpeg")

    def close(self) -> None:
        """End the process, and leave nothing behind but what is to be kept."""
        self.child.end()
        self._clean()

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

    def _prepare(self) -> None:
        """The directory: empty, or what an earlier run has kept of the same download."""
        key = self._key()
        try:
            if not self._is_ours(key):
                shutil.rmtree(self.work, ignore_errors=True)
                self.work.mkdir(mode=0o700)
                (self.work / "key").write_text(key)
            if not self._is_complete:
                _remove_published(self.work)
        except OSError as error:
            raise storage_error("create", self.work, error) from error

    def _is_ours(self, key: str) -> bool:
        if not self.options.resume:
            return False
        with suppress(OSError):
            found = self.work.lstat()
            own = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
            return own and (self.work / "key").read_text() == key
        return False

    def _key(self) -> str:
        """What tells this download from another one of the same name."""
        asked, keys = self.options.selection, self.options.keys
        facts = [self.job.url, repr(asked), str(self.options.allow_gaps)]
        facts += [repr((keys.key, keys.key_url, keys.iv))]
        return hashlib.sha256("\n".join(facts).encode()).hexdigest()

    @property
    def _is_complete(self) -> bool:
        return (self.work / "complete.json").exists()

    def _known(self) -> Receipt | None:
        """The receipt of an earlier run that has fetched all sources."""
        try:
            known = json.loads((self.work / "complete.json").read_text())
            self.sources, self.chapters = known["sources"], known["chapters"]
            if any(not Path(one["path"]).is_file() for one in self.sources):
                return None
            size = sum(Path(one["path"]).stat().st_size for one in self.sources)
            counts = SegmentCounts(**known["segments"] | {"missing": tuple(known["missing"])})
        except (OSError, ValueError, KeyError, TypeError):
            return None
        status = Status.INCOMPLETE if counts.missing else Status.COMPLETE
        url = public_url(self.job.url)
        return Receipt(url, status=status, exit_code=0, segments=counts, resumed_bytes=size)

    def _fetch(self, order: Order, before: SignalWatch) -> Receipt:
        stays = replace(self.options, checksum=False)
        with Supervisor(stays, self.tell) as supervisor:
            if before.received:  # from here on signals are the supervisor's
                raise Interrupted(before.received[0])
            self.start_child()
            flow = supervisor.begin(order)
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

    def _note(self, receipt: Receipt) -> None:
        """All sources are in: what they are."""
        offsets = [done.offsets for done in self.job.transferred]
        breaks = dict(zip([track.output for track in self.job.media], offsets, strict=True))
        for track in self.job.tracks:
            one = track.rendition
            kind = "main" if one is None else "subtitles" if track.is_subtitles else "audio"
            self.sources.append(
                {
                    "path": str(Path(track.output).absolute()),
                    "kind": kind,
                    "language": one.language if one else None,
                    "name": one.name if one else None,
                    "default": bool(one and one.default),
                    "breaks": breaks.get(track.output, ()),
                }
            )
        counts = asdict(receipt.segments)
        main = self.job.tracks[0]
        self.chapters = [astuple(one) for one in chapters(main.playlist, main.plan.items)]
        known = {"sources": self.sources, "chapters": self.chapters, "segments": counts}
        known["missing"] = receipt.segments.missing
        try:
            (self.work / "complete.new").write_text(json.dumps(known))
            (self.work / "complete.new").replace(self.work / "complete.json")
        except OSError as error:
            raise storage_error("write", self.work, error) from error

    # -- the remux ---------------------------------------------------------------------------

    @property
    def _is_mp4_already(self) -> bool:
        """Whether the one source is an MP4 file as it is."""
        paths = [Path(one["path"]) for one in self.sources]
        return (
            self.options.remux is RemuxTool.AUTO
            and self.container != "mkv"
            and [path.suffix for path in paths] == [".mp4"]
        )

    def _plan(self) -> RemuxPlan:
        sources = tuple(
            Source(**one | {"path": Path(one["path"]), "breaks": tuple(one["breaks"])})
            for one in self.sources
        )
        chapters = tuple(Chapter(*one) for one in self.chapters)
        consume = not self.options.resume
        return RemuxPlan(sources, self.part, self.container, chapters, may_consume=consume)

    def _progressed(self, done: int, total: int) -> None:
        self.tell(RemuxProgress(str(self.output), done, total))

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
        paths = [Path(one["path"]) for one in self.sources]
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

    def _clean(self) -> None:
        if self._lock < 0:  # it never was ours
            return
        with suppress(OSError):
            if not (self.options.resume and not self._done):
                shutil.rmtree(self.work, ignore_errors=True)
            if is_still(self.part, self._lock):  # not renamed, and no other run's by now
                self.part.unlink(missing_ok=True)
        close_quietly(self._lock)
        self._lock = -1


def work_path(output: Path) -> Path:
    """The directory for the sources of `output`."""
    stem = os.fsencode(output.name)[:200]
    return output.with_name(f".{os.fsdecode(stem)}.work")


def work_output(output: Path) -> str:
    """What the main source is called, its ending still open."""
    return str(work_path(output) / f"{output.stem}{ANY_ENDING}")


def forget_work(output: Path) -> None:
    """Remove the sources that a run has left for a later one, unless some run is at them."""
    work, part = work_path(output), part_path(output)
    if not os.path.isdir(work) or os.path.islink(work):  # noqa: PTH112, PTH114  (as above)
        return
    with suppress(HlspipeError):
        lock = open_locked(part)
        shutil.rmtree(work, ignore_errors=True)
        with suppress(OSError):
            part.unlink()
        close_quietly(lock)


def refuse_directory(output: Path) -> None:
    """A file cannot replace a directory. Raises StorageError."""
    if os.path.isdir(output):  # noqa: PTH112  (as above)
        raise StorageError(f"Cannot write {output}: it is a directory")


def _held(path: str | Path) -> int:
    """Bytes on disk: fewer than before when some have been released."""
    return Path(path).stat().st_blocks * 512


def _free(path: Path) -> Path:
    """`path`, or a name like it that nobody has."""
    number, found = 1, path
    while os.path.lexists(found):
        found = path.with_name(f"{path.stem}-{number}{path.suffix}")
        number += 1
    return found


def _remove_published(work: Path) -> None:
    """Files that are whole, of a run that was killed before all were: some may be missing."""
    for path in work.iterdir():
        if path.name != "key" and not path.name.endswith((".part", ".journal")):
            path.unlink()
