"""One rate for all downloaders (`--limit-rate`): tokens through a pipe that all of them read.

A token is leave to read some bytes. The supervisor drips them into the pipe, and whoever is about
to read from a socket takes one before: the kernel gives each token to one reader, in turn, so that
no process needs a lock that another may die with. What a token leaves over stays in the process.
See docs/decisions/005.
"""

import fcntl
import os
import struct
import termios
import threading
import time

from pipeline.processes.scarcity import start_thread

#: Tokens in a second, whatever the rate: one is worth 5 ms. Reading one costs microseconds, and
#: what a dead or an idle process holds of them is no loss that anybody could measure.
_TOKENS_PER_SECOND = 200

#: How long tokens that nobody has taken are kept: a busy moment is made up for, a server that was
#: slow for longer is not. Also what a run may be ahead of its rate from the beginning.
_BURST_SECONDS = 0.1

#: How often tokens are handed out: a hundred wake-ups a second are 1.3 % of a CPU.
_TICK_SECONDS = 0.01


def token_bytes(rate: int) -> int:
    """What one token is worth at `rate` bytes per second."""
    return max(1, rate // _TOKENS_PER_SECOND)


class Drip:
    """How many tokens are due. Decisions only: the clock is an argument."""

    def __init__(self, rate: int, now: float) -> None:
        """At `rate` bytes per second."""
        self._per_second = rate / token_bytes(rate)
        self._most = 1 + self._per_second * _BURST_SECONDS
        self._owed = 0.0
        self._last = now

    def due(self, now: float, waiting: int) -> int:
        """Tokens to hand out now, while `waiting` have not been taken."""
        self._owed += (now - self._last) * self._per_second
        self._owed = max(0.0, min(self._owed, self._most - waiting))
        self._last = now
        tokens = int(self._owed)
        self._owed -= tokens
        return tokens


class RateSource:
    """The supervisor's end: a thread that drips, for as long as there is anybody to read.

    A thread of its own, because the supervisor's one wait may be busy for longer than a token may
    be late; that the thread is late itself is made up for with the next tick.
    """

    def __init__(self, rate: int) -> None:
        """Nothing is handed out before `start`."""
        self._rate = rate
        self.reading_end, self._writing_end = os.pipe()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._drip, name="rate", daemon=True)

    def start(self) -> None:
        """Begin to hand out tokens. Raises ScarcityError."""
        start_thread(self._thread)

    def close(self) -> None:
        """Hand out no more."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        os.close(self.reading_end)
        os.close(self._writing_end)

    def _drip(self) -> None:
        drip = Drip(self._rate, time.monotonic())
        while not self._stopping.wait(_TICK_SECONDS):
            tokens = drip.due(time.monotonic(), self._waiting())
            if tokens:
                # Far fewer than any pipe holds: this never waits.
                os.write(self._writing_end, bytes(tokens))

    def _waiting(self) -> int:
        """Tokens in the pipe."""
        answer = fcntl.ioctl(self.reading_end, termios.FIONREAD, bytes(4))
        count: int = struct.unpack("i", answer)[0]
        return count


class RateShare:
    """A downloader's end. May be used from any thread."""

    def __init__(self, descriptor: int, rate: int) -> None:
        """The reading end of the pipe, and the rate of all downloaders together."""
        self._descriptor = descriptor
        self._token_bytes = token_bytes(rate)
        self._left = 0  # bytes that may be read without another token
        self._lock = threading.Lock()

    def take(self, wanted: int) -> int:
        """Leave to read up to `wanted` bytes, and at least one; waits for it. Raises EOFError."""
        with self._lock:
            if self._left:
                return self._spend(wanted)
        if not os.read(self._descriptor, 1):
            raise EOFError("the supervisor hands out no more tokens")
        with self._lock:
            self._left += self._token_bytes
            return self._spend(wanted)

    def give_back(self, size: int) -> None:
        """So many bytes that were allowed did not come."""
        with self._lock:
            self._left += size

    def _spend(self, wanted: int) -> int:
        size = min(wanted, self._left)
        self._left -= size
        return size
