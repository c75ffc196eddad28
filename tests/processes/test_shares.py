"""How much each of several jobs may have."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from pipeline.processes.shares import Shares, fair_share

DEMANDS = st.lists(st.integers(0, 40), min_size=1, max_size=8)


@given(st.integers(1, 16), DEMANDS)
def test_fair(connections: int, demands: list[int]) -> None:
    """Either everybody has what he wants, or nobody who wants more lacks what another has."""
    share = fair_share(connections, demands)
    had = [min(demand, share) for demand in demands]

    assert share >= 1
    if sum(demands) <= connections:
        assert had == demands
    else:
        assert sum(had) >= min(connections, sum(demands))
        assert share == 1 or sum(min(demand, share - 1) for demand in demands) < connections


def test_one_more() -> None:
    """Until the share is used up; what is fast may have some in hand beyond it."""
    shares = Shares(8, Counter({1: 3}), Counter({1: 90, 2: 90}))
    assert shares.allows(1, 0)
    shares.took(1)

    assert not shares.allows(1, 0)
    assert shares.allows(1, 2)
    assert shares.allows(2, 0)
