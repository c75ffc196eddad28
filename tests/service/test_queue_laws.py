"""Laws of the queue, under any sequence of events, kills of the daemon among them."""

import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from pipeline.errors import DecryptionError, HlspipeError, NetworkError, OutputBusyError
from pipeline.jobs.naming import clashing
from pipeline.service.queue import JobQueue
from pipeline.service.record import Submission
from pipeline.service.refusals import ConflictError
from pipeline.service.states import LIVING, AttemptPolicy, Order, State

POLICY = AttemptPolicy(attempts=2, wait=5.0)
OUTCOMES = [None, NetworkError("x"), DecryptionError("x"), OutputBusyError("x")]


class QueueMachine(RuleBasedStateMachine):
    """One queue, its daemon, and clients that do as they like."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp())
        self.now = 1000.0
        self.submitted: set[int] = set()
        self.running: set[int] = set()  # what the daemon downloads at this moment
        self.completed: set[int] = set()
        self.queue = self.open()

    def open(self) -> JobQueue:
        """The queue, as a daemon opens it."""
        return JobQueue(self.directory / "queue.db")

    def teardown(self) -> None:
        """Leave nothing."""
        self.queue.close()
        shutil.rmtree(self.directory)

    @rule(name=st.sampled_from(["a.ts", "b.{ext}", "b.mp4"]), priority=st.integers(-2, 2))
    def submit(self, name: str, priority: int) -> None:
        """A client wants something."""
        wanted = Submission("http://h/", f"/root/{name}", priority=priority)
        try:
            ((job, is_new),) = self.queue.submit([wanted], self.now)
        except ConflictError:
            return
        assert is_new
        assert job.id not in self.submitted
        self.submitted.add(job.id)

    @rule()
    def claim(self) -> None:
        """The daemon has room: what it gets is the first of those that may run."""
        waiting = [
            job for job in self.queue.jobs([State.QUEUED], 0, 1000) if job.not_before <= self.now
        ]
        job = self.queue.claim(self.now)
        first = min(waiting, key=lambda each: (-each.priority, each.id), default=None)
        assert (job and job.id) == (first and first.id)
        if job is not None:
            self.running.add(job.id)

    @precondition(lambda self: self.running)
    @rule(data=st.data(), error=st.sampled_from(OUTCOMES))
    def end(self, data: st.DataObject, error: HlspipeError | None) -> None:
        """A download ends."""
        number = data.draw(st.sampled_from(sorted(self.running)))
        self.running.remove(number)
        job = self.queue.end(number, None, error, POLICY, self.now)
        assert (error is None) == (job.state is State.DONE)
        if error is None:
            assert number not in self.completed
            self.completed.add(number)

    @precondition(lambda self: self.submitted)
    @rule(data=st.data(), order=st.sampled_from(Order))
    def order(self, data: st.DataObject, order: Order) -> None:
        """A client changes its mind."""
        number = data.draw(st.sampled_from(sorted(self.submitted)))
        before = self.queue.job(number)
        try:
            after = self.queue.order(number, order, self.now)
        except ConflictError:
            after = self.queue.job(number)
            assert after == before
        assert (after.state is State.RUNNING) == (before.state is State.RUNNING)

    @rule()
    def kill(self) -> None:
        """The daemon dies, and is started again."""
        self.queue.close()
        self.queue = self.open()
        parked = {job.id for job in self.queue.park(self.now)}
        assert parked == self.running
        self.running.clear()

    @rule(seconds=st.floats(0.0, 20.0))
    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.now += seconds

    @invariant()
    def no_job_is_lost_or_made_up(self) -> None:
        """Each is in one state, and done exactly when its download was complete."""
        jobs = self.queue.jobs(list(State), 0, 1000)
        assert {job.id for job in jobs} == self.submitted
        assert {job.id for job in jobs if job.state is State.RUNNING} == self.running
        assert {job.id for job in jobs if job.state is State.DONE} == self.completed
        assert sum(self.queue.counts().values()) == len(jobs)

    @invariant()
    def attempts_are_bounded(self) -> None:
        """A job ends, whatever happens to it."""
        jobs = self.queue.jobs(list(State), 0, 1000)
        assert all(0 <= job.attempts <= POLICY.attempts for job in jobs)
        assert all(job.attempts < POLICY.attempts for job in jobs if job.state is State.QUEUED)

    @invariant()
    def no_two_write_the_same(self) -> None:
        """Of jobs that live, no two may come to have one output."""
        outputs = [job.output for job in self.queue.jobs(LIVING, 0, 1000)]
        for place, output in enumerate(outputs):
            assert not set(clashing(output)) & set(outputs[place + 1 :])


TestQueueLaws = QueueMachine.TestCase
TestQueueLaws.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
