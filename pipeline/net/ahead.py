"""When to ask for more on a connection: a moment before it has nothing left to send.

A server that hears of the next request only when it is done with the last one has nothing to send
for a round trip: over 40 ms, that is an eighth of the time that a segment of 4 MB takes on one of
eight connections, and most of what one of 100 KB takes. Asked in time, it goes on without a pause
(RFC 9112 section 9.3.2), and TCP's window stays open. Small segments take several requests for it.

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

#: Requests that wait on a connection at a time. Should it break or be slow, so many are late.
MOST_AHEAD = 4


class Busy(Protocol):
    """An answer that is coming, on a connection that may have more to bring."""

    @property
    def round_trip(self) -> float:
        """Seconds to the server and back; 0 where it must not be asked for more beforehand."""
        ...

    @property
    def asked_ahead(self) -> int:
        """How many requests have been sent on the connection behind this one."""
        ...

    @property
    def rate(self) -> float:
        """Bytes per second that the connection brings."""
        ...


class Ahead:
    """Watches one body."""

    def __init__(self, answer: Busy, ask: Callable[[], bool]) -> None:
        """`ask` sends another request, if there is anything to ask for."""
        self._answer = answer
        self._ask = ask
        self._bytes = 0
        self._over = answer.round_trip < LEAST_ROUND_TRIP

    def received(self, size: int, left: int) -> None:
        """`size` more bytes came, and `left` are still to come.

        What has been asked for already is taken to be as large as this.
        """
        if self._over:
            return
        self._bytes += size
        answer = self._answer
        soon = answer.rate * answer.round_trip * _ROUND_TRIPS
        while (asked := answer.asked_ahead) < MOST_AHEAD:
            if left + asked * (self._bytes + left) > soon:
                return
            if not self._ask():
                return
        self._over = True
