"""When to ask for the next thing on a connection: a moment before the body on it ends.

A server that hears of the next request only when it is done with the last one has nothing to send
for a round trip: over 40 ms, that is an eighth of the time that a segment of 4 MB takes on one of
eight connections, and most of what one of 100 KB takes. Asked in time, it goes on without a pause
(RFC 9112 section 9.3.2), and TCP's window stays open.

Decisions only; what is asked for is the caller's, and where that may be done is `connections`'.
"""

import time
from collections.abc import Callable

#: Seconds of a round trip below which nothing is gained. Requests are asked for one by one then,
#: and no server that cannot bear it otherwise is put to the test.
LEAST_ROUND_TRIP = 0.005

#: Round trips before the end. One is the request's own way; what waits in front of a line that is
#: full, which is when it counts, comes on top of it.
_ROUND_TRIPS = 2.0


class Ahead:
    """Watches one body; asks once."""

    def __init__(
        self,
        round_trip: float,
        ask: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`round_trip`: seconds; with less than counts, nothing is ever asked."""
        self._lead = round_trip * _ROUND_TRIPS
        self._ask = ask
        self._clock = clock
        self._started = clock()
        self._bytes = 0
        self._asked = round_trip < LEAST_ROUND_TRIP

    def received(self, size: int, left: int) -> None:
        """`size` more bytes came, and `left` are still to come."""
        if self._asked:
            return
        self._bytes += size
        if left * (self._clock() - self._started) <= self._bytes * self._lead:
            self._asked = True
            self._ask()
