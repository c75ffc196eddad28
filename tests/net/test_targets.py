"""Where a URL leads: one reading of it, whoever sends the request."""

from urllib.parse import urlsplit

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from urllib3.util import parse_url

from pipeline.net.failure import FetchFailure, Patience
from pipeline.net.targets import target_of


@pytest.mark.parametrize(
    ("url", "place", "path"),
    [
        ("http://host/a?b", "http://host", "/a?b"),
        ("HTTPS://Host:8443", "https://host:8443", "/"),
        ("http://user:pass@host/a#b", "http://host", "/a"),
        ("http://host/\\@other/", "http://host", "/%5C@other/"),
        ("http://host?@other/", "http://host", "/?@other/"),
        ("http://[::1]:80/x", "http://[::1]:80", "/x"),
        ("http://b\u00fccher.example/", "http://xn--bcher-kva.example", "/"),
        ("http://\u2460\u2461\u2466.\u24ea.\u24ea.\u2460/", "http://127.0.0.1", "/"),
    ],
    ids=["plain", "capitals", "login", "backslash", "question mark", "IPv6", "IDN", "circled"],
)
def test_what_a_url_says(url: str, place: str, path: str) -> None:
    """Host and port, and what is asked for there; all else is mended or left out."""
    target = target_of(url)

    assert (target.place, target.path) == (place, path)
    assert target.clean == place + path
    assert target.url == url


@pytest.mark.parametrize(
    "url",
    [
        "http://",
        "http:///x",
        "http://host:99999/",
        "http://host:x/",
        "http://[::1/",
        "ftp://h/",
        "http:\\\\host/x",
        "http://127.0.0.1\\@host/x",
        "http://user\\:pass@host/",
        "http://127%2e0.0.1/",
        "http://a b/",
        "http://a\0b/",
        "http://\u2100.example/",
        "http://a\udc80b/",
    ],
)
def test_what_leads_nowhere(url: str) -> None:
    """What is no URL, or one that others may read in another way: refused, whatever it is."""
    with pytest.raises(FetchFailure, match="not valid") as caught:
        target_of(url)

    assert caught.value.patience is Patience.NEVER


ODD = st.text(st.sampled_from("ab1.:/\\@?#%[]$;~ \t\u2460\uff0e\u3002e2f0x"), max_size=14)


@given(ODD, ODD)
def test_all_read_the_same(before: str, after: str) -> None:
    """The host that is judged is the one that requests and urllib3 would ask, if they do."""
    try:
        target = target_of(f"http://{before}host{after}")
        prepared = requests.PreparedRequest()
        prepared.prepare_url(target.clean, None)
    except (FetchFailure, requests.exceptions.InvalidURL):
        return
    host = urlsplit(target.clean).hostname

    assert urlsplit(str(prepared.url)).hostname == host
    assert (parse_url(target.clean).host or "").strip("[]") == host
