"""When the next request is due."""

from pipeline.net.ahead import MOST_AHEAD, Ahead

MB = 1 << 20


class Course:
    """A body that comes at a rate, and what is asked for behind it."""

    def __init__(self, size: int, round_trip: float, rate: float, there: int = 100) -> None:
        self.round_trip = round_trip
        self.rate = rate
        self.asked_ahead = 0
        self.asked: list[int] = []  # bytes that were left, each time
        self.there = there  # more to ask for
        self.left = size
        self.ahead = Ahead(self, self.ask)

    def ask(self) -> bool:
        """Ask, if there is something to ask for."""
        if len(self.asked) == self.there:
            return False
        self.asked_ahead += 1
        self.asked.append(self.left)
        return True

    def run(self, steps: int = 64) -> list[int]:
        """To the end; what was left when it asked."""
        step = self.left // steps
        for _ in range(steps):
            self.left -= step
            self.ahead.received(step, self.left)
        return self.asked


def test_two_round_trips_before_the_end() -> None:
    """At 10 MB a second and 40 ms that is when 0.8 MB are left: once, and no earlier."""
    (left,) = Course(4 * MB, 0.04, 10 * MB).run()

    assert 0.7 * MB < left <= 0.8 * MB


def test_small_ones_come_several_at_a_time() -> None:
    """As many as it takes to have two round trips' worth on their way."""
    assert len(Course(MB // 4, 0.04, 10 * MB).run()) == 4
    assert len(Course(MB // 2, 0.04, 10 * MB).run()) == 2


def test_there_is_a_limit() -> None:
    """However small they are."""
    assert len(Course(MB // 100, 0.04, 100 * MB).run()) == MOST_AHEAD


def test_nothing_more_to_ask_for() -> None:
    """It is asked what there is."""
    assert len(Course(MB // 10, 0.04, 10 * MB, there=1).run()) == 1


def test_what_was_asked_for_behind_others_counts() -> None:
    """With enough on its way, nothing is added."""
    course = Course(MB // 2, 0.04, 10 * MB)
    course.asked_ahead = 2

    assert course.run() == []


def test_nearby_nothing_is_asked() -> None:
    """One request at a time, as long as that costs nothing."""
    assert Course(4 * MB, 0.004, 1000 * MB).run() == []
    assert Course(4 * MB, 0.0, 10 * MB).run() == []
