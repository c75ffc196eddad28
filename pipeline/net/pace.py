"""Is this coming fast enough to be waited for? A floor rate and a deadline.

A socket's timeout is for a single read: a server that sends one byte every ten seconds is never too
late for it. Decisions only; the clock is an argument.
"""

from collections.abc import Callable

from pipeline.net.failure import FetchFailure, broken

#: Bytes per second below which a body is given up, looked at over the timeout. A modem of
#: 1990 is faster; a slow mobile line is fifty times faster.
FLOOR = 256

#: Seconds for one body (or head) in all, however well it comes.
DEADLINE = 3600.0


class Pace:
    """Watches one body, or one head."""

    def __init__(self, clock: Callable[[], float], window: float) -> None:
        """The rate is taken over `window` seconds: the time after which silence is a failure."""
        self._clock = clock
        self._window = window
        self._started = self._since = clock()
        self._bytes = 0

    def excuse(self) -> None:
        """We were busy ourselves (waiting for a free block): that is not the server's fault."""
        self._since, self._bytes = self._clock(), 0

    def waited(self, seconds: float) -> None:
        """We kept ourselves from reading for so long (`--limit-rate`): that is nobody's fault."""
        self._since += seconds
        self._started += seconds

    def received(self, size: int) -> None:
        """`size` more bytes came. Raises FetchFailure if that is too slow."""
        now = self._clock()
        self._bytes += size
        elapsed = now - self._since
        if elapsed >= self._window:
            if self._bytes < FLOOR * elapsed:
                raise _too_slow(f"{self._bytes} bytes in {elapsed:.0f} seconds")
            self._since, self._bytes = now, 0
        if now - self._started > DEADLINE:
            raise _too_slow(f"not done after {DEADLINE:.0f} seconds")


def _too_slow(detail: str) -> FetchFailure:
    return broken(f"the server is too slow ({detail})")
