"""Origins, and what belongs to them alone."""

import pytest

from pipeline.net.hosts import HostPauses, may_see_user_headers


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://a.example/x", True),
        ("http://A.example:80/y", True),
        ("https://a.example/x", True),
        ("http://a.example:8080/x", False),
        ("http://b.example/x", False),
        ("http://a.example.evil/x", False),
        ("http://a.example@evil/x", False),
    ],
)
def test_headers_stay_with_their_origin(url: str, allowed: bool) -> None:
    """Scheme, host and port decide; the step up to https is allowed."""
    assert may_see_user_headers(url, "http://a.example/list.m3u8") is allowed


def test_there_is_no_step_down() -> None:
    """What was given for https is never sent in the clear."""
    assert not may_see_user_headers("http://a.example/x", "https://a.example/list.m3u8")


@pytest.mark.parametrize("url", ["http://a.example:99999/", "http://a.example:x/", "http://[::1/"])
def test_what_is_no_url_belongs_to_nobody(url: str) -> None:
    """It sees no headers, of whatever origin, and pauses nobody."""
    pauses = HostPauses()
    pauses.pause("http://a.example/", 20.0)

    assert not may_see_user_headers(url, "http://a.example/list.m3u8")
    assert not may_see_user_headers(url, url)
    assert pauses.until(url) == 0.0


def test_a_pause_is_for_the_whole_host() -> None:
    """One answer of 429 is meant for every connection, and a shorter one does not end it."""
    pauses = HostPauses()
    pauses.pause("http://a.example/1.ts", 20.0)
    pauses.pause("http://a.example/2.ts", 10.0)

    assert pauses.until("http://a.example/3.ts") == 20.0
    assert pauses.until("http://b.example/3.ts") == 0.0
