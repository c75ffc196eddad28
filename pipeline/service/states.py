"""The life of a job, as decisions: which state follows on what. No clock, no database.

    queued -> running -> done | failed | cancelled
       ^         |
       +---------+   an attempt failed and more are left, or the daemon stopped

A paused job is queued again by `resume`, a failed or cancelled one by `retry`.
"""

from dataclasses import dataclass
from enum import StrEnum

from pipeline.errors import (
    DecryptionError,
    HlspipeError,
    KeyUnavailableError,
    KeyUnreachableError,
    NotThereError,
    OutputBusyError,
    OutputExistsError,
    PlaylistError,
    RemuxFailed,
    SegmentsMissingError,
    StoppedError,
    UsageError,
)


class State(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


#: States of jobs that still want their output.
LIVING = (State.QUEUED, State.RUNNING, State.PAUSED)

#: States that a job keeps, unless somebody retries it.
ENDED = (State.DONE, State.FAILED, State.CANCELLED)


class Wish(StrEnum):
    """What somebody wants of a job that is running: carried out when its download has stopped."""

    CANCEL = "cancel"
    PAUSE = "pause"


class Order(StrEnum):
    """What somebody may tell the service to do with a job."""

    CANCEL = "cancel"
    PAUSE = "pause"
    RESUME = "resume"
    RETRY = "retry"


#: From which states an order leads to which; from any other it is refused.
ORDERS: dict[Order, dict[State, State]] = {
    Order.CANCEL: {
        State.QUEUED: State.CANCELLED,
        State.PAUSED: State.CANCELLED,
        State.FAILED: State.CANCELLED,
        State.CANCELLED: State.CANCELLED,
    },
    Order.PAUSE: {State.QUEUED: State.PAUSED, State.PAUSED: State.PAUSED},
    Order.RESUME: {State.PAUSED: State.QUEUED, State.QUEUED: State.QUEUED},
    Order.RETRY: {State.FAILED: State.QUEUED, State.CANCELLED: State.QUEUED},
}

#: Orders to a running job take effect when its download has stopped.
WISHES = {Order.CANCEL: Wish.CANCEL, Order.PAUSE: Wish.PAUSE}

#: Where a job goes whose download has stopped because of a wish.
GRANTED = {Wish.CANCEL: State.CANCELLED, Wish.PAUSE: State.PAUSED}

#: What another attempt would only repeat. Errors of network, disk and processes may pass.
_FINAL = (
    UsageError,
    NotThereError,
    PlaylistError,
    KeyUnavailableError,
    DecryptionError,
    SegmentsMissingError,
    OutputExistsError,
    RemuxFailed,
)

#: Seconds before an output is tried again that another process holds: a daemon that was killed
#: may have left processes that are about to notice it.
_BUSY_WAIT = 2.0


@dataclass(frozen=True, slots=True)
class AttemptPolicy:
    """How many attempts a job gets, and the pause after the first that failed, in seconds."""

    attempts: int = 3
    wait: float = 30.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a job whose download has ended."""

    state: State
    counts: bool = True  # as an attempt
    wait: float = 0.0  # seconds before it may run again, if it is queued


def verdict(
    error: HlspipeError | None, wish: Wish | None, attempts: int, policy: AttemptPolicy
) -> Verdict:
    """Where a running job goes that ended with `error`, this being attempt number `attempts`.

    A download that was complete before it could be stopped is done, whatever was wished.
    """
    if error is None:
        return Verdict(State.DONE)
    if wish is not None:
        return Verdict(GRANTED[wish], counts=False)
    if isinstance(error, StoppedError):  # the daemon ends
        return Verdict(State.QUEUED, counts=False)
    if isinstance(error, OutputBusyError):
        return Verdict(State.QUEUED, counts=False, wait=_BUSY_WAIT)
    if attempts >= policy.attempts or is_final(error):
        return Verdict(State.FAILED)
    return Verdict(State.QUEUED, wait=policy.wait * 2 ** (attempts - 1))


def is_final(error: HlspipeError) -> bool:
    """Whether another attempt would end in the same way."""
    return isinstance(error, _FINAL) and not isinstance(error, KeyUnreachableError)
