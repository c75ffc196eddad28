"""One connection: what comes on it that was not asked for, and what does not come."""

import socket

import pytest

from pipeline.net import connection as connection_module
from pipeline.net.connection import Connection, Stale
from tests.net.serving import ANSWER, REQUEST


def test_more_than_was_asked_for() -> None:
    """What has come on an idle connection is no answer to the next request."""
    server, client = socket.socketpair()
    connection = Connection(client, 5.0)
    server.sendall(ANSWER)
    assert connection.ask(REQUEST).status == 200
    assert connection.rest()
    assert connection.wake()
    server.sendall(ANSWER)

    assert not connection.wake()
    connection.close()
    server.close()


def silent(timeout: float) -> tuple[Connection, socket.socket]:
    """A connection that was made ahead, and its other end, which says nothing."""
    client, server = socket.socketpair()
    connection = Connection(client, timeout)
    assert connection.rest()
    return connection, server


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was sent beforehand is looked after ten times a second."""
    monkeypatch.setattr(connection_module, "_DUE_SECONDS", 0.1)


@pytest.mark.usefixtures("impatient")
class TestMadeAhead:
    """The first request on a connection that was made for it, and has no answer."""

    def test_others_are_served(self) -> None:
        """The server may have no worker for it: that is no failure of the request."""
        connection, server = silent(30.0)
        with server, pytest.raises(Stale):
            connection.ask(REQUEST, lambda: True)
        connection.close()

    def test_nobody_is_served(self) -> None:
        """The server takes its time, and has it."""
        connection, server = silent(30.0)
        looks: list[bool] = []

        def others_are_served() -> bool:
            looks.append(False)
            if len(looks) == 3:
                server.sendall(ANSWER)
            return False

        with server:
            assert connection.ask(REQUEST, others_are_served).status == 200
        connection.close()

    def test_nobody_is_ever_served(self) -> None:
        """That takes as long as with any other request."""
        connection, server = silent(0.35)
        with server, pytest.raises(TimeoutError):
            connection.ask(REQUEST, lambda: False)
        connection.close()
