"""Does a body lag so far behind that it had better go on over another connection?

Connections share a line unevenly, for seconds on end. As long as there is other work that evens
out; with the last segments, the fast connections lie idle while what the slow ones have begun
trickles in: over 40 ms and 1 Gbit/s, 500 MB took 7.0 s, 1.2 s of them for the last two or three.

Decisions only; who asks for the rest is `continued`.
"""

import time
from collections.abc import Callable

from pipeline.net.meter import Meter
from pipeline.units import KIB

#: Seconds after which the rate of a body says something: some round trips of a long line.
_SOON = 0.25

#: Part of the usual rate from which on a body is no laggard: it may just be a slow server.
_USUAL = 0.75

#: Seconds that a request and a cold start take.
_COST = 0.25

#: What is smaller says more about round trips than about rates.
_LEAST_BYTES = 256 * KIB


class Lag:
    """Watches one body.

    By its average from the start: a server that pays out a rate by the second looks fast and slow
    from one moment to the next.
    """

    def __init__(
        self,
        idle_share: Callable[[], float],
        meter: Meter,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`idle_share`: the part of the connections to the same site that lie idle now.

        What comes counts in `meter`.
        """
        self._idle_share = idle_share
        self._meter = meter
        self._clock = clock
        self._started = clock()
        self._bytes = 0

    def received(self, size: int, left: int) -> bool:
        """`size` more bytes came; whether the `left` ones had better come elsewhere."""
        self._bytes += size
        self._meter.bytes += size
        usual = self._meter.usual_rate
        if usual is None or left < _LEAST_BYTES:
            return False
        elapsed = self._clock() - self._started
        if elapsed < _SOON or self._bytes > _USUAL * usual * elapsed:
            return False
        idle = self._idle_share()
        # What those that are idle leave of the line is there for the others.
        elsewhere = _COST + left * (1 - idle) / usual
        return idle > 0 and left * elapsed / self._bytes > elsewhere

    def stay(self) -> None:
        """There is no other way for the rest."""
        self._idle_share = lambda: 0.0

    def ended(self) -> None:
        """The body is complete: its rate is one of those that others are measured by."""
        elapsed = self._clock() - self._started
        if self._bytes >= _LEAST_BYTES and elapsed > 0:
            self._meter.note_rate(self._bytes / elapsed)
