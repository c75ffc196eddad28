"""Between the queue and the engine: which job begins, and what becomes of one that ends.

Everything here is done in the keeper's thread. What clients see of it is told as it happens.
"""

import logging
import os
import time
from collections.abc import Callable, Sequence

from pipeline.errors import HlspipeError, OutputExistsError, StorageError
from pipeline.events import Progress, TransferStarted
from pipeline.jobs.naming import possible
from pipeline.options import ServiceOptions
from pipeline.service.downloadroot import DownloadRoot
from pipeline.service.engine import Ended, Engine, EngineEvent, Started
from pipeline.service.figures import Figures
from pipeline.service.joboptions import job_options
from pipeline.service.keeper import Keeper
from pipeline.service.kept import forget_kept
from pipeline.service.queue import JobQueue
from pipeline.service.record import Job, Submission
from pipeline.service.refusals import UnavailableError
from pipeline.service.states import AttemptPolicy, Order, State, Wish
from pipeline.units import public_url

_log = logging.getLogger("hlspipe.jobs")

_SECONDS_PER_DAY = 86_400.0

#: Called with each job whose state has changed.
Tell = Callable[[Job], None]


class Dispatcher:
    """Keeps the engine busy with what the queue has."""

    def __init__(
        self,
        keeper: Keeper,
        make_engine: Callable[[Callable[[EngineEvent], None]], Engine],
        root: DownloadRoot,
        options: ServiceOptions,
        tell: Tell,
    ) -> None:
        """`make_engine` is given the listener of the engine it makes."""
        self.figures = Figures()
        #: Jobs are neither taken in nor begun: the daemon stops, or an administrator wants it.
        self.draining = False
        self._keeper = keeper
        self._root = root
        self._options = options
        self._tell = tell
        self._running: set[int] = set()
        self._parked: set[int] = set()  # they were running: their outputs may be there already
        self._unrecorded: list[Ended] = []  # ends that the queue could not take in
        self.engine = make_engine(self._hear)

    # -- the engine's thread -------------------------------------------------------------------

    def _hear(self, event: EngineEvent) -> None:
        if isinstance(event, Ended):
            self._keeper.tell(lambda queue: self._ended(queue, event))
        elif isinstance(event, Started):
            return
        elif isinstance(event.event, Progress):
            self.figures.progress[event.key] = event.event
        elif isinstance(event.event, TransferStarted):
            output = event.event.output
            self._keeper.tell(lambda queue: queue.name_output(event.key, output))

    # -- the keeper's thread -------------------------------------------------------------------

    def adopt(self, options: ServiceOptions) -> None:
        """Go on by other options; jobs that are running keep theirs."""
        self._options = options

    def park(self, queue: JobQueue) -> None:
        """Nothing is running any more: what was is to run again, at the next start if not now."""
        for job in queue.park(time.time()):
            self._running.discard(job.id)
            self._parked.add(job.id)
            self._settle(queue, job)
            _log.info("Job %d was running, and is %s", job.id, job.state)
        self.fill(queue)

    def submit(self, queue: JobQueue, wanted: Sequence[Submission]) -> list[tuple[Job, bool]]:
        """Take jobs in, all or none. Raises a Refusal."""
        if self.draining:
            raise UnavailableError("No jobs are taken in: the service is about to stop")
        entered = queue.submit(wanted, time.time())
        for job, is_new in entered:
            if is_new:
                _log.info("Job %d: %s to %s", job.id, public_url(job.url), job.output)
                self._tell(job)
        self.fill(queue)
        return entered

    def order(self, queue: JobQueue, number: int, order: Order) -> Job:
        """Carry out what somebody wants of a job. Raises a Refusal."""
        job = queue.order(number, order, time.time())
        if job.state is State.RUNNING:
            self.engine.cancel(number, keep=job.wish is not Wish.CANCEL)
        else:
            self._settle(queue, job)
        _log.info("Job %d: told to %s", number, order)
        self.fill(queue)
        return job

    def tick(self, queue: JobQueue) -> None:
        """Time has passed: jobs may be due again, and ends may be recorded by now."""
        unrecorded, self._unrecorded = self._unrecorded, []
        for event in unrecorded:
            self._ended(queue, event)
        self.fill(queue)

    def purge(self, queue: JobQueue) -> None:
        """Forget jobs that ended long ago."""
        forgotten = queue.purge(time.time() - self._options.keep_days * _SECONDS_PER_DAY)
        if forgotten:
            _log.info("%d jobs that ended long ago are forgotten", forgotten)

    def fill(self, queue: JobQueue) -> None:
        """Begin jobs, as long as there is room and there are any."""
        while not self.draining and len(self._running) < self._options.jobs:
            job = queue.claim(time.time())
            if job is None:
                return
            self._tell(job)
            self._begin(queue, job)

    def _begin(self, queue: JobQueue, job: Job) -> None:
        self._running.add(job.id)
        try:
            self._root.make_directory(job.output)
            if job.id not in self._parked:
                _refuse_existing(job)
            self._parked.discard(job.id)
            options = job_options(self._options.fetch, job.options)
        except HlspipeError as error:
            self._record(queue, Ended(job.id, None, error))
        else:
            self.engine.submit(job.id, job.url, job.output, options, job.priority)

    def _ended(self, queue: JobQueue, event: Ended) -> None:
        self._record(queue, event)
        self.fill(queue)

    def _record(self, queue: JobQueue, event: Ended) -> None:
        receipt = event.receipt.to_dict() if event.receipt is not None else None
        policy = AttemptPolicy(self._options.attempts, self._options.attempt_wait)
        try:
            job = queue.end(event.key, receipt, event.error, policy, time.time())
        except StorageError as error:
            _log.error("The end of job %d is not recorded yet: %s", event.key, error)
            self._unrecorded.append(event)
            return
        self._running.discard(event.key)
        self.figures.attempt_ended(event.key, event.receipt, job.state)
        _log.info("Job %d is %s%s", job.id, job.state, f": {job.error}" if job.error else "")
        self._settle(queue, job)

    def _settle(self, queue: JobQueue, job: Job) -> None:
        """Tell of a job's new state, and clear up what nobody wants any more."""
        if job.state is State.CANCELLED:
            forget_kept(job.output, queue.is_wanted)
        self._tell(job)


def _refuse_existing(job: Job) -> None:
    """Refuse an output that somebody else has made since the job was submitted.

    Only a job that was running when the daemon was killed may find its own there.
    """
    found = [name for name in possible(job.output) if os.path.lexists(name)]
    if found and not job.accepts_existing:
        raise OutputExistsError(f"{found[0]} exists already: force replaces it")
