"""Is an answer the answer to what was asked?"""

import pytest

from pipeline.errors import NetworkError, SegmentsMissingError
from pipeline.net.answers import Answer, check_status, range_to_skip, retry_after
from pipeline.net.failure import FetchFailure, Patience
from tests.net.answering import Given


def answer(status: int = 200, **headers: str) -> Answer:
    """The head of an answer."""
    return Given(status, {name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize(
    ("status", "error", "patience"),
    [
        (404, SegmentsMissingError, Patience.FEW),
        (401, SegmentsMissingError, Patience.EXPIRED),
        (403, SegmentsMissingError, Patience.EXPIRED),
        (410, SegmentsMissingError, Patience.EXPIRED),
        (429, NetworkError, Patience.BUSY),
        (500, NetworkError, Patience.FULL),
        (503, NetworkError, Patience.BUSY),
        (304, NetworkError, Patience.FEW),
    ],
)
def test_a_status_has_its_meaning(status: int, error: type, patience: Patience) -> None:
    """What may pass is tried again for long, what is gone hardly."""
    with pytest.raises(FetchFailure, match=f"HTTP {status}") as caught:
        check_status(answer(status))

    assert (caught.value.error, caught.value.patience) == (error, patience)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("3", 3.0),
        ("9" * 30, 1e9),
        ("", None),
        ("soon", None),
        ("²", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
    ],
)
def test_retry_after(text: str, seconds: float | None) -> None:
    """Seconds or a date; anything else is as if it were not there."""
    assert retry_after(answer(503, retry_after=text)) == seconds


@pytest.mark.parametrize(
    ("response", "skip"),
    [
        (answer(206, content_range="bytes 100-149/1000"), 0),
        (answer(206, content_range="bytes 100-149/*"), 0),
        (answer(200, content_length="150"), 100),
        (answer(200), 100),
        (answer(200, content_length="²"), 100),
    ],
    ids=["the range", "of unknown size", "the whole", "without a length", "nonsense"],
)
def test_a_range_that_can_be_used(response: Answer, skip: int) -> None:
    """A 206 is the range itself; a 200 is the whole, of which the head is passed over."""
    assert range_to_skip(response, (100, 50)) == skip


@pytest.mark.parametrize(
    "response",
    [
        answer(206, content_range="bytes 0-49/1000"),
        answer(206, content_range="bytes 100-148/1000"),
        answer(206, content_range="bytes 100-" + "9" * 5000 + "/1000"),
        Given(206, {"content-range": "bytes 100-149/1000"}, length=49),
        answer(206),
        answer(200, content_length="149"),
    ],
    ids=["another", "a shorter one", "absurd", "a lie", "none at all", "a whole that is short"],
)
def test_a_range_that_cannot(response: Answer) -> None:
    """Anything but the range that was asked for is a failure, and never output."""
    with pytest.raises(FetchFailure):
        range_to_skip(response, (100, 50))


def test_a_part_that_nobody_asked_for() -> None:
    """A 206 in answer to a plain request is not the whole."""
    with pytest.raises(FetchFailure, match="part"):
        range_to_skip(answer(206, content_range="bytes 0-9/100"), None)
