"""The queue: what is entered is kept, run in order, and ends once."""

import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.errors import NetworkError, NotThereError, StoppedError, StorageError
from pipeline.service.queue import JobQueue
from pipeline.service.record import Job, Submission
from pipeline.service.refusals import ConflictError, NoSuchJobError
from pipeline.service.schema import MIGRATIONS, migrate
from pipeline.service.states import AttemptPolicy, Order, State, Wish

POLICY = AttemptPolicy(attempts=3, wait=10.0)
URL = "http://origin.test/show.m3u8?token=s3cret"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the database is."""
    return tmp_path / "queue.db"


@pytest.fixture
def queue(path: Path) -> Iterator[JobQueue]:
    """An empty queue."""
    queue = JobQueue(path)
    yield queue
    queue.close()


def enter(queue: JobQueue, output: str = "/root/show.{ext}", **more: object) -> Job:
    """A job in the queue."""
    ((job, _),) = queue.submit([Submission(URL, output, **more)], now=1.0)
    return job


def claimed(queue: JobQueue, now: float = 5.0) -> int | None:
    """The id of the job that is next."""
    job = queue.claim(now)
    return None if job is None else job.id


def test_a_job_is_what_was_submitted(queue: JobQueue) -> None:
    """And waits for its turn."""
    job = enter(queue, "/root/a.ts", options={"format": "worst"}, priority=3, client_id="mine")

    assert (job.url, job.output, job.options) == (URL, "/root/a.ts", {"format": "worst"})
    assert (job.priority, job.client_id, job.state) == (3, "mine", State.QUEUED)
    assert (job.attempts, job.created, job.started, job.ended) == (0, 1.0, None, None)


def test_nothing_of_it_is_shown_by_accident(queue: JobQueue) -> None:
    """The URL's query and the options hold secrets: the repr of a job has neither."""
    job = enter(queue, options={"headers": {"Authorization": "s3cret"}})

    assert "s3cret" not in repr(job)


