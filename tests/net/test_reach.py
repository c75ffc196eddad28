"""How far a playlist may lead."""

import pytest

from pipeline.net.failure import FetchFailure, Patience
from pipeline.net.reach import Reach

PUBLIC, PRIVATE = "93.184.216.34", "10.0.0.1"
ORIGIN = "http://example.com/show.m3u8"
ELSEWHERE = "http://cdn.example.com/1.ts"


def test_everything_unless_asked() -> None:
    """Without `block_private` nothing is looked at."""
    reach = Reach(ORIGIN, False, None)
    reach.examine(ELSEWHERE, PRIVATE)
    reach.examine_url("http://127.0.0.1/")

    assert not reach.public_only
    assert reach.origin_private is None


def test_public_origin_leads_to_public_addresses() -> None:
    """A private one is refused for good, at whatever name."""
    reach = Reach(ORIGIN, True, None)
    reach.examine(ORIGIN, PUBLIC)
    reach.examine(ELSEWHERE, PUBLIC)

    with pytest.raises(FetchFailure, match="--allow-private") as caught:
        reach.examine(ELSEWHERE, PRIVATE)
    assert caught.value.patience is Patience.NEVER


def test_private_origin_allows_private_addresses() -> None:
    """The user's own URL sets what is allowed."""
    reach = Reach(ORIGIN, True, None)
    reach.examine(ORIGIN, PRIVATE)
    reach.examine(ELSEWHERE, PRIVATE)

    assert not reach.public_only


def test_name_that_changes_its_address() -> None:
    """What the origin was at first is what counts: rebinding it gains nothing."""
    reach = Reach(ORIGIN, True, None)
    reach.examine(ORIGIN, PUBLIC)

    with pytest.raises(FetchFailure):
        reach.examine(ORIGIN, PRIVATE)


def test_nothing_is_learnt_from_other_hosts() -> None:
    """Before the origin has been seen, only public addresses will do."""
    reach = Reach(ORIGIN, True, None)
    with pytest.raises(FetchFailure):
        reach.examine(ELSEWHERE, PRIVATE)

    assert reach.origin_private is None


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "2130706433", "0x7f.1", "0177.0.0.1", "10.1", "localhost", "LOCALHOST.",
     "a.localhost", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254"],
)  # fmt: skip
def test_private_hosts_are_not_asked_of_a_proxy(host: str) -> None:
    """However they are spelt."""
    reach = Reach(ORIGIN, True, False)

    with pytest.raises(FetchFailure):
        reach.examine_url(f"http://{host}/")


def test_names_are_left_to_a_proxy() -> None:
    """It resolves them, and knows what it may reach."""
    reach = Reach(ORIGIN, True, False)
    reach.examine_url(ELSEWHERE)
    reach.examine_url("http://8.8.8.8/")

    assert reach.public_only
