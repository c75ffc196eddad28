"""Cookies: whom they go to, and how many are taken."""

import threading
from pathlib import Path

import pytest

from pipeline.errors import UsageError
from pipeline.net import cookies as cookie_module
from pipeline.net.cookies import Cookies

URL = "http://host.example/a/b.ts"

FILE = """# Netscape HTTP Cookie File
host.example\tFALSE\t/\tFALSE\t0\tplain\t1
host.example\tFALSE\t/\tTRUE\t0\tsecure\t2
.example\tTRUE\t/\tFALSE\t0\twide\t3
other.example\tFALSE\t/\tFALSE\t4102444800\tother\t4
host.example\tFALSE\t/\tFALSE\t1\tstale\t5
host.example\tFALSE\t/\tFALSE\t\tempty\t6
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Cookies of several hosts."""
    path = tmp_path / "cookies.txt"
    path.write_text(FILE)
    return path


def names(cookies: Cookies, url: str = URL) -> set[str]:
    """The names of the cookies that go to `url`."""
    return {pair.partition("=")[0] for pair in (cookies.header_for(url) or "").split("; ")} - {""}


def test_those_of_a_file(file: Path) -> None:
    """Each goes to the host that it names, in the clear only if it may, and not after its time."""
    cookies = Cookies(file)

    assert names(cookies) == {"plain", "wide", "empty"}
    assert names(cookies, "https://host.example/") == {"plain", "secure", "wide", "empty"}
    assert names(cookies, "http://other.example/") == {"other", "wide"}
    assert names(cookies, "http://host.example.evil/") == set()


@pytest.mark.parametrize(
    ("field", "url", "sent"),
    [
        ("a=1", "http://host.example/x", True),
        ("a=1", "http://other.example/x", False),
        ("a=1; Domain=other.example", "http://other.example/x", False),
        ("a=1; Domain=example", "http://other.example/x", False),
        ("a=1; Path=/elsewhere", URL, False),
        ("a=1; Path=/a; Secure", URL, False),
        ("a=1; Max-Age=0", URL, False),
    ],
)
def test_those_that_servers_set(field: str, url: str, sent: bool) -> None:
    """They go back to where they came from."""
    cookies = Cookies(None)
    cookies.take(URL, [f"{field}{'' if 'Path' in field else '; Path=/'}"])

    assert ("a" in names(cookies, url)) is sent


def test_no_more_than_a_browser_would_take(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A jar that is full takes new values, and no new names; nothing of a file is lost."""
    monkeypatch.setattr(cookie_module, "_MOST_TAKEN", 3)
    cookies = Cookies(file)
    for number in range(10):
        cookies.take(URL, [f"a{number}=1; Path=/", "session=old; Path=/"])
    cookies.take(URL, ["session=new; Path=/", f"a0={'x' * 5000}; Path=/"])

    assert names(cookies) == {"plain", "wide", "empty", "session", "a0", "a1"}
    assert "session=new" in str(cookies.header_for(URL))
    assert "a0=1" in str(cookies.header_for(URL))


@pytest.mark.parametrize(
    "content", [b"", b"plain text", b"\xff\xfe"], ids=["nothing", "text", "binary"]
)
def test_files_that_hold_no_cookies(content: bytes, tmp_path: Path) -> None:
    """They are refused by their name."""
    path = tmp_path / "cookies.txt"
    path.write_bytes(content)

    with pytest.raises(UsageError, match=r"cookies\.txt"):
        Cookies(path)


def test_those_that_others_were_given() -> None:
    """They go where they would have gone; what is known already is not told again."""
    told: list[object] = []
    cookies = Cookies(None, lambda url, fields: told.append(fields))

    assert cookies.learn(URL, ["a=1; Path=/"]) == ["a=1; Path=/"]
    assert cookies.learn(URL, ["a=1; Path=/"]) == []
    cookies.take(URL, ["a=1; Path=/"])
    assert told == []
    assert names(cookies) == {"a"}
    assert names(cookies, "http://other.example/") == set()


def test_the_first_ones_of_two_threads() -> None:
    """Both are in the one jar that there is."""
    for _ in range(50):
        cookies, both = Cookies(None), threading.Barrier(2)

        def take(name: str, cookies: Cookies = cookies, both: threading.Barrier = both) -> None:
            both.wait()
            cookies.take(URL, [f"{name}=1; Path=/"])

        threads = [threading.Thread(target=take, args=(name,)) for name in "ab"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert names(cookies) == {"a", "b"}
