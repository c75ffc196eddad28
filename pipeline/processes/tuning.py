"""How many connections: more while that pays, fewer when it does not, or when the server objects.

Decisions only: the clock and the bytes are arguments, and whoever asks acts. More connections help
where each is slow (a long way, a server that gives each so much) and cost where they are not (CPU,
caches, segments that come out of turn, the server's patience). Nobody can know beforehand, so it is
tried: the number is doubled if the bytes come clearly faster for it. With a number that the user
has given nothing is tried; a server that refuses as many has its way all the same. Measured in
docs/decisions/007.
"""

from dataclasses import InitVar, dataclass, field

from pipeline.net.ahead import LEAST_ROUND_TRIP
from pipeline.units import KIB

#: Connections at the beginning, and the most to be tried. Sixteen are what those that count
#: connections call many; half of that costs half a second at half the speed where sixteen pay.
FIRST = 8
MOST = 16

#: Seconds over which a rate is taken. Servers that limit a connection let it have its bytes in
#: lumps, one a second (nginx), so that any shorter time sees all of a lump, or nothing.
_WINDOW = 1.0

#: Seconds for the first look. Each second at half the speed is one too many for those that are
#: limited, and what is seen too hastily is looked at again.
_FIRST_WINDOW = 0.5

#: Seconds in which nothing at all comes, though every connection waits for something: it is the
#: server that takes its time, and neither this machine nor the line.
_SILENCE = 0.2

#: Bytes before which the clock does not run: playlists and keys are less, and say nothing.
_BEGUN = 256 * KIB

#: Round trips after which the first connections have filled a line, if that is what they can: TCP
#: begins with 14 KB each and doubles that with every round trip.
_FILLED = 12

#: Seconds after a change that do not count: connections have to be made, and TCP begins slowly.
_GRACE = 0.2

#: How much faster the bytes must come for a number to be kept.
_PAYS = 1.1

#: How much faster they must come for it to be beyond doubt. The first second is slower than those
#: that follow, over a long line by half: windows open, and the first answers are waited for.
_SURELY = 1.6

#: Bytes per second of each connection above which fewer do as well: the limit is this machine, or
#: a line of many gigabits. Fewer keep segments in turn, and those that wait cost room and copies.
_PLENTY = 24_000_000

#: How much longer the round trip of a connection is that is made while the line is full. What is
#: on the line waits in front of it, and the first packets of a new connection wait with it.
_LONGER = 1.25

#: Seconds until a connection has been made that is wanted for that, at the most. On a line that is
#: more than full its first packet may be lost, and is sent again after a second (RFC 6298).
_PROBE = 2.0

#: Sites whose round trips are known at a time.
_MOST_SITES = 64

#: Seconds within which several refusals are one: those that were under way together.
_ONE_REFUSAL = 1.0

#: Seconds without a refusal after which one connection more is tried.
_QUIET = 3.0


#: Bytes per second that a connection is good for where the rate is limited. With more connections
#: than it takes, as many segments are half done at any time, and nothing is in turn to be kept.
_EACH = 512 * KIB


