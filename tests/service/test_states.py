"""What follows on what, in the life of a job."""

import pytest

from pipeline.errors import (
    DecryptionError,
    HlspipeError,
    InternalError,
    KeyUnavailableError,
    KeyUnreachableError,
    NetworkError,
    NotThereError,
    OutputBusyError,
    PlaylistError,
    ProcessDiedError,
    RemuxFailed,
    SegmentsMissingError,
    StorageError,
)
from pipeline.service.states import ORDERS, AttemptPolicy, Order, State, Verdict, Wish, verdict

POLICY = AttemptPolicy(attempts=3, wait=10.0)


@pytest.mark.parametrize(
    "error", [NetworkError, StorageError, ProcessDiedError, InternalError, KeyUnreachableError]
)
def test_what_may_pass_is_tried_again(error: type[HlspipeError]) -> None:
    """Each time after a longer pause, until the attempts are used up."""
    verdicts = [verdict(error("x"), None, attempt, POLICY) for attempt in (1, 2, 3)]

    assert verdicts == [
        Verdict(State.QUEUED, wait=10.0),
        Verdict(State.QUEUED, wait=20.0),
        Verdict(State.FAILED),
    ]


@pytest.mark.parametrize(
    "error",
    [
        NotThereError,
        PlaylistError,
        KeyUnavailableError,
        DecryptionError,
        SegmentsMissingError,
        RemuxFailed,
    ],
)
def test_what_will_not_change_is_not_tried_again(error: type[HlspipeError]) -> None:
    """A playlist that is not there, a wrong key: the first attempt is the last."""
    assert verdict(error("x"), None, 1, POLICY) == Verdict(State.FAILED)


def test_an_output_that_is_held_is_waited_for() -> None:
    """By processes of a killed daemon, say, which end soon: that is no failed attempt."""
    result = verdict(OutputBusyError("x"), None, 3, POLICY)

    assert (result.state, result.counts) == (State.QUEUED, False)
    assert result.wait > 0


@pytest.mark.parametrize(
    ("wish", "state"), [(Wish.CANCEL, State.CANCELLED), (Wish.PAUSE, State.PAUSED)]
)
def test_a_wish_is_granted_when_the_download_has_stopped(wish: Wish, state: State) -> None:
    """Whatever error it stopped with, and without counting the attempt."""
    assert verdict(NetworkError("x"), wish, 1, POLICY) == Verdict(state, counts=False)


def test_a_download_that_was_faster_than_the_wish_is_done() -> None:
    """The output is there: nothing is left to cancel."""
    assert verdict(None, Wish.CANCEL, 1, POLICY) == Verdict(State.DONE)


def test_no_order_wakes_or_stops_what_is_done() -> None:
    """Done is done: another download of the same is another job."""
    assert not [order for order in Order if State.DONE in ORDERS[order]]
