"""The queue of jobs: SQLite in the state directory, so that it survives whatever ends the daemon.

One owner, in one thread (`keeper`). Each call is one transaction, and what it returns is on the
disk. What follows on what is decided by `states`; nothing is downloaded here.
"""

import json
import os
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

from pipeline.errors import HlspipeError, StoppedError, StorageError
from pipeline.jobs.naming import clashing, possible
from pipeline.service.names import numbered
from pipeline.service.record import Job, Submission
from pipeline.service.refusals import ConflictError, NoSuchJobError
from pipeline.service.schema import migrate
from pipeline.service.states import (
    ENDED,
    GRANTED,
    LIVING,
    ORDERS,
    WISHES,
    AttemptPolicy,
    Order,
    State,
    Verdict,
    Wish,
    verdict,
)

_COLUMNS = ", ".join(field.name for field in fields(Job))

#: Seconds that another process may hold the database: a backup, an administrator's `sqlite3`.
_PATIENCE = 5.0


class JobQueue:
    """The jobs, and the only one who writes them."""

    def __init__(self, path: Path) -> None:
        """Open the database, or make it. Raises StorageError."""
        self._path = path
        with self._translated():
            path.touch(mode=0o600)  # URLs, headers and keys are in it
            self._database = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)
            try:
                self._prepare()
            except BaseException:
                self._database.close()
                raise

    def _prepare(self) -> None:
        self._database.row_factory = sqlite3.Row
        self._database.execute("PRAGMA journal_mode = WAL")
        # A job that was accepted survives a power failure too.
        self._database.execute("PRAGMA synchronous = FULL")
        migrate(self._database)

    def close(self) -> None:
        """Give the database back."""
        self._database.close()

    # -- intake ------------------------------------------------------------------------------

    def submit(self, wanted: Sequence[Submission], now: float) -> list[tuple[Job, bool]]:
        """Enter jobs, all or none; each with whether it is new.

        Raises ConflictError for an output that is there or that another job is to write, and for
        a client's id that stands for another URL.
        """
        with self._transaction():
            return [self._submit(one, now) for one in wanted]

    def _submit(self, wanted: Submission, now: float) -> tuple[Job, bool]:
        known = self._select("client_id = ?", wanted.client_id) if wanted.client_id else []
        if known and known[0].url != wanted.url:
            raise ConflictError(f"The id {wanted.client_id!r} stands for job {known[0].id} already")
        if known:
            return known[0], False
        row = {
            "client_id": wanted.client_id,
            "url": wanted.url,
            "output": self._free_output(wanted),
            "options": json.dumps(wanted.options),
            "priority": wanted.priority,
            "state": State.QUEUED,
            "created": now,
        }
        names, marks = ", ".join(row), ", ".join("?" * len(row))
        cursor = self._database.execute(
            f"INSERT INTO jobs ({names}) VALUES ({marks})",  # noqa: S608  (names of ours)
            tuple(row.values()),
        )
        return self.job(cursor.lastrowid or 0), True

    def _free_output(self, wanted: Submission) -> str:
        """The output, with a number if its end is open and it is taken. Raises ConflictError."""
        taken = ""
        for candidate in numbered(wanted.output, self._next_id()):
            taken = self._taken(candidate, may_exist=wanted.accepts_existing)
            if not taken:
                return candidate
        raise ConflictError(taken)

    def _next_id(self) -> int:
        (largest,) = self._database.execute("SELECT max(id) FROM jobs").fetchone()
        return (largest or 0) + 1

    def _taken(self, output: str, *, may_exist: bool) -> str:
        """Why a new job cannot write `output`; "" if it can."""
        for other in self._rivals(output):
            return f"Job {other.id} is to write {output} already"
        if not may_exist and any(map(os.path.lexists, possible(output))):
            return f"{output} exists already: force replaces it, skip_existing leaves it alone"
        return ""

    def _rivals(self, output: str) -> list[Job]:
        """The jobs that are to write `output`, or may come to."""
        names = clashing(output)
        # The plus has SQLite look jobs up by their output: by their state they are the whole queue.
        return self._select(
            f"output IN {_marks(names)} AND +state IN {_marks(LIVING)} LIMIT 1", *names, *LIVING
        )

    def is_wanted(self, output: str) -> bool:
        """Whether a job is to write `output`, or may come to."""
        return bool(self._rivals(output))

    # -- running -----------------------------------------------------------------------------

    def claim(self, now: float) -> Job | None:
        """The next job, which counts as running from here on; None if there is none to run."""
        with self._transaction():
            found = self._select(
                "state = 'queued' AND not_before <= ? ORDER BY priority DESC, id LIMIT 1", now
            )
            if not found:
                return None
            job = found[0]
            self._update(
                job.id,
                state=State.RUNNING,
                attempts=job.attempts + 1,
                started=now if job.started is None else job.started,
            )
            return self.job(job.id)

    def name_output(self, number: int, output: str) -> None:
        """The open end of the job's output is known now."""
        with self._transaction():
            self._update(number, output=output)

    def end(
        self,
        number: int,
        receipt: dict[str, Any] | None,
        error: HlspipeError | None,
        policy: AttemptPolicy,
        now: float,
    ) -> Job:
        """The download of a running job has ended, with a receipt or an error."""
        with self._transaction():
            job = self.job(number)
            if job.state is not State.RUNNING:
                return job
            result = verdict(error, job.wish, job.attempts, policy)
            # That it was stopped is no fault of the job's: its state says what became of it.
            fault = None if isinstance(error, StoppedError) else error
            self._update(
                number,
                receipt=json.dumps(receipt) if receipt is not None else None,
                error=fault and fault.message,
                exit_code=0 if error is None else fault and fault.exit_code,
                not_before=now + result.wait if result.wait else 0,
                **self._settled(job, result, now),
            )
            return self.job(number)

    def park(self, now: float) -> list[Job]:
        """No job is running (any more): those that were go on later, by their journals.

        So at the start, for what a killed daemon left, and at the end. No attempt is counted.
        """
        with self._transaction():
            running = self._select("state = 'running' ORDER BY id")
            for job in running:
                state = State.QUEUED if job.wish is None else GRANTED[job.wish]
                self._update(job.id, **self._settled(job, Verdict(state, counts=False), now))
            return [self.job(job.id) for job in running]

    @staticmethod
    def _settled(job: Job, result: Verdict, now: float) -> dict[str, Any]:
        return {
            "state": result.state,
            "wish": None,
            "attempts": job.attempts if result.counts else job.attempts - 1,
            "ended": now if result.state in ENDED else None,
        }

    # -- orders ------------------------------------------------------------------------------

    def order(self, number: int, order: Order, now: float) -> Job:
        """Carry out what somebody wants of a job; of a running one it is noted as its wish.

        Raises NoSuchJobError, and ConflictError where the job's state stands against it.
        """
        with self._transaction():
            job = self.job(number)
            if job.state is State.RUNNING and order in WISHES:
                # A cancellation is not taken back by a pause.
                self._update(number, wish=Wish.CANCEL if job.wish is Wish.CANCEL else WISHES[order])
                return self.job(number)
            state = ORDERS[order].get(job.state)
            if state is None:
                raise ConflictError(f"Job {number} is {job.state}: it cannot be told to {order}")
            if state != job.state:
                self._move(job, order, state, now)
            return self.job(number)

    def _move(self, job: Job, order: Order, state: State, now: float) -> None:
        changes: dict[str, Any] = {"state": state, "ended": now if state in ENDED else None}
        if order is Order.RETRY:
            for other in self._rivals(job.output):
                raise ConflictError(f"Job {other.id} is to write {job.output} by now")
            changes |= {"attempts": 0, "error": None, "exit_code": None, "receipt": None}
        if state is State.QUEUED:
            changes |= {"not_before": 0}
        self._update(job.id, **changes)

    def purge(self, before: float) -> int:
        """Forget the jobs that ended before that time; how many they were."""
        with self._transaction():
            return self._database.execute(
                f"DELETE FROM jobs WHERE state IN {_marks(ENDED)} AND ended < ?",  # noqa: S608
                (*ENDED, before),
            ).rowcount

    # -- looking -----------------------------------------------------------------------------

    def job(self, number: int) -> Job:
        """One job. Raises NoSuchJobError."""
        found = self._select("id = ?", number)
        if not found:
            raise NoSuchJobError(f"There is no job {number}")
        return found[0]

    def jobs(self, states: Collection[State], after: int, limit: int) -> list[Job]:
        """Jobs in these states, by their ids, from the first one after `after` on."""
        return self._select(
            f"state IN {_marks(states)} AND id > ? ORDER BY id LIMIT ?", *states, after, limit
        )

    def counts(self) -> dict[State, int]:
        """How many jobs are in each state."""
        with self._translated():
            rows = self._database.execute("SELECT state, count(*) FROM jobs GROUP BY state")
            return dict.fromkeys(State, 0) | {State(state): count for state, count in rows}

    # -- the database ------------------------------------------------------------------------

    def _select(self, condition: str, *values: object) -> list[Job]:
        with self._translated():
            rows = self._database.execute(
                f"SELECT {_COLUMNS} FROM jobs WHERE {condition}",  # noqa: S608  (words of ours)
                values,
            )
            return [_job(row) for row in rows]

    def _update(self, number: int, **changes: object) -> None:
        assignments = ", ".join(f"{name} = ?" for name in changes)
        self._database.execute(
            f"UPDATE jobs SET {assignments} WHERE id = ?",  # noqa: S608  (words of ours)
            (*changes.values(), number),
        )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Everything in it, or nothing."""
        with self._translated():
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._database.commit()
            except BaseException:
                self._database.rollback()
                raise

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise StorageError(f"The queue in {self._path} cannot be used: {error}") from error


def _marks(values: Collection[object]) -> str:
    return f"({', '.join('?' * len(values))})"


def _job(row: sqlite3.Row) -> Job:
    values = dict(row)
    for name in ("options", "receipt"):
        values[name] = None if values[name] is None else json.loads(values[name])
    values["state"] = State(values["state"])
    values["wish"] = None if values["wish"] is None else Wish(values["wish"])
    return Job(**values)
