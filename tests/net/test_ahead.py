"""When the next request is due."""

from pipeline.net.ahead import Ahead

MB = 1 << 20


class Course:
    """A body that comes at a rate, and what was left of it when more was asked for."""

    def __init__(self, size: int, round_trip: float, rate: float) -> None:
        self.round_trip = round_trip
        self.rate = rate
        self.asked: list[int] = []
        self.left = size
        self.nothing_before = 0  # calls for which there is nothing to ask for
        self.ahead = Ahead(self, self._ask)

    def _ask(self) -> bool:
        self.asked.append(self.left)
        return len(self.asked) > self.nothing_before

    def run(self, steps: int = 64) -> list[int]:
        """To the end."""
        step = self.left // steps
        for _ in range(steps):
            self.left -= step
            self.ahead.received(self.left)
        return self.asked


def test_two_round_trips_before_the_end() -> None:
    """At 10 MB a second and 40 ms that is when 0.8 MB are left: once, and no earlier."""
    (left,) = Course(4 * MB, 0.04, 10 * MB).run()

    assert 0.7 * MB < left <= 0.8 * MB


def test_a_small_body_asks_at_once() -> None:
    """What takes less than that is asked for behind its first bytes."""
    assert Course(MB // 2, 0.04, 20 * MB).run(2) == [MB // 4]


def test_what_comes_late_is_asked_for_late() -> None:
    """As long as there is nothing to ask for, that may change."""
    course = Course(4 * MB, 0.04, 10 * MB)
    course.nothing_before = 3

    asked = course.run()
    assert len(asked) == 4
    assert len(set(asked)) == 4


def test_nearby_nothing_is_asked() -> None:
    """One request after the other, as long as that costs nothing."""
    assert Course(4 * MB, 0.004, 1000 * MB).run() == []
    assert Course(4 * MB, 0.0, 10 * MB).run() == []
