"""`pipeline.batch`: many downloads over one set of processes.

All share the connections, the memory threshold and the rate; a few at a time, in the order of the
list and of their priorities. One that fails, fails alone. Covers which download begins when and
what becomes of it; what a download is, is `job`.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.errors import HlspipeError, Interrupted, StorageError, UsageError
from pipeline.events import Event
from pipeline.jobs.accounting import with_kept_bytes
from pipeline.jobs.archive import Archive
from pipeline.jobs.batch_names import check_template, outputs
from pipeline.jobs.entries import Entry
from pipeline.jobs.job import ANY_ENDING
from pipeline.jobs.receipt import Receipt, Status
from pipeline.jobs.sources import STDIN
from pipeline.jobs.underway import UnderWay
from pipeline.options import BatchOptions, FetchOptions
from pipeline.processes.supervisor import Supervisor
from pipeline.store.files import storage_error
from pipeline.units import public_url

#: Crews that may be lost to a dying storage process before the batch is given up.
_MOST_CREWS = 4

#: Exit codes that another pass cannot change: no file can be made of what was fetched (or there is
#: a bug), the entry itself is wrong, or its output is there.
_FINAL = {1, 2, 9}


@dataclass(frozen=True, slots=True)
class Begun:
    """A download of a batch has begun."""

    entry: Entry
    output: str


@dataclass(frozen=True, slots=True)
class Told:
    """A download of a batch has something to say."""

    entry: Entry
    event: Event


@dataclass(frozen=True, slots=True)
class Ended:
    """A download of a batch has ended; `done` of `total` have by now."""

    entry: Entry
    receipt: Receipt
    done: int
    total: int


BatchEvent = Begun | Told | Ended


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What became of each entry, in the order of the list."""

    entries: tuple[Entry, ...]
    receipts: tuple[Receipt, ...]

    @property
    def failed(self) -> tuple[tuple[Entry, Receipt], ...]:
        """The entries that are not complete, with their receipts."""
        pairs = zip(self.entries, self.receipts, strict=True)
        return tuple((entry, receipt) for entry, receipt in pairs if receipt.exit_code)


def batch(
    entries: Iterable[Entry],
    options: FetchOptions | None = None,
    batch_options: BatchOptions | None = None,
    on_event: Callable[[BatchEvent], None] | None = None,
    *,
    template: str | None = None,
) -> BatchResult:
    """Download every entry, and return what became of each.

    `options` are those of all downloads; an entry may want some of them otherwise. `template` names
    outputs that have no name of their own ("{index}-{name}"). Raises UsageError for what is wrong
    with the batch as a whole, and `Interrupted`, with nothing left behind.
    """
    found = tuple(entries)
    if template is not None:
        check_template(template)
    run = _Batch(found, options or FetchOptions(), batch_options or BatchOptions(), on_event)
    run.settle_names(template)
    return run.run()


@dataclass(slots=True)
class _Running:
    place: int  # in the list
    download: UnderWay
    draft: Receipt | None = None  # of what was done when everything ended


