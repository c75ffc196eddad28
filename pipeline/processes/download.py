"""One transfer as the supervisor sees it: which item is fetched next, and which are in.

State and decisions, no I/O: the clock comes as an argument, and fetching is done by whoever asks.
Items go out in the order of the plan; one whose key is not here yet waits for it; one that failed
comes back after its delay.
"""

import heapq
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import HlspipeError, NetworkError, SegmentsMissingError
from pipeline.processes.errands import Errand, ItemErrand, NeedErrand
from pipeline.processes.prerequisites import Need, Prerequisites
from pipeline.processes.wishes import Transfer

if TYPE_CHECKING:
    from pipeline.hls.plan import PlannedItem

#: How far items may be fetched ahead of the first one that is not in. Far enough to work on for
#: minutes while one segment is slow to come; what waits then is on disk, and 4,096 waiting
#: segments cost storage 7 MB of bookkeeping.
WINDOW = 4096


class Download:
    """The plan of one transfer and how far it has come."""

    def __init__(
        self,
        job: int,
        context: int,
        wish: int,
        transfer: Transfer,
        asked: set[Need] | None = None,
    ) -> None:
        """`wish` is the number of this transfer among the job's wishes.

        `asked` is what has been asked for already, shared by the downloads of one context.
        """
        self.job = job
        self.context = context
        self.wish = wish
        self.transfer = transfer
        self.items = transfer.items
        self.opened = False  # storage has the output: items may be fetched
        self.resumed_items = self.resumed_bytes = 0
        self.publishing = False
        self.finished = False
        self.stored_bytes = 0
        self.missing: list[int] = []  # segments that it does without, by their indexes
        self.refused: int | None = None  # the segment that it has ended with
        self.unverified = 0  # segments whose length nobody announced
        self.segments = sum(item.segment_index is not None for item in self.items)
        self.segments_done = 0
        self.needs = Prerequisites(self.items)
        self.asked: set[Need] = set() if asked is None else asked
        self._have: dict[Need, bytes] = {}
        self._renamed: dict[Need, Need] = {}  # what has another URL now
        self._parked: dict[Need, list[ItemErrand]] = {}  # waiting for what is on its way
        self._ready: list[tuple[int, ItemErrand]] = []
        self._delayed: list[tuple[float, int, Errand]] = []
        self._ticket = count()
        self._opened_at = 0.0
        self._resumed_segments = 0
        self._fresh = 0  # the first item that has never gone out
        self._settled = bytearray(len(self.items))  # 1: stored, or skipped
        self._first_open = 0

    def take_up(self, items: int, size: int, now: float) -> None:
        """The output is open; the first `items` items, `size` bytes, are in it already."""
        self.opened = True
        self._opened_at = now
        self.resumed_items, self.resumed_bytes = items, size
        self.stored_bytes = size
        self._fresh = items
        for index in range(items):
            self.settle(index)
        self._resumed_segments = self.segments_done

    def next(self, now: float) -> Errand | None:
        """What to fetch next, or None if nothing can be fetched at the moment."""
        if not self.opened:
            return None
        while (errand := self._candidate(now)) is not None:
            errand.renew()
            if not isinstance(errand, ItemErrand):
                return errand
            need = self._missing_need(errand)
            if need is None:
                return errand
            if self._is_first_to_want(need, errand):
                return NeedErrand(self.context, need.url, download=self, need=need)
        return None

    def _candidate(self, now: float) -> Errand | None:
        """The first item in the order of the plan that is due, or a key that is."""
        while self._delayed and self._delayed[0][0] <= now:
            errand = heapq.heappop(self._delayed)[2]
            if not isinstance(errand, ItemErrand):
                return errand
            self.again(errand)
        while self._ready:
            errand = heapq.heappop(self._ready)[1]
            if not self._settled[errand.index]:
                return errand
        if self._fresh < min(len(self.items), self._first_open + WINDOW):
            self._fresh += 1
            item = self.items[self._fresh - 1]
            return ItemErrand(self.context, item.url, download=self, index=self._fresh - 1)
        return None

    def _missing_need(self, errand: ItemErrand) -> Need | None:
        """The first thing that the item needs and that is not here yet."""
        needs = self.needs.of(self.items[errand.index])
        return next((need for need in needs if self.have(need) is None), None)

    def waiting_for(self, need: Need, most: int) -> list[int]:
        """The first items that can be fetched as soon as `need` is here, in their order."""
        near = range(self._first_open, min(len(self.items), self._first_open + 2 * most))
        return [
            index
            for index in near
            if not self._settled[index]
            and [each for each in self.needs.of(self.items[index]) if self.have(each) is None]
            == [need]
        ][:most]

    def _is_first_to_want(self, need: Need, errand: ItemErrand) -> bool:
        """Park the item until `need` arrives; True if nobody has asked for that yet."""
        self._parked.setdefault(need, []).append(errand)
        is_first = need not in self.asked
        self.asked.add(need)
        return is_first

    def have(self, need: Need | None) -> bytes | None:
        """What is needed, if it is here. A key may have come with the transfer."""
        if need is None:
            return None
        found = self._have.get(need)
        return found if found is not None else self.transfer.keys.get(need.url)

    def again(self, errand: ItemErrand) -> None:
        """The item is to be fetched once more, in its turn."""
        heapq.heappush(self._ready, (errand.index, errand))

    def later(self, errand: Errand, due: float) -> None:
        """Fetch `errand` once more, not before `due`."""
        heapq.heappush(self._delayed, (due, next(self._ticket), errand))

    def next_due(self) -> float | None:
        """When the next delayed errand is due."""
        return self._delayed[0][0] if self._delayed else None

    def arrived(self, need: Need, body: bytes) -> None:
        """Items that waited for `need` may go out."""
        need = self.current(need)
        self._have[need] = body
        for errand in self._parked.pop(need, []):
            self.again(errand)

    def renew(self, items: "Sequence[PlannedItem]") -> int:
        """Take over fresh URLs of what is still to come; returns how many items have one.

        `items` are those of the plan, in its order.
        """
        before, needed = self.items, self.needs
        self.items = tuple(
            old if settled else new
            for old, new, settled in zip(before, items, self._settled, strict=True)
        )
        self.needs = Prerequisites(self.items)
        changed = [(old, new) for old, new in zip(before, self.items, strict=True) if old != new]
        for old, new in changed:
            for former, need in zip(needed.of(old), self.needs.of(new), strict=False):
                self._rename(former, need)
        return len(changed)

    def _rename(self, former: Need, need: Need) -> None:
        if former == need:
            return
        self._renamed.pop(need, None)  # it may have had this URL before
        self._renamed[former] = need
        if former in self.asked and former not in self._have:
            self.asked.add(need)  # whoever is at it brings it under this name
        if former in self._have and former.is_same_file(need):
            self._have[need] = self._have[former]
        if former in self._parked:
            self._parked.setdefault(need, []).extend(self._parked.pop(former))

    def current(self, need: Need) -> Need:
        """`need` under the URL that it has now."""
        while need in self._renamed:
            need = self._renamed[need]
        return need

    def settle(self, index: int) -> bool:
        """Item `index` is stored, or skipped; False if that was known already."""
        if self._settled[index]:
            return False
        self._settled[index] = 1
        self.segments_done += self.is_segment(index)
        while self._first_open < len(self.items) and self._settled[self._first_open]:
            self._first_open += 1
        return True

    def is_segment(self, index: int) -> bool:
        """Whether item `index` is a media segment, and no initialization section."""
        return self.items[index].segment_index is not None

    def may_miss(self, index: int, error: HlspipeError) -> bool:
        """Whether the output may do without item `index`, which ended with `error`.

        A gap is a media segment's, and one that the server does not hand out: a key that does not
        fit is no gap.
        """
        gone = isinstance(error, SegmentsMissingError | NetworkError)
        return gone and self.transfer.allow_gaps and self.is_segment(index)

    def miss(self, index: int) -> int:
        """Do without item `index`; returns which segment that is."""
        segment = self.items[index].segment_index
        assert segment is not None  # noqa: S101  (`may_miss` was asked)
        self.missing.append(segment)
        self.settle(index)
        return segment

    @property
    def transient_output(self) -> Path | None:
        """The output's path, if nothing of it is to stay unless it is whole."""
        output = self.transfer.output
        return Path(output) if output is not None and self.transfer.kept_as is None else None

    @property
    def remaining(self) -> int:
        """Items that are still to go out."""
        waiting = len(self._ready) + sum(map(len, self._parked.values()))
        return len(self.items) - self._fresh + waiting

    @property
    def arrivals(self) -> int:
        """Items, and things that items need, that are in."""
        return sum(self._settled) + len(self._have)

    def rate(self, now: float) -> float:
        """Segments that come in, in a second."""
        fetched = self.segments_done - self._resumed_segments
        return fetched / max(now - self._opened_at, 0.001) if fetched else 0.0

    @property
    def complete(self) -> bool:
        """Whether every item is stored or skipped."""
        return self._first_open == len(self.items)

    @property
    def segments_stored(self) -> int:
        """Media segments that storage has."""
        return self.segments_done - len(self.missing)
