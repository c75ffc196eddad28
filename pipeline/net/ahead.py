"""When to ask for more on a connection: a moment before it has nothing left to send.

A server that hears of the next request only when it is done with the last one has nothing to send
for a round trip: over 40 ms, that is an eighth of the time that a segment of 4 MB takes on one of
eight connections, and most of what one of 100 KB takes. Asked in time, it goes on without a pause
(RFC 9112 section 9.3.2), and TCP's window stays open.

One request at a time, and the next one only when the answer to it has begun: of several, a server
may drop one, and the answers to those behind it would pass for others.

Decisions only; what is asked for is the caller's, and where that may be done is `connections`'.
"""

from collections.abc import Callable
from typing import Protocol

#: Seconds of a round trip below which nothing is gained. Requests are asked for one by one then,
#: and no server that cannot bear it otherwise is put to the test.
LEAST_ROUND_TRIP = 0.005

#: Round trips before the end. One is the request's own way; what waits in front of a line that is
#: full, which is when it counts, comes on top of it.
_ROUND_TRIPS = 2.0


class Busy(Protocol):
    """An answer that is coming, on a connection that may have more to bring."""

    @property
    def round_trip(self) -> float:
        """Seconds to the server and back; 0 where it must not be asked for more beforehand."""
        ...

    @property
    def rate(self) -> float:
        """Bytes per second that the connection brings."""
        ...


class Ahead:
    """Watches one body."""

    def __init__(self, answer: Busy, ask: Callable[[], bool]) -> None:
        """`ask` sends the next request; False if there is none yet, which may change."""
        self._answer = answer
        self._ask = ask
        self._over = answer.round_trip < LEAST_ROUND_TRIP

    def received(self, left: int) -> None:
        """Something came, and `left` bytes are still to come."""
        if self._over:
            return
        answer = self._answer
        if left <= answer.rate * answer.round_trip * _ROUND_TRIPS:
            self._over = self._ask()
