"""Sockets and the lock of a daemon."""

import os
import socket
import stat
from pathlib import Path

import pytest

from pipeline.errors import AlreadyRunningError, NetworkError, StorageError
from pipeline.service.sockets import listen_tcp, listen_unix, lock


def test_one_daemon_for_a_state_directory(tmp_path: Path) -> None:
    """The lock ends with its holder; the directory is for its owner alone."""
    descriptor = lock(tmp_path / "a" / "state")
    with pytest.raises(AlreadyRunningError, match="Another daemon has the state directory"):
        lock(tmp_path / "a" / "state")
    os.close(descriptor)

    os.close(lock(tmp_path / "a" / "state"))
    assert stat.S_IMODE((tmp_path / "a" / "state").stat().st_mode) == 0o700


def test_a_state_directory_that_cannot_be(tmp_path: Path) -> None:
    """One sentence with its path."""
    (tmp_path / "file").touch()

    with pytest.raises(StorageError, match="state directory"):
        lock(tmp_path / "file" / "state")


def test_the_socket_is_for_owner_and_group(tmp_path: Path) -> None:
    """Whatever the umask; its directory is made."""
    with listen_unix(tmp_path / "run" / "sock"):
        assert stat.S_IMODE((tmp_path / "run" / "sock").stat().st_mode) == 0o660
    assert os.umask(os.umask(0o022)) != 0o117


def test_what_a_dead_daemon_left_is_replaced(tmp_path: Path) -> None:
    """One that lives is left alone."""
    listen_unix(tmp_path / "sock").close()
    with listen_unix(tmp_path / "sock") as listener:
        listener.listen()
        with pytest.raises(AlreadyRunningError, match="Another daemon listens"):
            listen_unix(tmp_path / "sock")


@pytest.mark.parametrize("name", ["file", "x" * 200])
def test_what_is_no_socket_is_not_replaced(tmp_path: Path, name: str) -> None:
    """A slip in --socket costs nobody a file."""
    (tmp_path / "file").write_text("precious")

    with pytest.raises(StorageError, match="cannot be made"):
        listen_unix(tmp_path / name)
    assert (tmp_path / "file").read_text() == "precious"


def test_an_address_that_is_taken_or_none() -> None:
    """One sentence with the address."""
    with listen_tcp("127.0.0.1", 0) as listener:
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(NetworkError, match=f"Cannot listen on 127.0.0.1:{port}"):
            listen_tcp("127.0.0.1", port)
    with pytest.raises(NetworkError, match="no address to listen on"):
        listen_tcp("256.1.1.1", 0)


def test_an_ipv6_address_is_fine() -> None:
    """Where the machine has one."""
    if not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    try:
        listener = listen_tcp("::1", 0)
    except NetworkError as error:
        pytest.skip(str(error))
    with listener:
        assert listener.family is socket.AF_INET6
