"""What is happening now, and what has happened since the daemon was started: numbers only.

Written by the engine's thread (progress) and the queue's (ends), read by the web's: each value is
replaced as a whole, which needs no lock.
"""

from collections import Counter
from dataclasses import dataclass, field

from pipeline.events import Progress
from pipeline.jobs.receipt import Receipt
from pipeline.service.states import State


@dataclass
class Figures:
    """Progress of the jobs that are running, and totals."""

    #: The newest count of each running job, by its number.
    progress: dict[int, Progress] = field(default_factory=dict)
    #: How many jobs have come to an end, by the state they ended in; attempts that failed.
    ended: Counter[State] = field(default_factory=Counter)
    failed_attempts: int = 0
    bytes: int = 0  # of outputs that are complete
    requests: int = 0
    retries: int = 0

    def attempt_ended(self, number: int, receipt: Receipt | None, state: State) -> None:
        """A download is over, and its job is in `state` now."""
        self.progress.pop(number, None)
        if state in (State.DONE, State.FAILED, State.CANCELLED):
            self.ended[state] += 1
        if state in (State.QUEUED, State.FAILED):
            self.failed_attempts += 1
        if receipt is not None:
            self.requests += receipt.requests
            self.retries += receipt.retries
            self.bytes += receipt.bytes if state is State.DONE else 0
