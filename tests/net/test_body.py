"""Bodies that end as they were announced, at no more than the rate that is allowed."""

import pytest

from pipeline.net import body as bodies
from pipeline.net.body import Body, read_body
from pipeline.net.failure import FetchFailure, Patience
from pipeline.net.lag import Lag
from pipeline.net.meter import Meter
from tests.net.answering import Given

DATA = bytes(range(256)) * 40


class Purse:
    """An allowance that gives a little at a time, on a clock that it moves itself."""

    def __init__(self, each: int, seconds: float = 0.0) -> None:
        self.now = 0.0
        self.taken = self.given_back = 0
        self._each = each
        self._seconds = seconds

    def clock(self) -> float:
        return self.now

    def take(self, wanted: int) -> int:
        self.now += self._seconds
        allowed = min(wanted, self._each)
        self.taken += allowed
        return allowed

    def give_back(self, size: int) -> None:
        self.given_back += size


@pytest.mark.parametrize("each", [1, 100, 1 << 20])
@pytest.mark.parametrize("step", [7, 5000])
def test_what_is_read_is_what_was_allowed(each: int, step: int) -> None:
    """Every byte is paid for, also those that are passed over, and none twice."""
    purse = Purse(each)
    answer = Given(body=DATA, length=len(DATA), step=step)

    found = read_body(Body(answer, 1000, (1000, 5000), 20.0, purse), 1 << 20)

    assert found == DATA[1000:6000]
    assert purse.taken - purse.given_back == 6000


def test_reads_are_counted() -> None:
    """As they come, and not only when a whole view is full."""
    meter = Meter()
    lag = Lag(lambda: 0.0, meter)
    body = Body(Given(body=DATA, length=None, step=100), 0, None, 20.0, lag=lag)
    counted: list[int] = []
    read = body._read
    body._read = lambda view: counted.append(meter.bytes) or read(view)

    assert read_body(body, 1 << 20) == DATA
    assert counted[1] == 100
    assert meter.bytes == len(DATA)


def test_waiting_for_leave_is_not_the_servers_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rate far below the floor, over more than the longest time for a body, is no failure."""
    purse = Purse(each=100, seconds=60.0)
    monkeypatch.setattr(bodies.time, "monotonic", purse.clock)

    body = Body(Given(body=DATA, length=len(DATA)), 0, None, 20.0, purse)

    assert read_body(body, 1 << 20) == DATA
    assert purse.now > 3600


def test_a_server_that_drips_is_too_slow_for_any_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave that is there at once excuses nobody."""
    purse = Purse(each=100)
    answer = Given(body=DATA, length=len(DATA), step=1)
    monkeypatch.setattr(bodies.time, "monotonic", purse.clock)
    slow = answer.read_into

    def drip(view: memoryview) -> int:
        purse.now += 1.0
        return slow(view)

    answer.read_into = drip

    with pytest.raises(FetchFailure, match="too slow"):
        read_body(Body(answer, 0, None, 20.0, purse), 1 << 20)


def test_body_without_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody has announced is read up to a limit; what has been, to its end."""
    monkeypatch.setattr(bodies, "MOST_UNANNOUNCED", 5000)
    endless = Body(Given(body=DATA), 0, None, 10.0)
    announced = Body(Given(body=DATA, length=len(DATA)), 0, None, 10.0)

    assert read_body(announced, len(DATA)) == DATA
    with pytest.raises(FetchFailure, match="never said how large"):
        read_body(endless, len(DATA))


def test_a_length_that_nothing_has() -> None:
    """What is announced is believed up to the size of a long film."""
    with pytest.raises(FetchFailure, match="by the server's own account") as caught:
        bodies.refuse_immense(1 << 62)
    assert caught.value.patience is Patience.NEVER
    bodies.refuse_immense(60 << 30)
    bodies.refuse_immense(None)
