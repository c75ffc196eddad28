"""Kept-alive connections of a process, by site, and the requests that are made on them."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from pipeline.net.connection import Connection, Stale
from pipeline.net.heads import Head
from pipeline.net.meter import Meter

#: Sites to which idle connections are kept: more than any honest playlist names hosts. One that
#: names a host for each segment would take a descriptor for each of them.
_MOST_SITES = 32


@dataclass(frozen=True, slots=True)
class Site:
    """Where connections lead, and with what care: those of equal sites are interchangeable."""

    scheme: str
    host: str
    port: int
    verify: bool = True
    public_only: bool = False


class Connections:
    """Idle connections: the one used last is used first. May be used from any thread."""

    def __init__(self, most: int) -> None:
        """Keep at most `most` idle ones to each site."""
        self.most = most
        self.meter = Meter()  # what came in through them, or through a proxy
        self._idle: dict[Site, list[Connection]] = {}  # the site used last is the last one
        self._asked: dict[tuple[Site, bytes], Connection] = {}  # the answer to a request comes here
        self._one_by_one: set[Site] = set()  # they end a connection on which a request waits
        self._lock = threading.Lock()

    def ask(
        self, site: Site, request: bytes, connect: Callable[[Site], Connection]
    ) -> tuple[Connection, Head]:
        """Send `request` to `site`; the connection that it went through, and the answer's head.

        A server may close an idle connection at the very moment at which it is used: nothing has
        failed then, and the request is made once more, on a new one. Raises what `Connection.ask`
        and `connect` raise.
        """
        with self._lock:
            asked = self._asked.pop((site, request), None)
        connection = asked or self._take(site)
        if connection is not None:
            try:
                return connection, _asked(connection, request)
            except Stale:
                if asked is not None:
                    self.ask_one_by_one(site)
        connection = connect(site)
        self.meter.way = (f"{site.host}:{site.port}", connection.round_trip)
        return connection, _asked(connection, request)

    def add(self, site: Site, connection: Connection) -> None:
        """A new connection, made for requests to come."""
        self.meter.way = (f"{site.host}:{site.port}", connection.round_trip)
        if connection.rest():
            self.give_back(site, connection)
        else:
            connection.close()

    def _take(self, site: Site) -> Connection | None:
        while True:
            with self._lock:
                idle = self._idle.get(site)
                connection = idle.pop() if idle else None
            if connection is None or connection.wake():
                return connection
            connection.close()

    def idle_share(self, site: Site) -> float:
        """The part of the connections that there may be to `site` that waits for a request."""
        with self._lock:
            return len(self._idle.get(site, ())) / self.most

    def bears_more(self, site: Site) -> bool:
        """Whether `site` may be sent a request while the answer to another one is coming."""
        return site not in self._one_by_one

    def ask_one_by_one(self, site: Site) -> None:
        """It has ended a connection on which a request waited: some servers, and boxes before
        them, cannot bear that (RFC 9112 section 9.3.2)."""
        with self._lock:
            if len(self._one_by_one) < _MOST_SITES:
                self._one_by_one.add(site)

    def close(self) -> None:
        """Close those that are idle."""
        with self._lock:
            idle = [each for some in self._idle.values() for each in some]
            idle += self._asked.values()
            self._idle.clear()
            self._asked.clear()
        for each in idle:
            each.close()

    def give_back(self, site: Site, connection: Connection) -> None:
        """The connection may be used for another request; for a certain one, if that was sent."""
        with self._lock:
            if connection.asked_ahead:
                given_up = self._expect(site, connection.asked_ahead[0], connection)
            else:
                given_up = self._keep(site, connection)
        for each in given_up:
            each.close()

    def _keep(self, site: Site, connection: Connection) -> list[Connection]:
        """Keep an idle one; those that there is no room for now."""
        idle = self._idle[site] = self._idle.pop(site, [])
        given_up = [connection]
        if len(idle) < self.most:
            idle.append(given_up.pop())
        if len(self._idle) > _MOST_SITES:
            given_up += self._idle.pop(next(iter(self._idle)))
        return given_up

    def _expect(self, site: Site, request: bytes, connection: Connection) -> list[Connection]:
        """Keep one for the request that was sent; those that nobody has come for.

        Each thread has one request of its own ahead. A download that is given up forgets its own.
        """
        key = site, request
        given_up = [self._asked.pop(key)] if key in self._asked else []
        self._asked[key] = connection
        while len(self._asked) > self.most:
            given_up.append(self._asked.pop(next(iter(self._asked))))
        return given_up


@dataclass(frozen=True, slots=True)
class Home:
    """Where a connection comes from, and what it can be told there."""

    site: Site
    connections: Connections

    def give_back(self, connection: Connection) -> None:
        """It may be used for another request."""
        self.connections.give_back(self.site, connection)

    @property
    def idle_share(self) -> float:
        """The part of those to the same site that lie idle."""
        return self.connections.idle_share(self.site)

    @property
    def bears_more(self) -> bool:
        """Whether a request may be sent while the answer to another one is coming."""
        return self.connections.bears_more(self.site)

    def ask_one_by_one(self) -> None:
        """It does not bear more."""
        self.connections.ask_one_by_one(self.site)


def _asked(connection: Connection, request: bytes) -> Head:
    try:
        return connection.ask(request)
    except BaseException:
        connection.close()
        raise
