"""When the next request is due."""

from pipeline.net.ahead import Ahead

MB = 1 << 20


class Course:
    """A body of 4 MB that comes at a rate, on a clock of its own."""

    def __init__(self, round_trip: float) -> None:
        self.now = 0.0
        self.asked: list[int] = []  # bytes that were left
        self.left = 4 * MB
        self.ahead = Ahead(round_trip, lambda: self.asked.append(self.left), lambda: self.now)

    def run(self, rate: float, step: int = MB // 16) -> list[int]:
        """To the end; what was left when it asked."""
        while self.left:
            self.now += step / rate
            self.left -= step
            self.ahead.received(step, self.left)
        return self.asked


def test_two_round_trips_before_the_end() -> None:
    """At 10 MB a second and 40 ms that is when 0.8 MB are left: once, and no earlier."""
    (left,) = Course(0.04).run(10 * MB)

    assert 0.7 * MB < left <= 0.8 * MB


def test_a_small_body_asks_at_once() -> None:
    """What takes less than that is asked for behind its first bytes."""
    assert Course(0.04).run(1000 * MB) == [4 * MB - MB // 16]


def test_nearby_nothing_is_asked() -> None:
    """One request at a time, as long as that costs nothing."""
    assert Course(0.004).run(1000 * MB) == []
    assert Course(0.0).run(10 * MB) == []
