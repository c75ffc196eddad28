from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pipeline.cli.thinning import Thinning
from pipeline.events import (
    Event,
    OutputPublished,
    Progress,
    RemuxProgress,
    SegmentsStored,
    Warned,
)


def progress(elapsed: float, done: int = 0) -> Progress:
    """A count at a moment."""
    return Progress(done, 100, done, "memory", 0, elapsed)


def admitted(events: list[Event], interval: float = 1.0) -> list[Event]:
    """What is shown of `events`."""
    thinning = Thinning(interval)
    return [shown for event in events for shown in thinning.admit(event)]


def test_counts_that_follow_too_closely_are_left_out() -> None:
    """The first count is shown, and then one a second."""
    events = [progress(elapsed) for elapsed in (0.1, 0.5, 1.0, 1.1, 1.9, 2.5)]

    assert admitted([*events]) == [progress(0.1), progress(1.1), progress(2.5)]


def test_the_last_count_is_shown() -> None:
    """The count at which everything is in comes out before the word that it is."""
    stored = SegmentsStored(100, None)

    assert admitted([progress(0.1), progress(0.2), progress(0.3, 100), stored]) == [
        progress(0.1),
        progress(0.3, 100),
        stored,
    ]


def test_the_counts_of_a_remux() -> None:
    """One a second, too, beginning with its own first, and the last of them."""
    stored, published = SegmentsStored(100, None), OutputPublished("video.mp4", 9)
    counts = [RemuxProgress("video.mp4", n, 9, n * 0.3) for n in range(1, 9)]

    shown = admitted([progress(0.1, 100), stored, *counts, published])

    assert shown == [progress(0.1, 100), stored, counts[0], counts[4], counts[7], published]


def test_another_remux() -> None:
    """Its time begins anew, and it is not kept waiting for the first one's."""
    counts = [RemuxProgress(name, 1, 9, 0.3) for name in ("one.mp4", "two.mp4")]

    assert admitted([RemuxProgress("one.mp4", 1, 9, 100.0), *counts]) == [
        RemuxProgress("one.mp4", 1, 9, 100.0),
        counts[0],
    ]


def test_no_count_is_shown_twice() -> None:
    """A last count that was due anyway is not repeated."""
    stored = SegmentsStored(100, None)

    assert admitted([progress(0.1, 100), stored]) == [progress(0.1, 100), stored]


@given(st.lists(st.floats(0, 0.7), max_size=50))
def test_other_events_pass_in_order(gaps: list[float]) -> None:
    """Nothing but counts is ever left out, and counts keep their distance."""
    moments = [sum(gaps[: i + 1]) for i in range(len(gaps))]
    events = [event for m in moments for event in (progress(m), Warned(str(m)))]

    shown = admitted(events)

    times = [event.elapsed for event in shown if isinstance(event, Progress)]
    assert [event for event in shown if isinstance(event, Warned)] == [
        event for event in events if isinstance(event, Warned)
    ]
    assert all(later - earlier >= 1.0 for earlier, later in pairwise(times))


def test_a_lull_lets_the_held_count_through() -> None:
    """A stalled run shows how far it is, once."""
    thinning = Thinning(1.0)
    thinning.admit(progress(0.0))
    thinning.admit(progress(0.5))

    assert thinning.lull() == [progress(0.5)]
    assert thinning.lull() == []
