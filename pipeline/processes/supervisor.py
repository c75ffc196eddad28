"""The supervisor: the plan, the processes, the signals, the progress. It never touches a segment.

    jobs (generators) --wishes--> Supervisor --instructions--> downloaders --records--> storage
                      <--answers--           <-----reports---- (failures, documents)
                                             <-----reports---- (items stored, figures) <---'

One thread and one wait, on everything that can happen: a report, the end of a child (its report
pipe ends with it), a signal, the time for a retry. Jobs are in `running`, who fetches what is
decided in `dispatch`, what children are is in `crew`, what their deaths mean in `caretaker`, what
is told to the user in `bulletin`; what becomes of outputs is in `outputs`, and of what failed in
`refusals`.
"""

import atexit
import selectors
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any, Self

from pipeline import events
from pipeline.crypto.cbc import check_key
from pipeline.errors import HlspipeError, Interrupted, from_wire
from pipeline.machine import memory_limit
from pipeline.net.failure import FetchFailure, Patience
from pipeline.options import FetchOptions
from pipeline.processes import messages
from pipeline.processes.account import Listener
from pipeline.processes.bulletin import Bulletin
from pipeline.processes.caretaker import Caretaker
from pipeline.processes.children import Child, DownloaderChild
from pipeline.processes.crew import STORAGE_GRACE, Crew, crew_size
from pipeline.processes.dispatch import Dispatcher
from pipeline.processes.download import Download
from pipeline.processes.errands import DocumentErrand, Errand, NeedErrand
from pipeline.processes.flow import Flow
from pipeline.processes.means import within_means
from pipeline.processes.outputs import Outputs
from pipeline.processes.refusals import Refusals
from pipeline.processes.running import Order, RunningJobs
from pipeline.processes.scarcity import needed_to
from pipeline.processes.signals import SignalWatch
from pipeline.processes.tuning import tuner_for
from pipeline.processes.wishes import Fetched

#: The longest wait: how late a silent child or a due sample may be noticed, in seconds.
_TICK_SECONDS = 0.5

#: The same while the number of connections is being looked for (`tuning`).
_TUNING_SECONDS = 0.1


