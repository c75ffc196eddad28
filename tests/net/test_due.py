"""Answers that are due: kept for whom they are, and not for long."""

import threading
import time

import pytest

from pipeline.net import due as dues
from pipeline.net.connections import Site
from pipeline.net.due import Due

SITE = Site("http", "host", 80)


class Waiting:
    """A connection on which an answer is due."""

    closed = False

    round_trip = 0.0

    def close(self) -> None:
        """It waits no more."""
        self.closed = True


def test_each_answer_is_found_once() -> None:
    """By where it comes from and by what was asked for."""
    due, one, other = Due(), Waiting(), Waiting()
    due.expect((SITE, "/a"), one)
    due.expect((SITE._replace(port=81), "/a"), other)

    assert due.take((SITE, "/b")) is None
    assert due.take((SITE, "/a")) is one
    assert due.take((SITE, "/a")) is None
    assert not due.knows((SITE, "/a"))
    assert not one.closed


def test_the_newest_answer_counts() -> None:
    """What was asked for twice comes once."""
    due, one, other = Due(), Waiting(), Waiting()
    due.expect((SITE, "/a"), one)
    due.expect((SITE, "/a"), other)

    assert one.closed
    assert due.take((SITE, "/a")) is other


def test_answers_that_nobody_comes_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are closed before they are old, and when a download ends."""
    monkeypatch.setattr(dues, "KEPT_SECONDS", 0.05)
    due = Due()
    first, second, third = [Waiting() for _ in range(3)]
    due.expect((SITE, "/1"), first)
    due.expect((SITE, "/2"), second)
    time.sleep(0.1)
    due.expect((SITE, "/3"), third)
    assert (first.closed, second.closed, third.closed) == (True, True, False)
    time.sleep(0.1)
    due.forget()

    assert third.closed


def test_nothing_is_due_after_the_end() -> None:
    """All of them are closed."""
    due, one = Due(), Waiting()
    due.expect((SITE, "/a"), one)
    due.close()

    assert one.closed
    assert due.take((SITE, "/a")) is None


def test_a_request_that_is_being_sent() -> None:
    """Who wants its answer waits, instead of asking once more."""
    due, one = Due(), Waiting()
    found: list[object] = []
    due.announce((SITE, "/a"))
    assert due.claim((SITE, "/a"))
    thread = threading.Thread(target=lambda: found.append(due.take((SITE, "/a"))))
    thread.start()
    assert due.knows((SITE, "/a"))
    assert due.take((SITE, "/b")) is None  # nobody else has to wait
    due.expect((SITE, "/a"), one)
    due.settle((SITE, "/a"))
    thread.join(10)

    assert found == [one]


def test_a_request_that_was_going_to_be_sent() -> None:
    """Whoever wants its answer first makes it: it is not sent any more."""
    due = Due()
    due.announce((SITE, "/a"))
    assert due.knows((SITE, "/a"))
    assert due.take((SITE, "/a")) is None

    assert not due.claim((SITE, "/a"))
    assert not due.knows((SITE, "/a"))


def test_a_far_server_has_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was asked for needs a round trip, and what is waited for takes one or two as well."""
    monkeypatch.setattr(dues, "KEPT_SECONDS", 0.0)
    due, near, far = Due(), Waiting(), Waiting()
    far.round_trip = 5.0
    due.expect((SITE, "/near"), near)
    due.expect((SITE, "/far"), far)
    time.sleep(0.01)
    due.forget()

    assert (near.closed, far.closed) == (True, False)


def test_what_is_given_up() -> None:
    """It is closed, or not asked for at all; what others have asked for is left alone."""
    due, one, other = Due(), Waiting(), Waiting()
    due.expect((SITE, "1 /a"), one)
    due.expect((SITE, "11 /a"), other)
    for what in ("1 /b", "11 /b"):
        due.announce((SITE, what))
    due.forget_all_of("1 ")

    assert (one.closed, other.closed) == (True, False)
    assert not due.claim((SITE, "1 /b"))
    assert due.claim((SITE, "11 /b"))
