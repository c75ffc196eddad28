"""Connections that are kept: used again while they are good, and not a moment longer."""

import socket
import struct
import threading
import time
from collections.abc import Iterator

import pytest

from pipeline.net import connection as connections_of_time
from pipeline.net import connections as sites
from pipeline.net.connect import connect
from pipeline.net.connections import Connections, Site
from pipeline.net.early import EarlyRequest

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
REQUEST = b"GET / HTTP/1.1\r\n\r\n"


class Server:
    """Answers on each connection as often as it is told to, then closes it."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.site = Site("http", "127.0.0.1", self.listener.getsockname()[1])
        self.made = 0
        self.resets = False
        self.drops = False  # it says nothing to a request that is awaited
        self.plan: list[tuple[int, bool]] = []  # (answers, whether one more request is awaited)
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def start(self) -> None:
        """Serve one connection after the other, as planned."""
        self._thread.start()

    def _serve(self) -> None:
        for answers, awaits in self.plan:
            peer, _ = self.listener.accept()
            self.made += 1
            with peer:
                for _ in range(answers):
                    peer.recv(1000)
                    peer.sendall(ANSWER)
                if awaits:
                    peer.recv(1000)
                if awaits and self.drops:
                    time.sleep(1)
                if self.resets:
                    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def join(self) -> None:
        """Wait until the plan is carried out."""
        self._thread.join(10)


@pytest.fixture
def server() -> Iterator[Server]:
    """A server that waits for its plan."""
    found = Server()
    with found.listener:
        yield found


def _connect(site: Site) -> connections_of_time.Connection:
    return connect(site, 5.0, str)


def ask(connections: Connections, server: Server) -> int:
    """One request and its answer; the status."""
    connection, head = connections.ask(server.site, "/", REQUEST, _connect)
    assert connection.rest()
    connections.give_back(server.site, connection)
    return head.status


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
        connections.give_back(site, connections_of_time.Connection(client, 5.0))
    ends = [server.recv(1, socket.MSG_DONTWAIT) for server, _ in pairs[2:]]

    assert ends == [b""]
    connections.close()
    assert [server.recv(1) for server, _ in pairs] == [b""] * 3
    for server, _ in pairs:
        server.close()


def test_more_than_was_asked_for() -> None:
    """What has come on an idle connection is no answer to the next request."""
    server, client = socket.socketpair()
    connection = connections_of_time.Connection(client, 5.0)
    server.sendall(ANSWER)
    assert connection.ask(REQUEST).status == 200
    assert connection.rest()
    assert connection.wake()
    server.sendall(ANSWER)

    assert not connection.wake()
    connection.close()
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


FOLLOWING = b"GET /following HTTP/1.1\r\n\r\n"


def ahead(connections: Connections, server: Server) -> None:
    """A request, and another one behind it before its connection is given back."""
    connection, _ = connections.ask(server.site, "/", REQUEST, _connect)
    connection.ask_ahead("/following", FOLLOWING)
    assert connection.rest()
    connections.give_back(server.site, connection)


def following(connections: Connections, server: Server) -> int:
    """Ask for that other one; the status."""
    connection, head = connections.ask(server.site, "/following", FOLLOWING, _connect)
    connection.close()
    return head.status


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
    monkeypatch.setattr(connections_of_time, "_DUE_SECONDS", 0.1)
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
    connections.add(server.site, _connect(server.site))
    assert connections.idle(server.site) == 1

    assert [ask(connections, server) for _ in range(2)] == [200, 200]
    connections.close()
    server.join()
    assert server.made == 1


def early(connections: Connections, server: Server, request: bytes = FOLLOWING) -> None:
    """A request whose answer is wanted later."""
    EarlyRequest(connections, server.site, "/following", request, _connect).send()


def test_an_answer_that_was_asked_for_early(server: Server) -> None:
    """It is found, and what keeps a connection that was made for it is asked for nothing else."""
    server.plan = [(2, False)]
    server.start()
    connections = Connections(4)
    connections.add(server.site, _connect(server.site))

    early(connections, server)
    assert connections.idle(server.site) == 0
    connection, head = connections.ask(server.site, "/following", FOLLOWING, _connect)
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


def test_connections_made_for_nothing(server: Server) -> None:
    """They are closed, and those that have been used are not."""
    server.plan = [(2, False), (0, True)]
    server.start()
    connections = Connections(4)
    ask(connections, server)
    connections.add(server.site, _connect(server.site))
    assert connections.idle(server.site) == 2

    connections.close_unused(server.site)
    assert connections.idle(server.site) == 1
    assert ask(connections, server) == 200
    connections.close()
    server.join()
    assert server.made == 2


def silent(timeout: float) -> tuple[connections_of_time.Connection, socket.socket]:
    """A connection that was made ahead, and its other end, which says nothing."""
    client, server = socket.socketpair()
    connection = connections_of_time.Connection(client, timeout)
    assert connection.rest()
    return connection, server


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was sent beforehand is looked after ten times a second."""
    monkeypatch.setattr(connections_of_time, "_DUE_SECONDS", 0.1)