def test_others_cannot_read_the_database(queue: JobQueue, path: Path) -> None:
    """Nor the files that SQLite keeps beside it."""
    enter(queue)

    modes = {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert modes == {0o600}


def test_higher_priority_goes_first_then_age(queue: JobQueue) -> None:
    """Jobs of the same priority run in the order of their submission."""
    ids = [enter(queue, priority=priority).id for priority in (0, 5, 0, 5)]

    assert [claimed(queue) for _ in range(5)] == [ids[1], ids[3], ids[0], ids[2], None]


def test_several_are_entered_all_or_none(queue: JobQueue) -> None:
    """One that is refused takes the others with it."""
    wanted = [Submission(URL, "/root/a.ts"), Submission(URL, "/root/a.ts")]

    with pytest.raises(ConflictError, match=r"is to write /root/a\.ts already"):
        queue.submit(wanted, now=1.0)
    assert queue.counts()[State.QUEUED] == 0


def test_the_same_id_is_the_same_job(queue: JobQueue) -> None:
    """A client that did not hear the answer submits again, and nothing is done twice."""
    first = enter(queue, "/root/a.ts", client_id="mine")

    assert queue.submit([Submission(URL, "/root/a.ts", client_id="mine")], 2.0) == [(first, False)]
    with pytest.raises(ConflictError, match="stands for job 1"):
        queue.submit([Submission("http://other.test/", "/root/b.ts", client_id="mine")], 2.0)


def test_names_with_an_open_end_are_numbered(queue: JobQueue, tmp_path: Path) -> None:
    """By the names of other jobs and by the files that are there, whatever their ending."""
    (tmp_path / "show-2.mp4").touch()
    enter(queue, f"{tmp_path}/show.ts")

    outputs = [enter(queue, f"{tmp_path}/show.{{ext}}").output for _ in range(2)]

    assert outputs == [f"{tmp_path}/show-3.{{ext}}", f"{tmp_path}/show-4.{{ext}}"]


def test_an_open_end_may_turn_out_as_any(queue: JobQueue) -> None:
    """A job that asks for a name which another may come to have is refused."""
    enter(queue, "/root/show.{ext}")

    with pytest.raises(ConflictError):
        enter(queue, "/root/show.mp4")


def test_an_output_that_is_there_is_refused(queue: JobQueue, tmp_path: Path) -> None:
    """Unless the job is to replace it, or to leave it alone."""
    output = tmp_path / "show.ts"
    output.touch()

    with pytest.raises(ConflictError, match="exists already"):
        enter(queue, str(output))
    assert enter(queue, str(output), options={"force": True}).state is State.QUEUED


def test_a_job_that_is_complete_is_done(queue: JobQueue) -> None:
    """With its receipt, and when."""
    job = enter(queue)
    queue.claim(2.0)

    done = queue.end(job.id, {"bytes": 7}, None, POLICY, 3.0)

    assert (done.state, done.exit_code, done.error, done.receipt) == (
        State.DONE, 0, None, {"bytes": 7},
    )  # fmt: skip
    assert (done.started, done.ended, done.attempts) == (2.0, 3.0, 1)


def test_three_failures_end_a_job_with_its_reason(queue: JobQueue) -> None:
    """Between them it waits, longer each time."""
    job, ready = enter(queue), [0.0]
    for now in (100.0, 200.0, 300.0):
        assert claimed(queue, now) == job.id
        after = queue.end(job.id, {"bytes": 1}, NetworkError("It is away"), POLICY, now)
        ready.append(after.not_before - now)

    assert ready[1:3] == [10.0, 20.0]
    assert (after.state, after.error, after.exit_code) == (State.FAILED, "It is away", 3)
    assert (after.attempts, after.ended, after.receipt) == (3, 300.0, {"bytes": 1})


def test_a_pause_between_attempts_holds_up_nobody_else(queue: JobQueue) -> None:
    """The next one in the queue goes first."""
    first, second = enter(queue, "/root/a.ts", priority=1), enter(queue, "/root/b.ts")
    queue.claim(5.0)
    queue.end(first.id, None, NetworkError("x"), POLICY, 5.0)

    assert [claimed(queue, now) for now in (6.0, 7.0, 15.0)] == [second.id, None, first.id]


def test_a_download_that_was_stopped_has_no_fault(queue: JobQueue) -> None:
    """It is paused, or waits for the next daemon: no reason to show."""
    job = enter(queue)
    queue.claim(5.0)

    after = queue.end(job.id, None, StoppedError("x"), POLICY, 6.0)
    assert (after.state, after.error, after.exit_code, after.attempts) == (
        State.QUEUED, None, None, 0,
    )  # fmt: skip


def test_what_will_not_change_fails_at_once(queue: JobQueue) -> None:
    """A playlist that is not there."""
    job = enter(queue)
    queue.claim(5.0)

    assert queue.end(job.id, None, NotThereError("x"), POLICY, 6.0).state is State.FAILED


def test_what_ran_when_the_daemon_was_killed_runs_again(queue: JobQueue, path: Path) -> None:
    """As often as it takes: a kill is no failed attempt."""
    job = enter(queue)
    for _ in range(5):
        assert claimed(queue) == job.id
        again = JobQueue(path)
        assert [each.state for each in again.park(6.0)] == [State.QUEUED]
        again.close()

    assert queue.job(job.id).attempts == 0


def test_parking_grants_wishes(queue: JobQueue) -> None:
    """A daemon that was killed before a cancelled download had stopped does not revive it."""
    jobs = [enter(queue, f"/root/{n}.ts") for n in range(3)]
    for _ in jobs:
        queue.claim(5.0)
    queue.order(jobs[0].id, Order.CANCEL, 6.0)
    queue.order(jobs[1].id, Order.PAUSE, 6.0)

    states = [job.state for job in queue.park(7.0)]

    assert states == [State.CANCELLED, State.PAUSED, State.QUEUED]


@pytest.mark.parametrize(
    ("orders", "state"),
    [
        ([Order.CANCEL], State.CANCELLED),
        ([Order.PAUSE], State.PAUSED),
        ([Order.PAUSE, Order.CANCEL], State.CANCELLED),
        ([Order.PAUSE, Order.RESUME], State.QUEUED),
        ([Order.CANCEL, Order.RETRY], State.QUEUED),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else str(value),
)
def test_orders_to_a_waiting_job(queue: JobQueue, orders: list[Order], state: State) -> None:
    """They take effect at once."""
    job = enter(queue)
    for order in orders:
        job = queue.order(job.id, order, 4.0)

    assert job.state is state
    assert job.ended == (4.0 if state is State.CANCELLED else None)


def test_orders_to_a_running_job_are_noted(queue: JobQueue) -> None:
    """It runs until its download has stopped; a pause does not take a cancellation back."""
    job = enter(queue)
    queue.claim(5.0)

    wishes = [queue.order(job.id, each, 6.0).wish for each in (Order.PAUSE, Order.CANCEL)]

    assert wishes == [Wish.PAUSE, Wish.CANCEL]
    assert queue.order(job.id, Order.PAUSE, 6.0).wish is Wish.CANCEL
    assert queue.end(job.id, None, NetworkError("x"), POLICY, 7.0).state is State.CANCELLED


def test_a_retried_job_starts_afresh(queue: JobQueue) -> None:
    """With all its attempts, and without its old reason."""
    job = enter(queue)
    queue.claim(5.0)
    queue.end(job.id, {"bytes": 1}, NotThereError("x"), POLICY, 6.0)

    again = queue.order(job.id, Order.RETRY, 7.0)

    assert (again.state, again.attempts, again.error, again.receipt) == (
        State.QUEUED,
        0,
        None,
        None,
    )
    assert claimed(queue) == job.id


def test_a_retry_does_not_take_anothers_output(queue: JobQueue) -> None:
    """Which has come to be written by another job."""
    job = enter(queue, "/root/a.ts")
    queue.order(job.id, Order.CANCEL, 2.0)
    enter(queue, "/root/a.ts")

    with pytest.raises(ConflictError, match="Job 2 is to write"):
        queue.order(job.id, Order.RETRY, 3.0)


def test_an_order_against_the_state_is_refused(queue: JobQueue) -> None:
    """With the state, in a sentence."""
    job = enter(queue)

    with pytest.raises(ConflictError, match="Job 1 is queued: it cannot be told to retry"):
        queue.order(job.id, Order.RETRY, 2.0)
    with pytest.raises(NoSuchJobError, match="no job 99"):
        queue.order(99, Order.CANCEL, 2.0)


def test_old_jobs_are_forgotten(queue: JobQueue) -> None:
    """Those that ended before, and only those; their ids are never given again."""
    old, new, waiting = (enter(queue, f"/root/{n}.ts") for n in range(3))
    queue.order(old.id, Order.CANCEL, 10.0)
    queue.order(new.id, Order.CANCEL, 20.0)

    assert queue.purge(before=15.0) == 1
    assert [job.id for job in queue.jobs(list(State), 0, 10)] == [new.id, waiting.id]
    assert enter(queue, "/root/3.ts").id == 4


def test_jobs_are_listed_in_pages(queue: JobQueue) -> None:
    """By state, from an id on."""
    for n in range(5):
        enter(queue, f"/root/{n}.ts")
    queue.order(2, Order.PAUSE, 2.0)

    assert [job.id for job in queue.jobs([State.QUEUED], 1, 2)] == [3, 4]
    assert queue.counts() == dict.fromkeys(State, 0) | {State.QUEUED: 4, State.PAUSED: 1}


def test_a_database_of_a_later_version_is_refused(queue: JobQueue, path: Path) -> None:
    """What it says could be misread."""
    with sqlite3.connect(path) as database:
        database.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    database.close()

    with pytest.raises(StorageError, match="later version"):
        JobQueue(path)


def test_a_database_that_is_none_is_an_error_in_a_sentence(path: Path) -> None:
    """With the path of it."""
    path.write_bytes(b"not a database" * 100)

    with pytest.raises(StorageError, match=r"queue\.db cannot be used"):
        JobQueue(path)


def test_migrations_run_once_each_and_whole() -> None:
    """One that fails leaves the tables, and their version, as they were."""
    database = sqlite3.connect(":memory:", isolation_level=None)
    steps = ["CREATE TABLE a (x)", "ALTER TABLE a ADD y; INSERT INTO a VALUES (1, 2)"]
    migrate(database, steps[:1])
    migrate(database, steps)
    migrate(database, steps)
    with pytest.raises(sqlite3.OperationalError):
        migrate(database, [*steps, "INSERT INTO a VALUES (3, 4); INSERT INTO b VALUES (1)"])
    database.rollback()

    assert database.execute("SELECT * FROM a").fetchall() == [(1, 2)]
    assert database.execute("PRAGMA user_version").fetchone() == (2,)
    database.close()
