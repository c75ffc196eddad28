"""How many connections: few at first, more while that pays, fewer when the server objects.

Decisions only: the clock and the bytes are arguments, and whoever asks acts. More connections help
where each is slow (a long way, a server that gives each so much) and cost where they are not (CPU,
caches, the server's patience). Nobody can know beforehand, so it is tried: the number is doubled
for as long as the bytes come clearly faster for it. With a number that the user has given nothing
is tried. Measured in docs/decisions/007.
"""

from dataclasses import dataclass, field

#: Connections at the beginning, and the most to be tried. Four are what a server that allows few
#: allows; sixteen are what those that count connections call many.
FIRST = 4
MOST = 16

#: Seconds over which a rate is taken.
_WINDOW = 0.2

#: Windows that a number gets to show that it pays: new connections have to be made, and TCP begins
#: each slowly.
_CHANCES = 3

#: How much faster the bytes must come for a number to pay, and how much slower for it to harm.
_PAYS = 1.15
_HARMS = 0.9

#: Seconds within which several refusals are one: those that were under way together.
_ONE_REFUSAL = 1.0

#: Seconds without a refusal after which one connection more is tried.
_QUIET = 3.0


@dataclass
class Tuner:
    """The number of connections, and what is known of others."""

    most: int = MOST
    fixed: bool = False
    limit: int = 0
    _since: float | None = None  # when the window began
    _bytes: int = 0  # that were in then
    _before: float | None = None  # bytes per second with the last number
    _rates: list[float] = field(default_factory=list)  # with this one
    _settled: bool = False
    _refused_at: float | None = None
    _quiet_since: float | None = None  # the last refusal, or the last connection that was borne
    _one_more: bool = False  # the limit is one above what is known to be borne
    _ceiling: int = MOST

    def __post_init__(self) -> None:
        self._ceiling = self.most
        self.limit = self.most if self.fixed else min(FIRST, self.most)
        self._settled = self.fixed

    def received(self, total: int, now: float) -> bool:
        """So many bytes are in by now; True if the limit is another one for it."""
        if self.fixed:
            return False
        if self._settled:
            return self._try_one_more(now)
        if self._since is None or total < self._bytes:
            self._since, self._bytes = now, total
            return False
        if now - self._since < _WINDOW:
            return False
        self._rates.append((total - self._bytes) / (now - self._since))
        self._since, self._bytes = now, total
        return self._judge()

    def _judge(self) -> bool:
        """Go up if this number pays, and settle if it has had its chances."""
        rate = max(self._rates)
        if self._before is None or rate > self._before * _PAYS:
            self._before, self._rates = rate, []
            return self._go_to(min(self.limit * 2, self._ceiling))
        if len(self._rates) < _CHANCES:
            return False
        self._settled = True
        return self._go_to(self.limit // 2 if rate < self._before * _HARMS else self.limit)

    def _go_to(self, limit: int) -> bool:
        changed, self.limit = limit != self.limit, limit
        self._settled = self._settled or not changed
        return changed

    def refused(self, now: float, costly: bool) -> bool:
        """The server has too much to do (429, 503); True if the limit is another one for it.

        `costly`: it wants to be left alone for a while. It is not asked for more again then.
        """
        if self.fixed or (self._refused_at is not None and now - self._refused_at < _ONE_REFUSAL):
            return False
        # The one connection that was tried on top of what was borne, or half of what was not.
        limit = max(1, self.limit - 1 if self._one_more else self.limit // 2)
        self._ceiling = limit if costly or self._one_more else max(1, self.limit - 1)
        self._refused_at = self._quiet_since = now
        self._settled, self._one_more = True, False
        return self._go_to(limit)

    def _try_one_more(self, now: float) -> bool:
        """After a refusal: is there room for one more, by now?"""
        if self._quiet_since is None or self.limit >= self._ceiling:
            return False
        if now - self._quiet_since <= _QUIET:
            return False
        self._quiet_since, self._one_more = now, True
        return self._go_to(self.limit + 1)
