"""Who may speak to the API over TCP."""

import stat
from pathlib import Path

import pytest

from pipeline.errors import StorageError
from pipeline.service.access import host_names, read_token
from tests.service.harness import TOKEN, URL, Harness

PATHS = ["/api/v1/jobs", "/events", "/healthz", "/metrics", "/nowhere"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "authorization", ["", f"Basic {TOKEN}", "Bearer", "Bearer t0ke", f"Bearer {TOKEN}x", "Bearer é"]
)
def test_without_the_token_nothing_is_answered(
    daemon: Harness, path: str, authorization: str
) -> None:
    """Not even whether the path is there."""
    headers = {"Authorization": authorization}
    answer = daemon.ask("GET", path, headers=headers, tcp=True)

    assert answer.status == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.error


@pytest.mark.parametrize("host", ["evil.test", "127.0.0.1.evil.test", "evil.test:80", "", "[::1"])
def test_a_foreign_host_is_refused(daemon: Harness, host: str) -> None:
    """A page that has rebound its name sends that name, even if it knew the token."""
    answer = daemon.ask("GET", "/healthz", headers={"Host": host}, tcp=True)

    assert answer.status == 421
    assert "not called so" in answer.error


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "LOCALHOST", "[::1]:{port}", "nas.local:1"])
def test_its_own_names_are_fine(daemon: Harness, host: str) -> None:
    """Those of this machine, and what --allow-host adds; with any port, for a proxy's sake."""
    headers = {"Host": host.format(port=daemon.port)}

    assert daemon.ask("GET", "/healthz", headers=headers, tcp=True).status == 200


def test_with_the_token_everything_works(daemon: Harness) -> None:
    """The same API."""
    answer = daemon.ask("POST", "/api/v1/jobs", {"url": URL}, tcp=True)

    assert answer.status == 201
    assert "access-control-allow-origin" not in {name.lower() for name in answer.headers}


def test_names_of_a_server() -> None:
    """An IPv6 address is written in brackets."""
    assert host_names("FD00::1", ["Nas"]) == {"localhost", "127.0.0.1", "[::1]", "[fd00::1]", "nas"}


def test_the_token_is_made_once(tmp_path: Path) -> None:
    """For its owner's eyes."""
    path = tmp_path / "token"
    token = read_token(path)

    assert len(token) >= 40
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_token(path) == token


def test_a_token_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """It may be known already."""
    path = tmp_path / "token"
    read_token(path)
    path.chmod(0o640)

    with pytest.raises(StorageError, match="chmod 600"):
        read_token(path)


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\n"])
def test_a_file_without_a_token_is_refused(tmp_path: Path, content: bytes) -> None:
    """An empty token would let everybody in."""
    path = tmp_path / "token"
    path.touch(mode=0o600)
    path.write_bytes(content)

    with pytest.raises(StorageError, match="token"):
        read_token(path)
