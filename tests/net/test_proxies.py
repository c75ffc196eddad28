"""Whether there is a proxy."""

from collections.abc import Iterator

import pytest

from pipeline.net import proxies
from pipeline.net.proxies import has_proxy


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An environment without a word of proxies."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    proxies._has_setting.cache_clear()
    yield
    proxies._has_setting.cache_clear()


def test_none() -> None:
    """Nothing asked for, nothing set."""
    assert not has_proxy(None)


def test_by_option() -> None:
    """The user has said so."""
    assert has_proxy("http://proxy:3128")


@pytest.mark.parametrize("name", ["http_proxy", "HTTPS_PROXY", "all_proxy"])
def test_by_variable(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In either spelling."""
    monkeypatch.setenv(name, "http://proxy:3128")

    assert has_proxy(None)


@pytest.mark.parametrize(("name", "value"), [("no_proxy", "localhost"), ("http_proxy", "")])
def test_no_proxy(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exceptions alone are no proxy, and an empty name is none."""
    monkeypatch.setenv(name, value)

    assert not has_proxy(None)
