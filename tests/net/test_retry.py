"""How often, and after how long."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.net.failure import Patience
from pipeline.net.retry import LONGEST_RETRY_AFTER, LONGEST_SLEEP, RetryPolicy


@pytest.mark.parametrize(
    ("patience", "tries"), [(Patience.FULL, 8), (Patience.FEW, 1), (Patience.NEVER, 0)]
)
def test_patience_decides_how_often(patience: Patience, tries: int) -> None:
    """Eight further tries for what may pass, one for what hardly will, none for what cannot."""
    policy = RetryPolicy(8, 0.5)

    assert all(policy.allows(patience, failed) for failed in range(1, tries + 1))
    assert not policy.allows(patience, tries + 1)


@given(st.integers(1, 5000), st.floats(0, 1), st.floats(0, 1e9))
def test_a_delay_is_bounded(tries: int, chance: float, sleep: float) -> None:
    """However often it failed, and whatever the chance."""
    delay = RetryPolicy(5000, sleep).delay(tries, None, lambda: chance)

    assert 0 <= delay <= LONGEST_SLEEP


def test_a_delay_doubles_and_has_jitter() -> None:
    """Half of it is chance: connections do not come back all at once."""
    policy = RetryPolicy(8, 0.5)

    assert [policy.delay(tries, None, lambda: 1.0) for tries in (1, 2, 3)] == [0.5, 1.0, 2.0]
    assert policy.delay(1, None, lambda: 0.0) == 0.25


def test_the_server_is_believed_up_to_a_point() -> None:
    """Retry-After is waited for, but not for a year."""
    policy = RetryPolicy(8, 0.5)

    assert policy.delay(1, 7.0, lambda: 0.0) == 7.0
    assert policy.delay(1, 1e9, lambda: 0.0) == LONGEST_RETRY_AFTER


@pytest.mark.parametrize(
    ("retries", "tries", "pauses"),
    [(4, 0, [0.5, 1.0, 2.0]), (4, 2, [2.0]), (4, 3, []), (4, 4, []), (1, 0, []), (0, 0, [])],
)
def test_continuations_are_tries(retries: int, tries: int, pauses: list[float]) -> None:
    """They take up the row of pauses where it is, and leave the last try to a new start."""
    assert list(RetryPolicy(retries, 0.5).pauses(tries, lambda: 1.0)) == pauses
