"""The client, where a daemon is not as it should be."""

import socket
import threading
from pathlib import Path

import pytest

from pipeline.errors import NetworkError
from pipeline.service.client import ServiceClient, usual_socket


def test_the_users_own_daemon_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If there is one."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert usual_socket() == Path("/run/hlspipe/hlspipe.sock")
    (tmp_path / "hlspipe").mkdir()
    (tmp_path / "hlspipe" / "hlspipe.sock").touch()

    assert usual_socket() == tmp_path / "hlspipe" / "hlspipe.sock"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"junk\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\njunk",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n5",
        b"HTTP/1.1 500 Oops\r\nContent-Length: 2\r\n\r\n{}",
    ],
    ids=["nothing", "junk", "no JSON", "short", "no object", "no reason"],
)
def test_what_is_no_answer_is_an_error_in_a_sentence(tmp_path: Path, answer: bytes) -> None:
    """Something else may listen there."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(tmp_path / "sock"))
        listener.listen()

        def serve() -> None:
            with listener.accept()[0] as client:
                client.recv(65536)
                client.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(NetworkError, match="daemon"):
            ServiceClient(tmp_path / "sock").service()
        thread.join()


def test_a_socket_that_nobody_serves_any_more(tmp_path: Path) -> None:
    """A daemon that was killed leaves it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(tmp_path / "sock"))

    with pytest.raises(NetworkError, match="No daemon listens"):
        ServiceClient(tmp_path / "sock").service()


def test_a_path_too_long_for_a_socket(tmp_path: Path) -> None:
    """The system allows 107 bytes."""
    with pytest.raises(NetworkError, match="does not answer"):
        ServiceClient(tmp_path / ("x" * 200)).service()