@dataclass
class _Batch:
    entries: tuple[Entry, ...]
    options: FetchOptions
    how: BatchOptions
    listener: Callable[[BatchEvent], None] | None
    outputs: list[str] = field(default_factory=list)
    receipts: dict[int, Receipt] = field(default_factory=dict)
    running: list[_Running] = field(default_factory=list)
    waiting: deque[int] = field(default_factory=deque)
    archive: Archive | None = None

    def settle_names(self, template: str | None) -> None:
        self.paths = outputs(self.entries, template)
        self.outputs = [path.removesuffix(ANY_ENDING) for path in self.paths]  # as they are shown

    def run(self) -> BatchResult:
        if self.how.archive is not None:
            self.archive = Archive(self.how.archive)
        self._pass_over(range(len(self.entries)))
        for _ in range(self.how.retry_failed):
            failed = [place for place, receipt in self.receipts.items() if _may_mend(receipt)]
            if failed:
                self._pass_over(sorted(failed))
        ordered = [self.receipts[place] for place in range(len(self.entries))]
        return BatchResult(self.entries, tuple(ordered))

    def _pass_over(self, places: Sequence[int]) -> None:
        """Download these entries, each once."""
        for place in places:
            self.receipts.pop(place, None)
        self.waiting = deque(sorted(places, key=lambda place: -self.entries[place].priority))
        crews = 0
        while self.waiting or self.running:
            crews += 1
            try:
                self._with_a_crew()
            except HlspipeError as error:  # a process died, or the system gave none
                self._all_failed(error)
                if crews == _MOST_CREWS:
                    raise

    def _with_a_crew(self) -> None:
        """Go on until everything is done. Raises Interrupted, or an HlspipeError that ends all."""
        try:
            with Supervisor(self.options) as supervisor:
                try:
                    self._go_on(supervisor)
                except BaseException:
                    for each in self.running:
                        each.draft = each.download.so_far(supervisor)
                    raise
                supervisor.finish()
        except Interrupted as error:
            self._all_failed(error)
            raise

    def _go_on(self, supervisor: Supervisor) -> None:
        while self.waiting or self.running:
            self._begin_some(supervisor)
            if any(each.download.outcome is None for each in self.running):
                supervisor.step()
            self._end_some(supervisor)
            self._heed_signals(supervisor)

    def _heed_signals(self, supervisor: Supervisor) -> None:
        """Raise Interrupted for a signal that has waited until an output had its name."""
        received = supervisor.signals.received
        if received and (self.waiting or self.running):
            raise Interrupted(received[0])

    def _begin_some(self, supervisor: Supervisor) -> None:
        while self.waiting and len(self.running) < self.how.jobs:
            place = self.waiting.popleft()
            try:
                self._begin(place, supervisor)
            except HlspipeError as error:
                self._ended(place, self._failure(place, error))

    def _begin(self, place: int, supervisor: Supervisor) -> None:
        entry = self.entries[place]
        if entry.error is not None:
            raise UsageError(f"Line {entry.line} is no download: {entry.error}")
        if STDIN in (entry.url, self.outputs[place]):
            raise UsageError(f"Line {entry.line}: a batch has neither standard input nor output")
        if self.archive is not None and entry.url in self.archive:
            done = Receipt(public_url(entry.url), None, Status.COMPLETE, exit_code=0)
            return self._ended(place, done)
        one = UnderWay.begin(
            entry.url,
            self.paths[place],
            entry.options(self.options),
            lambda event: self._tell(Told(entry, event)),
            supervisor,
            lambda: self._accepted(place),
        )
        return self.running.append(_Running(place, one))

    def _accepted(self, place: int) -> None:
        _make_folder(Path(self.outputs[place]).parent)
        self._tell(Begun(self.entries[place], self.outputs[place]))

    def _end_some(self, supervisor: Supervisor) -> None:
        for running in list(self.running):
            if (outcome := running.download.poll(supervisor)) is None:
                continue
            self.running.remove(running)
            receipt = outcome.receipt
            if outcome.error is None and not running.download.was_there:
                receipt = self._archived(running.place, receipt)
            self._ended(running.place, receipt)

    def _archived(self, place: int, receipt: Receipt) -> Receipt:
        """The receipt of a download that is complete, once that is in the archive, too."""
        if self.archive is not None:
            try:
                self.archive.add(self.entries[place].url)
            except StorageError as error:  # it would be downloaded once more
                return receipt.failed(error.exit_code, error.message)
        return receipt

    def _all_failed(self, error: HlspipeError | Interrupted) -> None:
        """What was running ends with `error`, and nobody writes its outputs any more."""
        for running in self.running:
            running.download.close()
            failed = self._failure(running.place, error)
            if running.draft is not None:
                failed = running.draft.failed(error.exit_code, str(error))
            self._ended(running.place, with_kept_bytes(failed, running.download.job, error))
        self.running.clear()

    def _failure(self, place: int, error: HlspipeError | Interrupted) -> Receipt:
        draft = Receipt(public_url(self.entries[place].url), self.outputs[place])
        return draft.failed(error.exit_code, str(error))

    def _ended(self, place: int, receipt: Receipt) -> None:
        self.receipts[place] = receipt
        done = len(self.receipts)
        self._tell(Ended(self.entries[place], receipt, done, len(self.entries)))
        if receipt.exit_code and self.how.exit_on_error:
            self._give_up()

    def _give_up(self) -> None:
        """Begin nothing new; what is running is finished."""
        left, self.waiting = self.waiting, deque()
        for place in left:
            draft = Receipt(public_url(self.entries[place].url), self.outputs[place])
            self.receipts[place] = draft.failed(6, "Not begun: another download has failed")

    def _tell(self, event: BatchEvent) -> None:
        if self.listener is not None:
            self.listener(event)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error("make the folder", folder, error) from error


def _may_mend(receipt: Receipt) -> bool:
    return receipt.exit_code not in {0, *_FINAL}
