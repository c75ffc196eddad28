"""Names of outputs that are to differ."""

from itertools import islice

import pytest

from pipeline.jobs.naming import clashing, possible
from pipeline.service.names import numbered


def test_a_settled_name_has_no_other() -> None:
    """It is what the client wants, or nothing."""
    assert list(numbered("show.ts", 5)) == ["show.ts"]


def test_an_open_end_is_numbered() -> None:
    """By small numbers first, then by one that nobody else has."""
    names = list(islice(numbered("a/show.{ext}", 300), 11))

    assert names[:2] == ["a/show.{ext}", "a/show-2.{ext}"]
    assert names[8:] == ["a/show-9.{ext}", "a/show-300.{ext}", "a/show-301.{ext}"]
    assert list(islice(numbered("show.{ext}", 3), 10))[-1] == "show-10.{ext}"


@pytest.mark.parametrize(
    ("one", "other", "clash"),
    [
        ("show.ts", "show.ts", True),
        ("show.{ext}", "show.mp4", True),
        ("show.{ext}", "show.{ext}", True),
        ("show.ts", "show.mp4", False),
        ("show.{ext}", "show.txt", False),
        ("show", "show.{ext}", False),
    ],
)
def test_what_may_turn_out_the_same_clashes(one: str, other: str, clash: bool) -> None:
    """Whichever of the two is asked."""
    assert (other in clashing(one)) == clash
    assert (one in clashing(other)) == clash


def test_what_an_open_end_may_become() -> None:
    """Whatever ending an output may get; a settled name stays."""
    assert {"show.ts", "show.mp4", "show.m4a"} <= set(possible("show.{ext}"))
    assert possible("show.ts") == ["show.ts"]
