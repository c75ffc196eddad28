"""What a job ends at."""

from pipeline.errors import NetworkError, StorageError
from pipeline.processes.limits import NO_LIMITS, Limits


def test_no_limits():
    """Any size, and any time."""
    assert NO_LIMITS.exceeded(1 << 60, 1e9) is None


def test_size():
    """Up to the limit is allowed."""
    limits = Limits(max_size=100)

    assert limits.exceeded(100, 0.0) is None
    assert isinstance(limits.exceeded(101, 0.0), StorageError)


def test_time():
    """Up to the limit is allowed."""
    limits = Limits(max_time=5.0)

    assert limits.exceeded(1 << 60, 5.0) is None
    assert isinstance(limits.exceeded(0, 5.1), NetworkError)