class Supervisor:
    """Runs jobs on one crew of processes. Use as a context manager: nothing outlives it."""

    def __init__(
        self, options: FetchOptions, listener: Listener | None = None, stream: int | None = None
    ) -> None:
        """`stream` is the descriptor that outputs without a name go to."""
        storage = within_means(options.storage, memory_limit(), listener)
        self._options = replace(options, storage=storage)
        self._stream = stream
        self.bulletin = Bulletin(storage, listener)
        self.tuner = tuner_for(options.concurrent, options.http.limit_rate)
        self._signals = SignalWatch()
        self._storage_stopped = False
        self._committed = False  # it is too late for a signal to change the end

    def __enter__(self) -> Self:
        with needed_to("start the processes"):
            self._signals.__enter__()
            try:
                self._start()
            except BaseException:
                self._signals.__exit__(None, None, None)
                raise
        return self

    def _start(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._signals, selectors.EVENT_READ)
        size = crew_size(self._options.processes, self.tuner.most)
        rate = self._options.http.limit_rate
        self.crew = Crew(size, self._options.storage, self._stream, rate)
        atexit.register(self.close)
        self._dispatcher = Dispatcher(self.crew, self._options, self.bulletin)
        self._jobs = RunningJobs(self.crew, self._dispatcher)
        about = (self.crew, self._dispatcher, self._jobs, self.bulletin)
        self._outputs = Outputs(*about, lambda: self._sample_memory(force=True))
        self._refusals = Refusals(*about, self._outputs)
        self.crew.limit_connections(self.tuner.limit)
        self._caretaker = Caretaker(self.crew, self._dispatcher, self._jobs, self._selector)

    def __exit__(self, *_: object) -> None:
        self.close()
        self._signals.__exit__(None, None, None)

    def close(self) -> None:
        """End all processes and remove what is unfinished. A second signal forces it."""
        atexit.unregister(self.close)
        self._selector.close()
        outputs = self._jobs.transient_outputs()
        self.crew.close(outputs, force=lambda: len(self._signals.received) > 1)

    # -- jobs --------------------------------------------------------------------------------

    def begin(self, order: Order, listener: Listener | None = None) -> Flow:
        """Begin a job beside those that are under way; `listener` is told of its events.

        What it wants first is on its way when this returns.
        """
        flow = self._jobs.begin(order)
        self.bulletin.open_account(flow.context, listener)
        self._dispatcher.assign(time.monotonic())
        return flow

    def step(self) -> None:
        """Hand out what there is to do, and wait for one thing to happen.

        Raises Interrupted, or the HlspipeError that ends all jobs: a process died, say.
        """
        self._dispatcher.assign(time.monotonic())
        self._wait()

    def wake(self) -> None:
        """End the wait of `step`. May be called from any thread while this is entered."""
        self._signals.wake()

    def run(self, flow: Flow) -> None:
        """Go on until a job has ended. Raises its HlspipeError, or Interrupted."""
        while not flow.done:
            self.step()
        if flow.error is not None:
            raise flow.error

    def cancel(self, flow: Flow, error: HlspipeError) -> None:
        """End a job with `error`."""
        self._jobs.fail(flow.context, error)

    def downloads_of(self, flow: Flow) -> list[Download]:
        """What a job has begun to download, the main output first."""
        return self._jobs.of_context(flow.context)

    def forget(self, flow: Flow) -> None:
        """A job has ended, and its figures are no longer wanted."""
        self._refusals.forget(flow.context)
        self._jobs.forget(flow.context)
        self.bulletin.close_account(flow.context)

    def finish(self) -> None:
        """Let storage end, and hear what it still has to say (the temp directory is gone)."""
        self._committed = True
        self.crew.storage.tell(messages.Stop())
        with suppress(HlspipeError):  # all that matters has been done
            self._wait_for_storage()

    @property
    def signals(self) -> SignalWatch:
        """Where signals are noted: for what goes on after `finish`."""
        return self._signals

    # -- the one wait ------------------------------------------------------------------------

    def _wait(self) -> None:
        ready = [key for key, _ in self._selector.select(self._timeout())]
        # Downloaders first: what they say of an item is older than what storage says of it.
        for key in sorted(ready, key=lambda key: key.data is self.crew.storage):
            if key.fileobj is self._signals:
                self._signals.clear()
            else:
                self._hear(key.data)
        if self._signals.received and not self._committed:
            self._interrupt()
        now = time.monotonic()
        self._look_at_rate(now)
        self._jobs.enforce_limits(now)
        self._caretaker.look_after_silence(now)
        self._sample_memory(force=False)

    def _interrupt(self) -> None:
        """A signal wants an end. An output that is being published decides: whole, or not there."""
        self._committed = True
        if any(each.publishing and not each.finished for each in self._jobs.downloads.values()):
            self.crew.storage.tell(messages.Stop())
            with suppress(HlspipeError):
                self._wait_for_storage()
            if all(each.finished for each in self._jobs.downloads.values()):
                return
        raise Interrupted(self._signals.received[0])

    def _wait_for_storage(self) -> None:
        """Hear what storage has to say to the end, or for as long as a Ctrl-C may take."""
        deadline = time.monotonic() + STORAGE_GRACE
        while not self._storage_stopped and time.monotonic() < deadline:
            self._wait()

    def _sample_memory(self, force: bool) -> None:
        """Measure now and then, and when most is held; the first second is start-up."""
        if self._options.measure_memory and (force or self.bulletin.elapsed > 1):
            self.bulletin.memory.sample(self.crew.pids, time.monotonic(), force)

    def _timeout(self) -> float:
        longest = _TUNING_SECONDS if self._busy and self.tuner.curious else _TICK_SECONDS
        due = self._dispatcher.next_due()
        if due is None:
            return longest
        return min(longest, max(0.0, due - time.monotonic()))

    @property
    def _busy(self) -> bool:
        """Whether every connection has something to fetch."""
        return sum(len(each.leases) for each in self.crew.downloaders) >= self.tuner.limit

    def _look_at_rate(self, now: float) -> None:
        total = sum(each.received for each in self.crew.downloaders)
        self._tune(self.tuner.received(total, now, busy=self._busy))

    def _hear(self, child: Child) -> None:
        child.last_heard = time.monotonic()
        for message in self._said_by(child):
            self._handle(child, message)
        if child.reports is not None and child.reports.closed:
            self._caretaker.died(child)

    def _said_by(self, child: Child) -> Iterator[Any]:
        """Its messages. What is none ends it; what handling them raises is not its fault."""
        assert child.reports is not None  # noqa: S101  (only running children are watched)
        try:
            yield from child.reports.receive()
        except ValueError as error:
            child.crash = f"it sent what is no message: {error}"
            self._caretaker.died(child)

    def _handle(self, child: Child, message: Any) -> None:
        if isinstance(message, messages.Crashed):
            child.crashed(message)
        elif isinstance(child, DownloaderChild):
            self._handle_downloader(child, message)
        else:
            self._handle_storage(message)

    # -- reports of downloaders --------------------------------------------------------------

    def _handle_downloader(self, child: DownloaderChild, message: messages.FromDownloader) -> None:
        match message:
            case messages.DocumentFetched():
                self._caretaker.fruitful()
                self._document(child, self._dispatcher.end_lease(message.lease), message)
            case messages.FetchFailed():
                self._caretaker.fruitful()
                self._failed(message)
            case messages.TryContinued() | messages.ChangedOver():
                self._caretaker.fruitful()
                self._dispatcher.continued(message)
            case messages.TasksReturned(leases):
                self._dispatcher.returned(leases)
            case messages.Ending(lease):
                self._dispatcher.ending(lease)
            case messages.Alive():
                self._hear_figures(child, message)
            case _:
                self._hear_of_answers(child, message)

    def _hear_of_answers(self, child: DownloaderChild, message: messages.FromDownloader) -> None:
        """What a server's answers have brought besides their bodies."""
        match message:
            case messages.FarAway(context, url):
                self._dispatcher.far_away(context, url)
            case messages.TlsLeft(context, url):
                self.bulletin.tls_left(context, url)
            case messages.CookiesSet():
                self._jobs.cookies_set(child, message)
            case _:
                pass

    def _hear_figures(self, child: DownloaderChild, figures: messages.Alive) -> None:
        child.received = figures.received
        if (way := (figures.site, figures.round_trip)) != child.way:
            child.way = way
            self.tuner.connected(*way)

    def _document(
        self, child: DownloaderChild, errand: Errand | None, report: messages.DocumentFetched
    ) -> None:
        if errand is not None:
            self._jobs.origin_seen(errand.context, report.origin_private)
            self._dispatcher.saw_way(child, errand.context, report)
        if isinstance(errand, DocumentErrand):
            self._jobs.answer(errand.flow, errand.wish, Fetched(report.url, report.body))
        elif isinstance(errand, NeedErrand):
            self._need(errand, report.body)

    def _need(self, errand: NeedErrand, body: bytes) -> None:
        if errand.need.kind == "key":
            try:
                check_key(body, errand.need.method)
            except HlspipeError as error:
                self._jobs.fail(errand.context, type(error)(f"{errand.what} is no key: {error}"))
                return
        for download in self._jobs.of_context(errand.context):
            download.arrived(errand.need, body)

    def _failed(self, report: messages.FetchFailed) -> None:
        errand = self._dispatcher.end_lease(report.lease)
        if errand is None:
            return
        kind, patience = type(from_wire(report.error, "")), Patience(report.patience)
        if patience is Patience.BUSY:
            now, costly = time.monotonic(), bool(report.retry_after)
            self._tune(self.tuner.refused(now, costly=costly))
            self._dispatcher.recall(now)
        failure = FetchFailure(kind, report.reason, patience, report.retry_after)
        self._refusals.take(errand, failure)

    def _tune(self, changed: bool) -> None:
        if changed:
            self.crew.limit_connections(self.tuner.limit)

    # -- reports of storage ------------------------------------------------------------------

    def _handle_storage(self, message: messages.FromStorage) -> None:
        match message:
            case messages.ItemsStored():
                self._caretaker.fruitful()
                self._outputs.stored(message)
            case messages.OutputOpened():
                self._outputs.opened(message, self.tuner.limit)
            case messages.Published():
                self._outputs.published(message)
            case messages.JobFailed(job, error, text):
                if download := self._jobs.downloads.get(job):
                    self._jobs.fail(download.context, from_wire(error, text))
            case messages.DownloaderForgotten(partition):
                self._caretaker.replace(self.crew.downloaders[partition])
            case messages.Stopped():
                self._storage_stopped = True
            case _:
                self._hear_of_disk(message)

    def _hear_of_disk(self, message: messages.FromStorage) -> None:
        """What storage says about memory, disk and itself."""
        match message:
            case messages.StorageState():
                self._storage_state(message)
            case messages.DiskUsed():
                self.bulletin.disk_used(message)
                self._sample_memory(force=True)
            case messages.TempDirectoryMade():
                self.bulletin.temp_directory_made(message)
            case messages.TempDirectoryGone():
                self.bulletin.temp_directory_gone(message)
            case messages.Complained(text):
                self.bulletin.tell(events.Warned(text))
            case _:
                pass  # Alive has done its work by being heard, Crashed is seen by `_died`

    def _storage_state(self, state: messages.StorageState) -> None:
        self.bulletin.storage_state(state)
        for job, size in state.job_bytes:
            self._outputs.grew(job, size)
