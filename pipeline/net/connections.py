"""Kept-alive connections of a process, by site, and the requests that are made on them."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from pipeline.net.connection import Connection, NotBorne, Stale
from pipeline.net.due import Due
from pipeline.net.heads import Head
from pipeline.net.meter import Meter

#: Sites to which idle connections are kept: more than any honest playlist names hosts. One that
#: names a host for each segment would take a descriptor for each of them.
_MOST_SITES = 32


class Site(NamedTuple):
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
        self.due = Due()
        self._kept: dict[Site, float] = {}  # seconds to those that keep connections, and back
        self._making: Counter[Site] = Counter()  # connections for requests to come
        self._answered: dict[Site, float] = {}  # when the last answer began
        self._one_by_one: dict[Site, None] = {}  # they do not answer what is asked ahead
        self._lock = threading.Lock()

    def ask(
        self, site: Site, what: str, request: bytes, connect: Callable[[Site], Connection]
    ) -> tuple[Connection, Head]:
        """Send `request` to `site`; the connection that it went through, and the answer's head.

        If it was sent beforehand, to be known by `what`, that answer is taken. A server may close
        an idle connection at the very moment at which it is used: nothing has failed then, and the
        request is made once more, on a new one. Raises what `Connection.ask` and `connect` raise.
        """
        connection, head = self._asked(site, what, request, connect)
        self.served(site)
        return connection, head

    def served(self, site: Site) -> None:
        """An answer from there has begun."""
        if len(self._answered) > _MOST_SITES:
            self._answered.clear()  # nobody waits for long to know it
        self._answered[site] = time.monotonic()

    def _asked(
        self, site: Site, what: str, request: bytes, connect: Callable[[Site], Connection]
    ) -> tuple[Connection, Head]:
        if (due := self.due.take((site, what))) is not None:
            since_now = self._others_served(site)
            try:
                return due, _or_closed(due, lambda: due.answer_due(request, since_now))
            except NotBorne:
                self.ask_one_by_one(site)
            except Stale:
                pass
        if (connection := self._take(site)) is not None:
            others = None if connection.used else self._others_served(site)
            try:
                return connection, _or_closed(connection, lambda: connection.ask(request, others))
            except Stale:
                if others is not None:  # those like it may be what the server is waiting on
                    self.close_unused(site)
        fresh = connect(site)
        self._met(site, fresh)
        return fresh, _or_closed(fresh, lambda: fresh.ask(request))

    def _others_served(self, site: Site) -> Callable[[], bool]:
        """Tells whether the server has answered something from now on."""
        begun = time.monotonic()
        return lambda: self._answered.get(site, 0.0) > begun

    def ask_early(
        self, site: Site, what: str, request: bytes, connect: Callable[[Site], Connection]
    ) -> None:
        """Send the announced `request` before its answer is wanted: `ask` finds that by `what`.

        On a connection that was made ahead, or on a new one; but not where some are just being
        made: they will be there when it is wanted. Raises what `connect` raises, OSError.
        """
        connection = self._take_unused(site)
        if connection is None:
            if self._making[site]:
                return
            connection = connect(site)
            self._met(site, connection)
        if not self.due.claim((site, what)):  # it has been wanted, and made, meanwhile
            self.add(site, connection)
            return
        try:
            connection.ask_early(what, request)
        except BaseException:
            connection.close()
            raise
        self.due.expect((site, what), connection)

    def make_ahead(self, site: Site, connect: Callable[[Site], Connection]) -> Connection:
        """A new connection, for requests to come. Raises what `connect` raises."""
        with self._lock:
            self._making[site] += 1
        try:
            return connect(site)
        finally:
            with self._lock:
                self._making -= Counter([site])  # without those of which there is none

    def add(self, site: Site, connection: Connection) -> None:
        """A new connection, made for requests to come."""
        self._met(site, connection)
        if connection.rest():
            self.give_back(site, connection)
        else:
            connection.close()

    def _met(self, site: Site, fresh: Connection) -> None:
        self.meter.way = (f"{site.host}:{site.port}", fresh.round_trip)

    def _take_unused(self, site: Site) -> Connection | None:
        """One that was made ahead. Those that have been used are for what is wanted at once."""
        with self._lock:
            idle = self._idle.get(site, [])
            unused = next((each for each in idle if not each.used), None)
            if unused is not None:
                idle.remove(unused)
        if unused is None or unused.wake():
            return unused
        unused.close()
        return None

    def _take(self, site: Site) -> Connection | None:
        while True:
            with self._lock:
                idle = self._idle.get(site)
                # The one used last; of those that were made ahead, what the server took up first.
                connection = idle.pop(-1 if idle[-1].used else 0) if idle else None
            if connection is None or connection.wake():
                return connection
            connection.close()

    def close_unused(self, site: Site, but: int = 0) -> None:
        """Close those to `site` that were made ahead and have not been used, but for so many."""
        with self._lock:
            idle = self._idle.get(site, [])
            unused = [each for each in idle if not each.used][but:]
            idle[:] = [each for each in idle if each not in unused]
        for each in unused:
            each.close()

    def idle(self, site: Site) -> int:
        """How many connections to `site` wait for a request."""
        with self._lock:
            return len(self._idle.get(site, ()))

    def idle_share(self, site: Site) -> float:
        """Those of them that were of use before, as a part of those that there may be."""
        with self._lock:
            return sum(each.used for each in self._idle.get(site, ())) / self.most

    def round_trip(self, site: Site) -> float:
        """Seconds to `site` and back, if it has kept a connection after an answer; else 0."""
        with self._lock:
            return self._kept.get(site, 0.0)

    def bears_more(self, site: Site) -> bool:
        """Whether `site` may be sent a request while the answer to another one is coming."""
        return site not in self._one_by_one

    def ask_one_by_one(self, site: Site) -> None:
        """A request that was sent beforehand has had no answer.

        Some servers, and boxes before them, cannot bear that (RFC 9112 section 9.3.2).
        """
        with self._lock:
            self._one_by_one[site] = None
            if len(self._one_by_one) > _MOST_SITES:
                self._one_by_one.pop(next(iter(self._one_by_one)))

    def close(self) -> None:
        """Close those that are idle."""
        with self._lock:
            idle = [each for some in self._idle.values() for each in some]
            self._idle.clear()
        for each in idle:
            each.close()
        self.due.close()

    def give_back(self, site: Site, connection: Connection) -> None:
        """The connection may be used for another request; for a certain one, if that was sent."""
        if connection.asked_ahead is not None:
            self.due.expect((site, connection.asked_ahead), connection)
            return
        with self._lock:
            given_up = self._keep(site, connection)
        for each in given_up:
            each.close()

    def _keep(self, site: Site, connection: Connection) -> list[Connection]:
        """Keep an idle one; those that there is no room for now."""
        idle = self._idle[site] = self._idle.pop(site, [])
        given_up = [connection]
        if connection.used:
            self._kept[site] = connection.round_trip
        if len(idle) < self.most and connection.used:
            idle.append(given_up.pop())
        elif len(idle) < self.most:  # behind its like, which are the first ones
            idle.insert(sum(not each.used for each in idle), given_up.pop())
        if len(self._idle) > _MOST_SITES:
            site = next(iter(self._idle))
            given_up += self._idle.pop(site)
            self._kept.pop(site, None)
        return given_up


class Home(NamedTuple):
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


def _or_closed(connection: Connection, ask: Callable[[], Head]) -> Head:
    try:
        return ask()
    except BaseException:
        connection.close()
        raise
