"""Connections that are kept: used again while they are good, and not a moment longer."""

import socket
import threading

import pytest

from pipeline.net import connection as connection_module
from pipeline.net import connections as sites
from pipeline.net.connections import Connections, Site
from tests.net.serving import FOLLOWING, REQUEST, Server, ask, connect_to, following


def test_a_connection_is_used_again(server: Server) -> None:
    """Three requests, one connection."""
    server.plan = [(3, False)]
    server.start()
    connections = Connections(4)

    assert [ask(connections, server) for _ in range(3)] == [200] * 3
    server.join()
    assert server.made == 1
    connections.close()


def test_closed_between_two_requests(server: Server) -> None:
    """It is noticed before the request is sent, and another connection is made."""
    server.plan = [(1, False), (1, False)]
    server.start()
    connections = Connections(4)
    ask(connections, server)
    while not _has_ended(connections):
        pass

    assert ask(connections, server) == 200
    server.join()
    assert server.made == 2
    connections.close()


def _has_ended(connections: Connections) -> bool:
    (idle,) = connections._idle.values()
    return not idle[0].wake()


def test_closed_at_the_moment_of_the_request(server: Server) -> None:
    """The end of the connection is no answer: the request is made once more."""
    server.plan = [(1, True), (1, False)]
    server.start()
    connections = Connections(4)
    ask(connections, server)

    assert ask(connections, server) == 200
    server.join()
    assert server.made == 2
    connections.close()


def test_reset_in_the_place_of_an_answer(server: Server) -> None:
    """A server that gives up a connection may do so with a reset: nothing has failed."""
    server.plan = [(1, True), (1, False)]
    server.resets = True
    server.start()
    connections = Connections(4)
    ask(connections, server)

    assert ask(connections, server) == 200
    server.join()
    assert server.made == 2
    connections.close()


def test_no_more_idle_ones_than_wanted() -> None:
    """What goes over that is closed at once."""
    site = Site("http", "host", 80)
    pairs = [socket.socketpair() for _ in range(3)]
    connections = Connections(2)
    for _, client in pairs:
        connections.give_back(site, connection_module.Connection(client, 5.0))
    ends = [server.recv(1, socket.MSG_DONTWAIT) for server, _ in pairs[2:]]

    assert ends == [b""]
    connections.close()
    assert [server.recv(1) for server, _ in pairs] == [b""] * 3
    for server, _ in pairs:
        server.close()


class Idle:
    """A connection that does nothing but wait."""

    closed = False

    used = True

    round_trip = 0.0

    def __init__(self, asked_ahead: str | None = None) -> None:
        """`asked_ahead`: what the answer that is due is to."""
        self.asked_ahead = asked_ahead

    def wake(self) -> bool:
        """It is fit for use."""
        return not self.closed

    def close(self) -> None:
        """It waits no more."""
        self.closed = True


def test_few_sites_have_idle_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    """A playlist that names a host for each segment does not take a descriptor for each."""
    monkeypatch.setattr(sites, "_MOST_SITES", 3)
    connections = Connections(2)
    idle = [Idle() for _ in range(6)]
    for number, each in enumerate(idle):
        connections.give_back(Site("http", f"host{min(number, 4)}", 80), each)

    assert [each.closed for each in idle] == [True, True, False, False, False, False]


def test_a_site_that_is_used_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that has not been used for longest goes first."""
    monkeypatch.setattr(sites, "_MOST_SITES", 2)
    connections = Connections(2)
    idle = [Idle() for _ in range(4)]
    for host, each in zip("abac", idle, strict=True):
        connections.give_back(Site("http", host, 80), each)

    assert [each.closed for each in idle] == [False, True, False, False]


def ahead(connections: Connections, server: Server) -> None:
    """A request, and another one behind it before its connection is given back."""
    connection, _ = connections.ask(server.site, "/", REQUEST, connect_to)
    connection.ask_ahead("/following", FOLLOWING)
    assert connection.rest()
    connections.give_back(server.site, connection)


def test_an_answer_that_was_asked_for_before(server: Server) -> None:
    """It is found on the connection that the request went through, and not asked for again."""
    server.plan = [(2, False)]
    server.start()
    connections = Connections(4)

    ahead(connections, server)
    assert following(connections, server) == 200
    server.join()
    assert server.made == 1


def test_nobody_else_gets_an_answer_that_is_due(server: Server) -> None:
    """Another request goes another way."""
    server.plan = [(1, True), (1, False)]
    server.start()
    connections = Connections(4)
    ahead(connections, server)

    assert connections.idle_share(server.site) == 0
    connections.close()  # and what nobody comes for is closed
    assert ask(connections, server) == 200
    connections.close()
    server.join()
    assert server.made == 2


@pytest.mark.parametrize("resets", [False, True])
def test_a_server_that_ends_a_connection_on_which_a_request_waits(
    resets: bool, server: Server
) -> None:
    """The request is made once more, and from then on one at a time."""
    server.plan = [(1, True), (1, False)]
    server.resets = resets
    server.start()
    connections = Connections(4)
    ahead(connections, server)
    assert connections.bears_more(server.site)

    assert following(connections, server) == 200
    assert not connections.bears_more(server.site)
    server.join()


def test_a_server_that_never_answers_what_waited(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not waited for as long as for an answer: the request is made once more."""
    monkeypatch.setattr(connection_module, "_DUE_SECONDS", 0.1)
    server.drops = True
    server.plan = [(1, True), (1, False)]
    server.start()
    connections = Connections(4)
    ahead(connections, server)

    assert following(connections, server) == 200
    assert not connections.bears_more(server.site)
    server.join()


