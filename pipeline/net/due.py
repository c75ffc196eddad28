"""Connections that bring the answer to a certain request next: it was sent before it was wanted.

A key is the site and what was asked for there. Not covered: when a request is sent beforehand
(`ahead`, and while a key is on its way), and what its answer must look like (`connection`).
"""

import threading
import time
from typing import TYPE_CHECKING

from pipeline.net.connection import Connection

if TYPE_CHECKING:
    from pipeline.net.connections import Site

#: Seconds for which an answer is kept, and round trips, if those are longer: who has asked
#: beforehand comes soon for it, or not at all. A server that serves few at a time waits meanwhile.
KEPT_SECONDS = 1.0
_KEPT_ROUND_TRIPS = 4

#: Seconds for which a request is waited for that is being sent: nothing that fits into a socket's
#: buffer takes as long.
_SENDING_SECONDS = 1.0

_Key = tuple["Site", str]


def kept_seconds(round_trip: float) -> float:
    """For how long the answer is kept of a server that is so many seconds away."""
    return max(KEPT_SECONDS, _KEPT_ROUND_TRIPS * round_trip)


class Due:
    """Keeps them until somebody comes for the answer. May be used from any thread."""

    def __init__(self) -> None:
        """Nothing is due."""
        self._found: dict[_Key, tuple[float, Connection]] = {}
        self._coming: set[_Key] = set()
        self._sending: set[_Key] = set()
        self._changed = threading.Condition()

    def announce(self, key: _Key) -> None:
        """The request is going to be sent."""
        with self._changed:
            self._coming.add(key)

    def claim(self, key: _Key) -> bool:
        """It is being sent now: who wants the answer waits. False if it has been made by others."""
        with self._changed:
            if key not in self._coming:
                return False
            self._coming.remove(key)
            self._sending.add(key)
            return True

    def settle(self, key: _Key) -> None:
        """It has been sent, or is not going to be."""
        with self._changed:
            self._coming.discard(key)
            self._sending.discard(key)
            self._changed.notify_all()

    def expect(self, key: _Key, connection: Connection) -> None:
        """The answer comes on `connection`."""
        with self._changed:
            given_up = self._overdue()
            if former := self._found.pop(key, None):
                given_up.append(former[1])
            self._found[key] = time.monotonic(), connection
        _close(given_up)

    def knows(self, key: _Key) -> bool:
        """Whether the request has been sent, or is going to be."""
        with self._changed:
            return key in self._found or key in self._coming or key in self._sending

    def take(self, key: _Key) -> Connection | None:
        """The connection that brings the answer, if it was asked for; else it is not going to be.

        Waits for a moment if it is just being asked for.
        """
        if not (self._found or self._coming or self._sending):
            return None  # most requests are for nothing of the kind
        with self._changed:
            self._changed.wait_for(lambda: key not in self._sending, _SENDING_SECONDS)
            self._coming.discard(key)
            given_up = self._overdue()
            _, connection = self._found.pop(key, (0.0, None))
        _close(given_up)
        return connection

    @property
    def pending(self) -> bool:
        """Whether there is something that somebody has to come for."""
        return bool(self._found or self._coming)

    def forget(self) -> None:
        """Close those that nobody has come for in time. The server may wait for them to be read."""
        if not self._found:
            return
        with self._changed:
            given_up = self._overdue()
        _close(given_up)

    def forget_all_of(self, whose: str) -> None:
        """Close those for whom nobody will come any more: what was asked for begins with that.

        What was going to be asked for is not.
        """
        with self._changed:
            self._coming = {key for key in self._coming if not key[1].startswith(whose)}
            keys = [key for key in self._found if key[1].startswith(whose)]
            given_up = [self._found.pop(key)[1] for key in keys]
        _close(given_up)

    def close(self) -> None:
        """Close all of them."""
        with self._changed:
            given_up = [connection for _, connection in self._found.values()]
            self._found.clear()
        _close(given_up)

    def _overdue(self) -> list[Connection]:
        now = time.monotonic()
        keys = [
            key
            for key, (since, connection) in self._found.items()
            if since + kept_seconds(connection.round_trip) < now
        ]
        return [self._found.pop(key)[1] for key in keys]


def _close(connections: list[Connection]) -> None:
    for each in connections:
        each.close()
