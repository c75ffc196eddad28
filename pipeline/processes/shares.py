"""How many errands each job may have under way, so that none takes every connection.

A server that is slow to one job keeps its connections for minutes; the others would wait for them,
however fast they could be. A single job has all there are. Decisions only.
"""

from collections import Counter
from collections.abc import Iterable


def fair_share(connections: int, wanted: Iterable[int]) -> int:
    """The most that one of several jobs may have, given how much each of them has use for.

    Who wants less than an equal part leaves the rest of it to the others (max-min fairness).
    """
    demands = sorted(wanted)
    left = connections
    for place, demand in enumerate(demands):
        others = len(demands) - place
        if demand * others > left:
            return max(1, -(-left // others))
        left -= demand
    return connections


class Shares:
    """What each job has under way, and how much that may be, while errands are given out."""

    def __init__(self, connections: int, held: Counter[int], wanted: Counter[int]) -> None:
        """`held` are errands under way, `wanted` those that are still to go out, by context."""
        self._held = held
        self._most = fair_share(connections, (held + wanted).values())

    def allows(self, context: int, ahead: int) -> bool:
        """Whether a job may have one more, with `ahead` errands in hand beyond its share."""
        return self._held[context] < self._most + ahead

    def took(self, context: int) -> None:
        """It has one more."""
        self._held[context] += 1