@pytest.mark.usefixtures("impatient")
class TestMadeAhead:
    """The first request on a connection that was made for it, and has no answer."""

    def test_others_are_served(self) -> None:
        """The server may have no worker for it: that is no failure of the request."""
        connection, server = silent(30.0)
        with server, pytest.raises(connections_of_time.Stale):
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

    def test_its_like_are_closed(self, server: Server) -> None:
        """They may be what the server is waiting on. The request is made anew."""
        server.plan = [(0, True), (0, False), (1, False)]
        server.drops = True
        server.start()
        connections = Connections(4)
        for _ in range(2):
            connections.add(server.site, _connect(server.site))
        threading.Timer(0.2, lambda: connections.served(server.site)).start()

        assert ask(connections, server) == 200
        assert connections.idle(server.site) == 1
        connections.close()
        server.join()
        assert server.made == 3


def test_what_was_made_first_is_taken_first(server: Server) -> None:
    """It is the likeliest to have been taken up; but for those that have been used."""
    server.plan = [(2, False), (0, True)]
    server.start()
    connections = Connections(4)
    made = [_connect(server.site) for _ in range(2)]
    for each in made:
        connections.add(server.site, each)
    connection, _ = connections.ask(server.site, "/", REQUEST, _connect)
    assert connection is made[0]
    assert connection.rest()
    connections.give_back(server.site, connection)

    connection, _ = connections.ask(server.site, "/", REQUEST, _connect)
    assert connection is made[0]
    connection.close()
    connections.close()
    server.join()


def test_some_of_what_was_made_for_nothing(server: Server) -> None:
    """As many as are of use are left."""
    server.plan = [(1, False), (0, True), (0, True)]
    server.start()
    connections = Connections(4)
    for _ in range(3):
        connections.add(server.site, _connect(server.site))
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
    connections.add(server.site, _connect(server.site))
    assert connections.round_trip(server.site) == 0
    connection, _ = connections.ask(server.site, "/", REQUEST, _connect)
    assert connection.rest()
    connections.give_back(server.site, connection)

    assert connections.round_trip(server.site) == connection.round_trip > 0
    connections.close()


def test_nothing_is_asked_early_where_connections_are_being_made(server: Server) -> None:
    """They will be there when the answer is wanted; another one would be one too many."""
    server.plan = [(1, False)]
    server.start()
    connections = Connections(4)

    def make(site: Site) -> connections_of_time.Connection:
        early(connections, server)
        return _connect(site)

    connections.add(server.site, connections.make_ahead(server.site, make))

    assert following(connections, server) == 200
    server.join()
    assert server.made == 1


def test_what_is_wanted_before_it_was_sent_early(server: Server) -> None:
    """It is not asked for twice: the connection that was to bring it is kept."""
    server.plan = [(1, False), (1, False)]
    server.start()
    connections = Connections(4)
    request = EarlyRequest(connections, server.site, "/following", FOLLOWING, _connect)
    assert following(connections, server) == 200
    request.send()

    assert connections.idle(server.site) == 1
    assert ask(connections, server) == 200
    connections.close()
    server.join()
    assert server.made == 2
