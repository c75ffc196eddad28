"""How many connections are tried, and where that ends."""

import pytest

from pipeline.processes.tuning import FIRST, MOST, Tuner


class Line:
    """A server, and a clock: what comes in a second with so many connections."""

    def __init__(self, tuner, speed):
        self.tuner = tuner
        self.speed = speed
        self.now = self.total = 0.0
        self.limits = [tuner.limit]

    def run(self, seconds):
        """Let time pass in steps of 50 ms, as figures come from storage."""
        end = self.now + seconds
        while self.now < end:
            self.now += 0.05
            self.total += 0.05 * self.speed(self.tuner.limit)
            if self.tuner.received(int(self.total), self.now):
                self.limits.append(self.tuner.limit)
        return self


def test_each_connection_is_slow():
    """Every doubling pays, up to the most that are tried, within half a second."""
    line = Line(Tuner(), lambda limit: limit * 2e6).run(0.6)

    assert line.limits == [4, 8, 16]


def test_the_line_is_full():
    """What brings nothing is not tried further; what harms nothing is kept."""
    line = Line(Tuner(), lambda limit: 100e6).run(5)

    assert line.limits == [4, 8]


def test_more_of_them_harm():
    """Back to the number before."""
    line = Line(Tuner(), lambda limit: 100e6 if limit <= 4 else 70e6).run(5)

    assert line.limits == [4, 8, 4]


def test_it_takes_a_while_to_pay():
    """A long way: new connections bring nothing in their first moment."""
    tuner = Tuner()
    line = Line(tuner, lambda limit: 4e6 if line.now < 0.65 else limit * 1e6)
    line.run(3)

    assert line.limits[:3] == [4, 8, 16]


def test_a_number_of_the_users():
    """It is neither raised nor lowered."""
    tuner = Tuner(most=6, fixed=True)
    line = Line(tuner, lambda limit: limit * 1e6).run(3)

    assert not tuner.refused(4.0, costly=False)
    assert line.limits == [6]


def test_no_more_than_may_be():
    """A crew that is smaller than the most bounds it."""
    assert Tuner(most=2).limit == 2
    assert Line(Tuner(most=6), lambda limit: limit * 1e6).run(3).limits == [4, 6]


def refusing(tuner, allowed, seconds):
    """A server that refuses connections above `allowed`, and says so at once."""
    line = Line(tuner, lambda limit: min(limit, allowed) * 1e6)
    end = line.now + seconds
    while line.now < end:
        line.run(0.05)
        if tuner.limit > allowed and tuner.refused(line.now, costly=False):
            line.limits.append(tuner.limit)
    return line


@pytest.mark.parametrize("allowed", range(1, 8))
def test_server_that_refuses(allowed):
    """What it bears is found, without asking for more again and again."""
    line = refusing(Tuner(), allowed, 60)

    assert line.tuner.limit == allowed
    assert len([limit for limit in line.limits if limit > allowed]) <= 4


def test_several_refusals_at_once_are_one():
    """Those under way together say the same thing."""
    tuner = Tuner()
    tuner.received(0, 0.0)
    assert [tuner.refused(1.0 + place / 100, costly=False) for place in range(4)] == [
        True,
        False,
        False,
        False,
    ]

    assert tuner.limit == FIRST // 2


def test_costly_refusal_is_not_provoked_again():
    """A server that wants a pause is not asked for more a second time."""
    tuner = Tuner()
    line = Line(tuner, lambda limit: limit * 1e6).run(0.3)
    assert tuner.limit == 8
    tuner.refused(line.now, costly=True)
    line.run(60)

    assert tuner.limit == 4
    assert max(line.limits) <= MOST
