"""Who logs in where."""

from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.net import logins
from pipeline.net.logins import authorization


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home without a .netrc."""
    monkeypatch.delenv("NETRC", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    logins._netrc.cache_clear()
    yield tmp_path
    logins._netrc.cache_clear()


def login(url: str) -> str | None:
    """Name and password that `url` is asked for with."""
    header = authorization(url)
    return header and b64decode(header.removeprefix("Basic ")).decode()


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("http://host/", None),
        ("http://host/a@b", None),
        ("http://me:secret@host/", "me:secret"),
        ("http://me%40home:a%3Ab@host/", "me@home:a:b"),
        ("http://me@host/", "me:"),
    ],
)
def test_credentials_in_a_url(url: str, found: str | None) -> None:
    """Decoded, and only where they stand before the host."""
    assert login(url) == found


def test_netrc(home: Path) -> None:
    """By host; a URL's own credentials go before."""
    (home / ".netrc").write_text("machine host login me password secret\n")

    assert login("http://host/") == "me:secret"
    assert login("http://you:own@host/") == "you:own"
    assert login("http://other/") is None


def test_netrc_for_all_hosts(home: Path) -> None:
    """As `default` says."""
    (home / "_netrc").write_text("default login me password secret\n")

    assert login("http://any/") == "me:secret"


def test_netrc_somewhere_else(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """$NETRC names it."""
    (home / "own").write_text("machine host login me password secret\n")
    monkeypatch.setenv("NETRC", str(home / "own"))

    assert login("http://host/") == "me:secret"


@pytest.mark.parametrize("text", ["machine", "\x00\xff", "nonsense here\n"])
def test_netrc_that_cannot_be_read(text: str, home: Path) -> None:
    """It is left alone."""
    (home / ".netrc").write_bytes(text.encode("latin-1"))

    assert login("http://host/") is None


def test_a_home_that_cannot_be_looked_into(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has no logins; requests without one are made all the same."""
    monkeypatch.setenv("HOME", f"/{'x' * 5000}")
    logins._netrc.cache_clear()

    assert login("http://host/") is None
