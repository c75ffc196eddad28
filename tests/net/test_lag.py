"""When a body had better go on over another connection."""

from dataclasses import dataclass

import pytest

from pipeline.net.lag import Lag
from pipeline.net.meter import Meter

MB = 1 << 20


@dataclass
class Course:
    """A body that comes at a rate, on a clock of its own."""

    usual: float | None = 8 * MB
    idle: float = 0.5
    now: float = 0.0

    def __post_init__(self) -> None:
        self.meter = Meter()
        if self.usual is not None:
            self.meter.note_rate(self.usual)
        self.lag = Lag(lambda: self.idle, self.meter, lambda: self.now)

    def go(self, size: int, seconds: float, left: int = 3 * MB) -> bool:
        """So many bytes more, after so long."""
        self.now += seconds
        return self.lag.received(size, left)


def test_a_slow_one() -> None:
    """At a quarter of what is usual, with 3 MB to come and half of the connections idle."""
    assert Course().go(MB, 0.5)


@pytest.mark.parametrize(
    ("course", "left"),
    [
        (Course(idle=0.0), 3 * MB),
        (Course(usual=None), 3 * MB),
        (Course(usual=2.5 * MB), 3 * MB),
        (Course(), 100_000),
        (Course(), MB // 2),
    ],
    ids=["nobody is idle", "nothing to compare", "all are slow", "the end", "not worth it"],
)
def test_what_stays(course: Course, left: int) -> None:
    """It would gain nothing, or nobody knows."""
    assert not course.go(MB, 0.5, left)


def test_the_first_moment_says_nothing() -> None:
    """The window of a new connection is still opening."""
    assert not Course().go(50_000, 0.2)


def test_a_server_that_pays_by_the_second() -> None:
    """The first bytes after a pause are no rate: the average counts."""
    course = Course(usual=2 * MB)

    assert not course.go(2 * MB, 0.01)
    assert not course.go(64_000, 1.0)


def test_what_is_usual_follows() -> None:
    """Complete bodies make it, the last ones most; small ones do not."""
    course = Course(usual=None)
    course.go(4 * MB, 1.0, 0)
    course.lag.ended()

    assert course.meter.usual_rate == 4 * MB
    course.meter.note_rate(2 * MB)
    assert 2 * MB < course.meter.usual_rate < 4 * MB
    small = Lag(lambda: 0.5, course.meter, lambda: course.now)
    small.received(1000, 0)
    before = course.meter.usual_rate
    course.now += 1
    small.ended()
    assert course.meter.usual_rate == before