def tuner_for(wanted: int | None, limit_rate: int | None) -> "Tuner":
    """The tuner of a run: with `wanted` connections, if that is not None, there is nothing to tune.

    At a limited rate (bytes per second), a few may do from the beginning, and no more are tried.
    """
    if wanted is not None:
        return Tuner(most=wanted, fixed=True)
    if limit_rate is None:
        return Tuner()
    return Tuner(most=min(FIRST, max(2, -(-limit_rate // _EACH))))


@dataclass
class Tuner:
    """The number of connections, and what is known of others."""

    most: int = MOST
    fixed: InitVar[bool] = False
    limit: int = 0
    _since: float | None = None  # when the window began
    _bytes: int = 0  # that were in then
    _moved: tuple[int, float] = (0, 0.0)  # bytes that are in, and since when it is these
    _not_before: float = 0.0  # when the next one may begin
    _before: float | None = None  # bytes per second with the first number
    _after: float | None = None  # with twice as many, if it is not certain that they pay
    _settled: bool = False
    _least: dict[str, float] = field(default_factory=dict)  # round trips by site, in seconds
    _round_trip: float = 0.0  # to the site that was connected to last, in seconds
    _crowded: bool | None = None  # whether the newest connection found the line full
    _probe_until: float | None = None  # one connection more is there to find that out
    _refused_at: float | None = None
    _quiet_since: float | None = None  # the last refusal, or the last connection that was borne
    _one_more: bool = False  # the limit is one above what is known to be borne
    _ceiling: int = MOST

    def __post_init__(self, fixed: bool) -> None:
        self._ceiling = self.most
        self.limit = self.most if fixed else min(FIRST, self.most)
        self._settled = fixed

    @property
    def curious(self) -> bool:
        """Whether it wants to hear of the bytes every tenth of a second, come any or not."""
        return not self._settled and self._since is not None

    def received(self, total: int, now: float, *, busy: bool = True) -> bool:
        """So many bytes are in by now; True if the limit is another one for it.

        `busy`: every connection has something to fetch.
        """
        if self._settled:
            return self._try_one_more(now)
        if self._probe_until is not None:
            return self._look_at_probe(now)
        if now < self._not_before or total < _BEGUN:
            return False
        return self._look(total, now, busy)

    def connected(self, site: str, round_trip: float) -> None:
        """A connection to `site` was made, whose first packets took so many seconds."""
        if len(self._least) >= _MOST_SITES:
            self._least.clear()
        least = self._least[site] = min(self._least.get(site, round_trip), round_trip)
        self._round_trip = least
        self._crowded = self._is_far and round_trip > least * _LONGER

    def _look(self, total: int, now: float, busy: bool) -> bool:
        if self._since is None or total < self._bytes:
            self._since, self._bytes = now, total
        if self._is_silent(total, now, busy):
            return self._settle(min(self.limit * 2, self._ceiling))
        if now - self._since < self._window:
            return False
        return self._judge((total - self._bytes) / (now - self._since), now)

    @property
    def _is_far(self) -> bool:
        return self._round_trip >= LEAST_ROUND_TRIP

    @property
    def _probes(self) -> bool:
        """Far away it is the line that decides, nearby the rate."""
        return self._is_far and self._before is None and self.limit < self._ceiling

    @property
    def _window(self) -> float:
        if self._probes:
            return min(_WINDOW, self._round_trip * _FILLED)
        return _WINDOW if self._before is not None else _FIRST_WINDOW

    def _is_silent(self, total: int, now: float, busy: bool) -> bool:
        """Whether the server has been waited for, all the time, for too long."""
        if total != self._moved[0] or not busy:
            self._moved = total, now
        return self._before is None and not self._is_far and now - self._moved[1] >= _SILENCE

    def _judge(self, rate: float, now: float) -> bool:
        """The first number is followed by twice as many, or by half; and that is compared.

        In case of doubt the first one is tried again.
        """
        if self._after is not None:
            pays = self._after > rate * _PAYS
            return self._settle(min(self.limit * 2, self._ceiling) if pays else self.limit)
        if self._before is not None:
            if rate > self._before * _SURELY:
                return self._settle(self.limit)
            self._after = rate
            return self._try(self.limit // 2, now)
        return self._judge_first(rate, now)

    def _judge_first(self, rate: float, now: float) -> bool:
        if rate >= _PLENTY * self.limit:
            return self._settle(max(1, self.limit // 2))
        if self._probes:
            self._crowded, self._probe_until = None, now + _PROBE
            return self._go_to(self.limit + 1)
        self._before = rate
        return self._try(min(self.limit * 2, self._ceiling), now)

    def _look_at_probe(self, now: float) -> bool:
        """A line that is full is not made any wider by more connections; one that is not, is."""
        if self._crowded is None and now < (self._probe_until or 0.0):
            return False
        self._probe_until = None
        first = self.limit - 1
        return self._settle(first if self._crowded else min(first * 2, self._ceiling))

    def _settle(self, limit: int) -> bool:
        self._settled = True
        return self._go_to(limit)

    def _try(self, limit: int, now: float) -> bool:
        self._since, self._not_before = None, now + _GRACE
        return self._go_to(limit)

    def _go_to(self, limit: int) -> bool:
        changed, self.limit = limit != self.limit, limit
        self._settled = self._settled or not changed
        return changed

    def refused(self, now: float, costly: bool) -> bool:
        """The server has too much to do (429, 503); True if the limit is another one for it.

        `costly`: it wants to be left alone for a while. It is not asked for more again then.
        """
        if self._refused_at is not None and now - self._refused_at < _ONE_REFUSAL:
            return False
        # The one connection that was tried on top of what was borne, or half of what was not.
        one_more = self._one_more or self._probe_until is not None
        limit = max(1, self.limit - 1 if one_more else self.limit // 2)
        self._ceiling = limit if costly or one_more else max(1, self.limit - 1)
        self._refused_at = self._quiet_since = now
        self._settled, self._one_more, self._probe_until = True, False, None
        return self._go_to(limit)

    def _try_one_more(self, now: float) -> bool:
        """After a refusal: is there room for one more, by now?"""
        if self._quiet_since is None or self.limit >= self._ceiling:
            return False
        if now - self._quiet_since <= _QUIET:
            return False
        self._quiet_since, self._one_more = now, True
        return self._go_to(self.limit + 1)
