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
        self._lock = threading.Lock()

    def ask(
        self, site: Site, request: bytes, connect: Callable[[Site], Connection]
    ) -> tuple[Connection, Head]:
        """Send `request` to `site`; the connection that it went through, and the answer's head.

        A server may close an idle connection at the very moment at which it is used: nothing has
        failed then, and the request is made once more, on a new one. Raises what `Connection.ask`
        and `connect` raise.
        """
        connection = self._take(site)
        if connection is not None:
            try:
                return connection, _asked(connection, request)
            except Stale:
                pass
        connection = connect(site)
        return connection, _asked(connection, request)

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

    def close(self) -> None:
        """Close those that are idle."""
        with self._lock:
            for idle in self._idle.values():
                while idle:
                    idle.pop().close()

    def give_back(self, site: Site, connection: Connection) -> None:
        """The connection may be used for another request."""
        with self._lock:
            idle = self._idle[site] = self._idle.pop(site, [])
            given_up = [connection]
            if len(idle) < self.most:
                idle.append(given_up.pop())
            if len(self._idle) > _MOST_SITES:
                given_up += self._idle.pop(next(iter(self._idle)))
        for each in given_up:
            each.close()


def _asked(connection: Connection, request: bytes) -> Head:
    try:
        return connection.ask(request)
    except BaseException:
        connection.close()
        raise
