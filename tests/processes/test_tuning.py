"""How many connections are tried, and where that ends."""

import pytest

from pipeline.processes.tuning import FIRST, MOST, Tuner, tuner_for


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
    """The most that are tried, after half a second, and they stay."""
    line = Line(Tuner(), lambda limit: limit * 2e6).run(5)

    assert line.limits == [8, 16]


@pytest.mark.parametrize("lump", [0.1, 0.5])
def test_bytes_come_in_lumps(lump):
    """A server that pays out each second's bytes at its beginning is seen as what it is."""
    tuner = Tuner()
    line = Line(tuner, lambda limit: limit * 2e6 / lump if line.now % 1 < lump else 0)
    line.run(5)

    assert line.limits[-1] == 16


def test_a_server_that_takes_its_time():
    """While all that is wanted is waited for, more can be wanted: that is not put to the test."""
    line = Line(Tuner(), lambda limit: limit * 20e6 if line.now % 1 < 0.1 else 0)

    assert line.run(0.4).limits == [8, 16]
    assert line.run(5).limits == [8, 16]


def test_nothing_is_wanted():
    """That nothing comes where nothing has been asked for is no silence."""
    tuner = Tuner()
    tuner.received(50_000_000, 0.0)
    for tenth in range(1, 5):
        assert not tuner.received(50_000_000, tenth / 10, busy=False)


def test_a_burst_at_the_beginning():
    """Servers let the first megabytes through, and limit what follows: 16 are given a chance."""
    tuner = Tuner()
    line = Line(tuner, lambda limit: limit * 20e6 if line.now < 0.2 else limit * 2e6)
    line.run(5)

    assert line.limits == [8, 16, 8, 16]


def test_the_line_is_full():
    """What brings nothing is not kept."""
    line = Line(Tuner(), lambda limit: 100e6).run(5)

    assert line.limits == [8, 16, 8]


def test_a_little_is_gained():
    """What brings a tenth is not worth twice the connections; what brings a fifth is."""
    assert Line(Tuner(), lambda limit: 100e6 + limit * 1e6).run(5).limits == [8, 16, 8]
    assert Line(Tuner(), lambda limit: 100e6 + limit * 4e6).run(5).limits == [8, 16, 8, 16]


def test_a_slow_beginning():
    """That the first second brings less is no merit of the connections that came later."""
    tuner = Tuner()
    line = Line(tuner, lambda limit: 75e6 if line.now < 1 else 115e6)
    line.run(5)

    assert line.limits == [8, 16, 8]


def test_more_than_a_connection_can_need():
    """Where this machine is the limit, fewer do as well, and more are not tried."""
    line = Line(Tuner(), lambda limit: 900e6).run(5)

    assert line.limits == [8, 4]


def test_it_takes_a_while_to_pay():
    """New connections bring nothing in their first moment."""
    tuner = Tuner()
    line = Line(tuner, lambda limit: 8e6 if line.now < 1.2 else limit * 1e6)
    line.run(5)

    assert line.limits == [8, 16]


def test_a_downloader_that_starts_anew():
    """Its bytes are counted from the beginning again, and that is no rate."""
    tuner = Tuner()
    tuner.received(50_000_000, 0.0)
    tuner.received(1_000_000, 0.9)

    assert not tuner.received(2_000_000, 1.1)
    assert tuner.limit == FIRST


def test_a_number_of_the_users():
    """It is neither raised nor lowered, but for a server that refuses as many."""
    tuner = Tuner(most=6, fixed=True)
    line = Line(tuner, lambda limit: limit * 1e6).run(3)
    assert line.limits == [6]

    assert tuner.refused(line.now, costly=False)
    assert tuner.limit == 3
    line.run(30)
    assert max(line.limits[1:]) <= 6
    assert tuner.limit == 5


def test_no_more_than_may_be():
    """A crew that is smaller than the most bounds it."""
    assert Tuner(most=2).limit == 2
    assert Line(Tuner(most=6), lambda limit: limit * 1e6).run(3).limits == [6]


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
    line = Line(tuner, lambda limit: limit * 1e6).run(1.2)
    assert tuner.limit == 16
    tuner.refused(line.now, costly=True)
    line.run(60)

    assert tuner.limit == 8
    assert max(line.limits) <= MOST


