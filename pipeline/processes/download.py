"""One transfer as the supervisor sees it: which item is fetched next, and which are in.

State and decisions, no I/O: the clock comes as an argument, and fetching is done by whoever asks.
Items go out in the order of the plan; one whose key is not here yet waits for it; one that failed
comes back after its delay.
"""

import heapq
from itertools import count

from pipeline.processes.errands import Errand, ItemErrand, KeyErrand
from pipeline.processes.wishes import Transfer

#: How far items may be fetched ahead of the first one that is not in. Far enough to work on for
#: minutes while one segment is slow to come; what waits then is on disk, and 4,096 waiting
#: segments cost storage 4 MB of bookkeeping.
WINDOW = 4096


class Download:
    """The plan of one transfer and how far it has come."""

    def __init__(self, job: int, context: int, wish: int, transfer: Transfer) -> None:
        """`wish` is the number of this transfer among the job's wishes."""
        self.job = job
        self.context = context
        self.wish = wish
        self.transfer = transfer
        self.items = transfer.items
        self.opened = False  # storage has the output: items may be fetched
        self.publishing = False
        self.finished = False
        self.stored_bytes = 0
        self.missing: list[int] = []  # segment indexes
        self.segments = sum(item.segment_index is not None for item in self.items)
        self.segments_done = 0
        self.keys: dict[str, bytes] = {}
        self._parked: dict[str, list[ItemErrand]] = {}  # waiting for a key that is on its way
        self._ready: list[tuple[int, ItemErrand]] = []
        self._delayed: list[tuple[float, int, Errand]] = []
        self._ticket = count()
        self._fresh = 0  # the first item that has never gone out
        self._settled = bytearray(len(self.items))  # 1: stored, or skipped
        self._first_open = 0

    def next(self, now: float) -> Errand | None:
        """What to fetch next, or None if nothing can be fetched at the moment."""
        if not self.opened:
            return None
        while (errand := self._candidate(now)) is not None:
            if isinstance(errand, KeyErrand):
                return errand
            found = self._with_key(errand)
            if found is not None:
                return found
        return None

    def _candidate(self, now: float) -> Errand | None:
        """The first item in the order of the plan that is due, or a key that is."""
        while self._delayed and self._delayed[0][0] <= now:
            errand = heapq.heappop(self._delayed)[2]
            if not isinstance(errand, ItemErrand):
                return errand
            self.again(errand)
        if self._ready:
            return heapq.heappop(self._ready)[1]
        if self._fresh < min(len(self.items), self._first_open + WINDOW):
            self._fresh += 1
            item = self.items[self._fresh - 1]
            return ItemErrand(self.context, item.url, download=self, index=self._fresh - 1)
        return None

    def _with_key(self, errand: Errand) -> Errand | None:
        """`errand`, or the errand for its key, or None while that is on its way."""
        if not isinstance(errand, ItemErrand):
            return errand
        decryption = self.items[errand.index].decryption
        if decryption is None or decryption.key_url in self.keys:
            return errand
        waiting = self._parked.setdefault(decryption.key_url, [])
        waiting.append(errand)
        if len(waiting) > 1:
            return None
        return KeyErrand(self.context, decryption.key_url, download=self)

    def again(self, errand: ItemErrand) -> None:
        """The item is to be fetched once more, in its turn."""
        heapq.heappush(self._ready, (errand.index, errand))

    def later(self, errand: Errand, due: float) -> None:
        """Fetch `errand` once more, not before `due`."""
        heapq.heappush(self._delayed, (due, next(self._ticket), errand))

    def next_due(self) -> float | None:
        """When the next delayed errand is due."""
        return self._delayed[0][0] if self._delayed else None

    def key_arrived(self, url: str, key: bytes) -> None:
        """Items that waited for the key may go out."""
        self.keys[url] = key
        for errand in self._parked.pop(url, []):
            self.again(errand)

    def settle(self, index: int) -> bool:
        """Item `index` is stored, or skipped; False if that was known already."""
        if self._settled[index]:
            return False
        self._settled[index] = 1
        if self.items[index].segment_index is not None:
            self.segments_done += 1
        while self._first_open < len(self.items) and self._settled[self._first_open]:
            self._first_open += 1
        return True

    def key_method(self, url: str) -> str:
        """The method that the key at `url` is for."""
        for errand in self._parked.get(url, []):
            decryption = self.items[errand.index].decryption
            if decryption is not None:
                return decryption.method
        return "AES-128"

    def may_miss(self, index: int) -> bool:
        """Whether the output may do without item `index`: a gap is a media segment's."""
        return self.transfer.allow_gaps and self.items[index].segment_index is not None

    def miss(self, index: int) -> int:
        """Do without item `index`; returns which segment that is."""
        segment = self.items[index].segment_index
        assert segment is not None  # noqa: S101  (`may_miss` was asked)
        self.missing.append(segment)
        self.settle(index)
        return segment

    @property
    def remaining(self) -> int:
        """Items that have never gone out."""
        return len(self.items) - self._fresh

    @property
    def complete(self) -> bool:
        """Whether every item is stored or skipped."""
        return self._first_open == len(self.items)

    @property
    def segments_stored(self) -> int:
        """Media segments that storage has."""
        return self.segments_done - len(self.missing)
