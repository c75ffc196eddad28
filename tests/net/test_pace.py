"""A floor rate and a deadline for one body."""

import pytest

from pipeline.net.failure import FetchFailure, Patience
from pipeline.net.pace import DEADLINE, FLOOR, Pace


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def drip(clock: Clock, pace: Pace, *, seconds: float, every: float, size: int) -> None:
    """A body of pieces at a steady rate."""
    while clock.now < seconds:
        clock.now += every
        pace.received(size)


def test_a_drip_is_too_slow() -> None:
    """A byte now and then is never late for a timeout, and too slow all the same."""
    clock = Clock()
    pace = Pace(clock, 20.0)

    with pytest.raises(FetchFailure, match="too slow") as caught:
        drip(clock, pace, seconds=25, every=1.0, size=1)
    assert caught.value.patience is Patience.FULL
    assert clock.now == 20.0


def test_the_floor_is_enough() -> None:
    """Slow is not too slow."""
    clock = Clock()
    pace = Pace(clock, 20.0)

    drip(clock, pace, seconds=200, every=1.0, size=FLOOR)

    assert clock.now == 200


def test_our_own_waiting_does_not_count() -> None:
    """A server is not blamed for the time in which nobody read."""
    clock = Clock()
    pace = Pace(clock, 20.0)
    clock.now += 100.0
    pace.excuse()
    clock.now += 1.0
    pace.received(1)

    assert clock.now == 101


def test_waiting_is_taken_off_the_time() -> None:
    """What we waited for leave to read counts neither for the floor nor for the deadline."""
    clock = Clock()
    pace = Pace(clock, 20.0)
    for _ in range(100):
        clock.now += 60.0
        pace.waited(59.0)
        pace.received(FLOOR)
    clock.now += 21.0

    with pytest.raises(FetchFailure, match="bytes in"):
        pace.received(1)


def test_no_body_goes_on_for_ever() -> None:
    """An endless body that comes well is ended by the deadline."""
    clock = Clock()
    pace = Pace(clock, 20.0)

    with pytest.raises(FetchFailure, match="not done"):
        drip(clock, pace, seconds=2 * DEADLINE, every=10.0, size=1 << 20)
