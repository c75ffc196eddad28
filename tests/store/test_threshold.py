import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.store import threshold
from pipeline.store.threshold import SpillPolicy, Threshold, automatic_threshold, threshold_for
from pipeline.units import GIB, MIB


@given(st.integers(0, 100), st.lists(st.integers(-20, 40), max_size=20))
def test_switch_is_tripped_once(limit, sizes):
    """It says so at the first count that reaches the limit, and never again."""
    counter = Threshold(limit)
    trips = [counter.add(size) for size in sizes]
    sums = [sum(sizes[: place + 1]) for place in range(len(sizes))]
    reached = [total >= limit for total in sums]

    assert trips.count(True) == any(reached)
    assert counter.stored == sum(sizes)
    assert counter.mode == ("disk" if any(reached) else "memory")
    if any(reached):
        assert trips.index(True) == reached.index(True)
        assert counter.switched_at == sums[reached.index(True)]


@pytest.mark.parametrize("limit", [None, 100], ids=["no limit", "not reached"])
def test_switch_that_is_tripped_early(limit):
    """Without memory the limit does not count; and the switch is tripped only once."""
    counter = Threshold(limit)
    counter.add(50)

    assert [counter.trip(), counter.trip(), counter.add(100)] == [True, False, False]
    assert (counter.mode, counter.switched_at) == ("disk", 50)


def test_no_limit_never_switches():
    """Without a limit everything stays in memory."""
    counter = Threshold(None)

    assert not counter.add(1 << 50)
    assert counter.mode == "memory"


def test_limit_of_nothing_switches_at_once():
    """With a limit of 0 the first block goes to disk, even an empty one."""
    assert Threshold(0).add(0)


@given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 500))
def test_spilling_goes_from_the_high_mark_to_the_low_one(blocks, reserved, held):
    """Nothing happens up to `high`; above it, blocks are freed down to `low`."""
    policy = SpillPolicy.for_partition(blocks, reserved)
    excess = policy.excess(held)

    assert 0 <= policy.low <= policy.high <= blocks
    assert excess == (0 if held <= policy.high else held - policy.low)
    assert policy.excess(held - excess) == 0


@pytest.mark.parametrize(
    ("memory", "expected"),
    [
        (1 * GIB, 25),
        (4 * GIB, 25),
        (4 * GIB + 1, 50),
        (32 * GIB - 1, 50),
        (32 * GIB, 200),
        (512 * GIB, 200),
    ],
    ids=["1 GiB", "4 GiB", "above 4 GiB", "below 32 GiB", "32 GiB", "512 GiB"],
)
def test_automatic_threshold_grows_with_memory(memory, expected):
    """Small machines leave memory early."""
    assert threshold_for(memory) == expected * MIB


@pytest.mark.parametrize(
    ("limit", "expected"),
    [(None, 200), (1 * GIB, 25), (1 << 63, 200)],
    ids=["no container", "small container", "container without a limit"],
)
def test_container_counts_as_the_machine(monkeypatch, limit, expected):
    """What a container grants is the memory there is."""
    monkeypatch.setattr(threshold, "memory_limit", lambda: limit)
    total = type("Memory", (), {"total": 64 * GIB})
    monkeypatch.setattr(psutil, "virtual_memory", lambda: total)

    assert automatic_threshold() == expected * MIB