class LongLine(Line):
    """The same far away: each connection that is made shows how long the way is."""

    def __init__(self, tuner, speed, round_trip):
        super().__init__(tuner, speed)
        self.round_trip = round_trip
        self.made = 0

    def run(self, seconds):
        """As above, with a word on each new connection, a moment later."""
        end = self.now + seconds
        while self.now < end:
            while self.made < self.tuner.limit:
                self.made += 1
                self.tuner.connected("host", self.round_trip(self.made))
            super().run(0.05)
        return self


def test_a_long_line_that_is_full():
    """A ninth connection waits in front of it: there is nothing to gain by sixteen."""
    line = LongLine(Tuner(), lambda _: 100e6, lambda number: 0.04 if number <= 8 else 0.07).run(5)

    assert line.limits == [8, 9, 8]


def test_a_long_line_with_room():
    """The ninth is as quick as the others: it is the connections that are slow."""
    line = LongLine(Tuner(), lambda limit: limit * 2e6, lambda _: 0.04).run(5)

    assert line.limits == [8, 9, 16]


def test_a_long_line_is_seen_through_at_once():
    """What fills a line does so in a few round trips: no second at half the speed."""
    line = LongLine(Tuner(), lambda limit: limit * 2e6, lambda _: 0.04).run(0.7)

    assert line.limits == [8, 9, 16]


def test_a_playlist_that_is_waited_for():
    """The line is looked at when segments are on it, not before."""
    line = LongLine(Tuner(), lambda _: 2e4, lambda number: 0.04 if number <= 8 else 0.07)
    line.run(5)
    assert line.limits == [8]
    line.speed = lambda _: 100e6

    assert line.run(2).limits == [8, 9, 8]


def test_nobody_says_how_quick_the_ninth_is():
    """It is not waited for without an end."""
    line = LongLine(Tuner(), lambda limit: limit * 2e6, lambda _: 0.04)
    line.run(0.5)
    line.made = 100
    line.run(5)

    assert line.limits == [8, 9, 16]


def test_the_first_packet_of_the_ninth_is_lost():
    """The line is more than full. It is sent again a second later, and that is waited for."""
    tuner = Tuner()
    line = LongLine(tuner, lambda _: 100e6, lambda _: 0.04)
    line.run(0.5)
    line.made = 100
    line.run(1.2)
    assert line.limits == [8, 9]
    tuner.connected("host", 1.04)
    line.run(5)

    assert line.limits == [8, 9, 8]


def test_short_ways_say_nothing():
    """A busy machine is slow to answer, however near it is."""
    line = LongLine(Tuner(), lambda limit: limit * 2e6, lambda number: 0.0001 * number).run(5)

    assert line.limits == [8, 16]


def test_each_site_has_its_own_way():
    """That segments come from farther than the playlist does not mean that the line is full."""
    tuner = Tuner()
    tuner.connected("playlists", 0.01)
    line = LongLine(tuner, lambda limit: limit * 2e6, lambda _: 0.04).run(5)

    assert line.limits == [8, 9, 16]


def test_the_ninth_is_refused():
    """Then eight it is, and not half of what was borne."""
    tuner = Tuner()
    line = LongLine(tuner, lambda limit: limit * 2e6, lambda _: 0.04)
    while tuner.limit == FIRST:
        line.run(0.05)
    assert line.limits[-1] == 9
    assert tuner.refused(line.now, costly=False)

    line.run(1)
    assert tuner.limit == 8


@pytest.mark.parametrize(
    ("wanted", "rate", "limit", "most"),
    [
        (None, None, 8, 16),
        (3, None, 3, 3),
        (3, 1 << 20, 3, 3),
        (None, 1000, 2, 2),
        (None, 1 << 20, 2, 2),
        (None, 3 << 20, 6, 6),
        (None, 100 << 20, 8, 8),
    ],
)
def test_at_the_beginning(wanted: int | None, rate: int | None, limit: int, most: int) -> None:
    """As many as are asked for; at a limited rate no more than it takes."""
    tuner = tuner_for(wanted, rate)

    assert (tuner.limit, tuner.most) == (limit, most)