def test_only_so_many_sites_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of those that cannot bear more, the newest."""
    monkeypatch.setattr(sites, "_MOST_SITES", 2)
    connections = Connections(2)
    found = [Site("http", f"host{number}", 80) for number in range(3)]
    for site in found:
        connections.ask_one_by_one(site)

    assert [connections.bears_more(site) for site in found] == [True, False, False]


def test_a_connection_made_for_later(server: Server) -> None:
    """It is there when it is wanted."""
    server.plan = [(2, False)]
    server.start()
    connections = Connections(4)
    connections.add(server.site, connect_to(server.site))
    assert connections.idle(server.site) == 1

    assert [ask(connections, server) for _ in range(2)] == [200, 200]
    connections.close()
    server.join()
    assert server.made == 1


def test_connections_made_for_nothing(server: Server) -> None:
    """They are closed, and those that have been used are not."""
    server.plan = [(2, False), (0, True)]
    server.start()
    connections = Connections(4)
    ask(connections, server)
    connections.add(server.site, connect_to(server.site))
    assert connections.idle(server.site) == 2

    connections.close_unused(server.site)
    assert connections.idle(server.site) == 1
    assert ask(connections, server) == 200
    connections.close()
    server.join()
    assert server.made == 2


def test_what_was_made_first_is_taken_first(server: Server) -> None:
    """It is the likeliest to have been taken up; but for those that have been used."""
    server.plan = [(2, False), (0, True)]
    server.start()
    connections = Connections(4)
    made = [connect_to(server.site) for _ in range(2)]
    for each in made:
        connections.add(server.site, each)
    connection, _ = connections.ask(server.site, "/", REQUEST, connect_to)
    assert connection is made[0]
    assert connection.rest()
    connections.give_back(server.site, connection)

    connection, _ = connections.ask(server.site, "/", REQUEST, connect_to)
    assert connection is made[0]
    connection.close()
    connections.close()
    server.join()


def test_what_is_like_one_that_was_not_taken_up(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be what the server is waiting on, and is closed. The request is made anew."""
    monkeypatch.setattr(connection_module, "_DUE_SECONDS", 0.1)
    server.plan = [(0, True), (0, False), (1, False)]
    server.drops = True
    server.start()
    connections = Connections(4)
    for _ in range(2):
        connections.add(server.site, connect_to(server.site))
    threading.Timer(0.2, lambda: connections.served(server.site)).start()

    assert ask(connections, server) == 200
    assert connections.idle(server.site) == 1
    connections.close()
    server.join()
    assert server.made == 3


def test_some_of_what_was_made_for_nothing(server: Server) -> None:
    """As many as are of use are left."""
    server.plan = [(1, False), (0, True), (0, True)]
    server.start()
    connections = Connections(4)
    for _ in range(3):
        connections.add(server.site, connect_to(server.site))
    connections.close_unused(server.site, but=1)
    assert connections.idle(server.site) == 1

    assert ask(connections, server) == 200
    connections.close()
    server.join()


def test_who_keeps_connections(server: Server) -> None:
    """A connection that was made ahead does not show it; one that was given back does."""
    server.plan = [(1, False)]
    server.start()
    connections = Connections(4)
    connections.add(server.site, connect_to(server.site))
    assert connections.round_trip(server.site) == 0
    connection, _ = connections.ask(server.site, "/", REQUEST, connect_to)
    assert connection.rest()
    connections.give_back(server.site, connection)

    assert connections.round_trip(server.site) == connection.round_trip > 0
    connections.close()
