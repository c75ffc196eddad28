"""When a failed try is made again: how often, and after how long. Decisions only.

The caller sleeps; clock and randomness are arguments. Who waits for a host that asked for a
pause is in `hosts`.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from pipeline.net.failure import Patience

#: Seconds between two tries at most: longer waits serve nobody who watches.
LONGEST_SLEEP = 30.0

#: Seconds that a server's Retry-After may ask for at most.
LONGEST_RETRY_AFTER = 120.0

#: Further tries where hope is small: once, for the server that was about to publish the file.
_FEW = 1


class RetryPolicy(NamedTuple):
    """How many further tries, and the first pause in seconds."""

    retries: int
    sleep: float

    def allows(self, patience: Patience, tries: int) -> bool:
        """Whether another try makes sense after `tries` failed ones."""
        few = min(_FEW, self.retries)
        limits = {
            Patience.FULL: self.retries,
            Patience.BUSY: self.retries,
            Patience.FEW: few,
            Patience.EXPIRED: few,
        }
        return tries <= limits.get(patience, 0)

    def pauses(self, tries: int, random: Callable[[], float]) -> Iterator[float]:
        """Seconds before each continuation that a try may make itself, when `tries` have failed.

        Each is a further try like any other. But the last try of all starts over: should it be the
        continuing itself that fails, a segment does not end with that.
        """
        for number in range(tries + 1, self.retries):
            yield self.delay(number, None, random)

    def delay(self, tries: int, retry_after: float | None, random: Callable[[], float]) -> float:
        """Seconds to wait after `tries` failed ones: doubled each time, half of it jitter.

        Jitter keeps the connections of one run from coming back all at once. A server that says
        when to come back is believed, up to `LONGEST_RETRY_AFTER`.
        """
        longest = min(self.sleep * 2.0 ** min(tries - 1, 64), LONGEST_SLEEP)
        backoff = longest * (0.5 + 0.5 * random())
        return max(backoff, min(retry_after or 0.0, LONGEST_RETRY_AFTER))
