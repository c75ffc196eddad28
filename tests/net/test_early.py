"""Requests that are sent before their answers are wanted."""

import pytest

from pipeline.net.connection import Connection
from pipeline.net.connections import Connections, Site
from pipeline.net.early import EarlyRequest
from tests.net.serving import FOLLOWING, REQUEST, Server, ask, connect_to, following


def early(connections: Connections, server: Server, request: bytes = FOLLOWING) -> None:
    """A request whose answer is wanted later."""
    EarlyRequest(connections, server.site, "/following", request, connect_to).send()


def test_an_answer_that_was_asked_for_early(server: Server) -> None:
    """It is found, and what keeps a connection that was made for it is asked for nothing else."""
    server.plan = [(2, False)]
    server.start()
    connections = Connections(4)
    connections.add(server.site, connect_to(server.site))

    early(connections, server)
    assert connections.idle(server.site) == 0
    connection, head = connections.ask(server.site, "/following", FOLLOWING, connect_to)
    assert head.status == 200
    assert connection.rest()
    connections.give_back(server.site, connection)
    assert ask(connections, server) == 200
    connections.close()
    server.join()
    assert server.made == 1


def test_a_connection_in_use_is_not_taken_early(server: Server) -> None:
    """One that has been used is for what is wanted at once: a key, say."""
    server.plan = [(1, True), (1, False)]
    server.start()
    connections = Connections(4)
    ask(connections, server)

    early(connections, server)
    assert connections.idle(server.site) == 1
    connections.close()
    server.join()
    assert server.made == 2


def test_an_early_request_that_would_be_another_one_now(server: Server) -> None:
    """Its answer is not taken: cookies may have changed what it should be."""
    server.plan = [(1, False), (1, False)]
    server.start()
    connections = Connections(4)
    early(connections, server, REQUEST)

    assert following(connections, server) == 200
    assert connections.bears_more(server.site)
    server.join()
    assert server.made == 2


@pytest.mark.parametrize("resets", [False, True])
def test_a_server_that_ends_a_connection_that_was_asked_early(resets: bool, server: Server) -> None:
    """The request is made once more. Nothing was sent behind a body: that may be borne."""
    server.plan = [(0, True), (1, False)]
    server.resets = resets
    server.start()
    connections = Connections(4)
    early(connections, server)

    assert following(connections, server) == 200
    assert connections.bears_more(server.site)
    server.join()
    assert server.made == 2


def test_nothing_is_asked_early_where_connections_are_being_made(server: Server) -> None:
    """They will be there when the answer is wanted; another one would be one too many."""
    server.plan = [(1, False)]
    server.start()
    connections = Connections(4)

    def make(site: Site) -> Connection:
        early(connections, server)
        return connect_to(site)

    connections.add(server.site, connections.make_ahead(server.site, make))

    assert following(connections, server) == 200
    server.join()
    assert server.made == 1


def test_what_is_wanted_before_it_was_sent_early(server: Server) -> None:
    """It is not asked for twice: the connection that was to bring it is kept."""
    server.plan = [(1, False), (1, False)]
    server.start()
    connections = Connections(4)
    request = EarlyRequest(connections, server.site, "/following", FOLLOWING, connect_to)
    assert following(connections, server) == 200
    request.send()

    assert connections.idle(server.site) == 1
    assert ask(connections, server) == 200
    connections.close()
    server.join()
    assert server.made == 2
