"""A download among others that share a supervisor: from its beginning to its receipt.

Its flow is run by the supervisor. If its output is remuxed, a process of its own follows. Whoever
runs several asks each, after every step of the supervisor, whether it has ended.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.errors import HlspipeError
from pipeline.events import Event
from pipeline.jobs.accounting import receipt_of, with_kept_bytes
from pipeline.jobs.containers import container_of
from pipeline.jobs.fetch import already_there, job_order, prepared, prepared_remuxing
from pipeline.jobs.job import ANY_ENDING, Job
from pipeline.jobs.receipt import Receipt
from pipeline.jobs.remuxing import Remuxing
from pipeline.options import FetchOptions
from pipeline.processes.flow import Flow
from pipeline.processes.supervisor import Supervisor
from pipeline.units import public_url

Tell = Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What has become of a download: its receipt, and the error if it has failed."""

    receipt: Receipt
    error: HlspipeError | None = None


@dataclass
class UnderWay:
    """A download that has begun."""

    job: Job
    flow: Flow | None = None  # as long as it is fetched
    remuxing: Remuxing | None = None
    outcome: Outcome | None = None
    was_there: bool = False

    @classmethod
    def begin(
        cls,
        url: str,
        output: str,
        options: FetchOptions,
        tell: Tell,
        supervisor: Supervisor,
        accepted: Callable[[], None],
    ) -> "UnderWay":
        """Begin to download `url` into `output`. Raises HlspipeError for what is refused at once.

        `accepted` is called before anything is fetched, unless the output is there already.
        """
        container = container_of(output, options)
        job = prepared(url, output, options, tell)
        if found := already_there(job):
            return cls(job, outcome=Outcome(found), was_there=True)
        accepted()
        if container is None:
            return cls(job, supervisor.begin(job_order(job), tell))
        self = cls(job, remuxing=prepared_remuxing(url, Path(output), container, options, tell))
        try:
            self._begin_remuxing(supervisor)
        except BaseException:
            self.close()
            raise
        return self

    def _begin_remuxing(self, supervisor: Supervisor) -> None:
        remuxing = self.remuxing
        assert remuxing is not None  # noqa: S101  (it was made a moment ago)
        self.job = remuxing.job
        known = remuxing.open()
        if known is not None:
            return self._step(lambda: remuxing.begin(known))
        self.flow = supervisor.begin(job_order(self.job), remuxing.hear)
        return None

    @property
    def output(self) -> str | None:
        """What the user calls it; without an ending as long as none is known."""
        if self.remuxing is not None:
            return os.fspath(self.remuxing.output)
        return self.job.output and self.job.output.removesuffix(ANY_ENDING)

    def poll(self, supervisor: Supervisor) -> Outcome | None:
        """How it has ended, if it has."""
        if self.flow is not None and self.flow.done:
            self._fetched(self.flow, supervisor)
        elif self.flow is None and self.remuxing is not None and self.outcome is None:
            self._step(self.remuxing.poll)
        return self.outcome

    def so_far(self, supervisor: Supervisor) -> Receipt:
        """A draft of the receipt, of what has been done by now."""
        if self.flow is None:
            return Receipt(public_url(self.job.url), self.output)
        return replace(receipt_of(self.job, self.flow, supervisor), output=self.output)

    def cancel(self, supervisor: Supervisor, error: HlspipeError) -> None:
        """End it with `error`; `poll` says so then."""
        if self.flow is not None:
            supervisor.cancel(self.flow, error)
        elif self.outcome is None:
            self._end(self._failed(error), error)

    def close(self) -> None:
        """Leave nothing behind but what is to be kept."""
        if self.remuxing is not None:
            self.remuxing.close()

    def _fetched(self, flow: Flow, supervisor: Supervisor) -> None:
        receipt, error, remuxing = receipt_of(self.job, flow, supervisor), flow.error, self.remuxing
        self.flow = None
        supervisor.forget(flow)
        if remuxing is not None and error is None:
            return self._step(lambda: remuxing.begin(receipt))
        receipt = replace(receipt, output=self.output)
        if error is not None:
            receipt = receipt.failed(error.exit_code, error.message)
        return self._end(receipt, error)

    def _step(self, step: Callable[[], Receipt | None]) -> None:
        """Have the remuxing make a step, which may be its last one."""
        try:
            receipt = step()
        except HlspipeError as error:
            told = error.receipt
            self._end(told if isinstance(told, Receipt) else self._failed(error), error)
        else:
            if receipt is not None:
                self._end(receipt, None)

    def _failed(self, error: HlspipeError) -> Receipt:
        return Receipt(public_url(self.job.url), self.output).failed(error.exit_code, str(error))

    def _end(self, receipt: Receipt, error: HlspipeError | None) -> None:
        self.close()
        if error is not None:
            receipt = with_kept_bytes(receipt, self.job, error)
        self.outcome = Outcome(receipt, error)
