"""Who fetches what, and when again: errands to downloaders, one lease for each try.

A lease is a number that is never used twice: what comes back under one that has ended is late, and
is dropped. Items go out in the order of their plans, downloads take turns.
"""

import heapq
import random
from collections import Counter, deque
from collections.abc import Callable, Collection
from itertools import count
from operator import attrgetter

from pipeline.errors import DecryptionError, HlspipeError, ProcessDiedError
from pipeline.net.ahead import LEAST_ROUND_TRIP
from pipeline.net.failure import FetchFailure, Patience
from pipeline.net.hosts import HostPauses, host_of
from pipeline.net.retry import RetryPolicy
from pipeline.options import FetchOptions
from pipeline.processes import messages
from pipeline.processes.bulletin import Bulletin
from pipeline.processes.children import DownloaderChild
from pipeline.processes.crew import Crew
from pipeline.processes.download import Download
from pipeline.processes.errands import (
    MAX_DEATHS,
    DocumentErrand,
    Errand,
    ItemErrand,
    NeedErrand,
)
from pipeline.processes.foresight import Foresight, Orders
from pipeline.processes.instructions import instruction
from pipeline.processes.shares import Shares

#: Seconds until a downloader that is done with an errand has the next one: messages are gathered,
#: and three processes have to get a CPU for it.
_ROUND_SECONDS = 0.008

#: Seconds after which a key is asked for again whose host had enough to do.
_BUSY_SECONDS = 0.05

#: Seconds after a refusal (429, 503) in which no more is under way than there are connections. What
#: has been begun before ends by itself, and may be unevenly spread over the downloaders.
_CAREFUL_SECONDS = 30.0

#: Errands ahead of a downloader's connections at the most.
_MOST_AHEAD = 16


#: What a downloader has in hand beyond its connections, now and in a moment.
_LOAD = attrgetter("load")
_LOAD_SOON = attrgetter("load_soon")


class Dispatcher:
    """Gives errands to downloaders and keeps account of them."""

    def __init__(self, crew: Crew, options: FetchOptions, bulletin: Bulletin) -> None:
        """Nothing is given out before `assign`."""
        self._crew = crew
        self._bulletin = bulletin
        self._policy = RetryPolicy(options.http.retries, options.http.retry_sleep)
        self._most_per_host = options.max_per_host
        self._pauses = HostPauses()
        self._numbers = count(1)
        self._tickets = count()
        self._documents: list[tuple[float, int, DocumentErrand]] = []
        self._turns: deque[Download] = deque()
        self._careful_until = 0.0
        self._assigned_at = -1.0
        self._contexts: set[int] = set()  # of the jobs that are under way
        self._foresight = Foresight(crew, options, self._pauses)

    # -- what there is to do -----------------------------------------------------------------

    def add_document(self, errand: DocumentErrand, due: float = 0.0) -> None:
        """Fetch a document, not before `due`."""
        self._contexts.add(errand.context)
        heapq.heappush(self._documents, (due, next(self._tickets), errand))

    def add_download(self, download: Download) -> None:
        """Fetch the items of `download`, once its output is open."""
        self._contexts.add(download.context)
        self._turns.append(download)
        self._foresight.added(download)

    def drop(self, context: int) -> None:
        """Nothing more is wanted in this context; what is under way is not waited for."""
        self._turns = deque(turn for turn in self._turns if turn.context != context)
        self._foresight.drop(context)
        self._contexts.discard(context)
        self._documents = [entry for entry in self._documents if entry[2].context != context]
        heapq.heapify(self._documents)
        for child in self._crew.downloaders:
            for lease, errand in list(child.leases.items()):
                if errand.context == context:
                    del child.leases[lease]

    def finished(self, download: Download) -> None:
        """Every item of `download` is in."""
        self._turns.remove(download)

    def next_due(self) -> float | None:
        """When something that waits now is due.

        What was due already when errands were given out waits for room, and not for a time.
        """
        times = [turn.next_due() for turn in self._turns]
        times += [entry[0] for entry in self._documents[:1]]
        return min(
            (time for time in times if time is not None and time > self._assigned_at), default=None
        )

    # -- giving out --------------------------------------------------------------------------

    def assign(self, now: float) -> None:
        """Give errands to downloaders for as long as there is work and somebody to do it."""
        self._assigned_at = now
        orders: Orders = {}
        self._foresight.look(now)
        ahead = self._ahead(now)
        load, waiting = self._short_of_work(ahead)
        shares = self._shares() if waiting else None
        while waiting and self._has_room(now):
            errand = self._next(now, shares, ahead)
            if errand is None:
                break
            if shares is not None:
                shares.took(errand.context)
            child = self._foresight.asked_by(errand)
            if child not in waiting:
                child = min(waiting, key=load)
            orders.setdefault(child, []).append(self._lease(child, errand))
            if isinstance(errand, NeedErrand) and self._contexts == {errand.context}:
                self._foresight.ask(errand, now, orders)
                ahead = self._ahead(now)
            waiting = [child for child in waiting if load(child) < ahead]
        for child, found in orders.items():
            child.tell(*found)
        if not orders:
            self._even_out()
        self._foresight.given_out(self._turns)

    def _even_out(self) -> None:
        """There is nothing to give out: what somebody has not begun is for those who are idle.

        It may be behind a body that does not end.
        """
        children = [child for child in self._crew.downloaders if child.available]
        if any(child.load < 0 for child in children):
            for child in children:
                if child.load > 0:
                    child.ask_back()

    def far_away(self, context: int, url: str) -> None:
        """The server of the context's first document is a long way off."""
        if self._contexts == {context} and not self._turns:
            self._foresight.far_away(context, url)

    def saw_way(
        self, child: DownloaderChild, context: int, report: messages.DocumentFetched
    ) -> None:
        """A document says how far away its server is, if that keeps connections."""
        self._foresight.saw_way(child, context, report)

    def _short_of_work(
        self, ahead: int
    ) -> tuple[Callable[[DownloaderChild], int], list[DownloaderChild]]:
        """Downloaders with less than half of what they may have ahead: they are given the rest.

        Not a single errand as soon as there is room for it: each message wakes a process, and that
        costs more than a small segment does. What is about to end makes room where there is none.
        Returned with how much of that a downloader has.
        """
        available = [child for child in self._crew.downloaders if child.available]
        wanted = (ahead + 1) // 2
        if found := [child for child in available if child.load < wanted]:
            return _LOAD, found
        return _LOAD_SOON, [child for child in available if child.load_soon < wanted]

    def _has_room(self, now: float) -> bool:
        """Whether one errand more may be under way, whoever has the others."""
        if now >= self._careful_until:
            return True
        children = self._crew.downloaders
        under_way = sum(len(each.leases) + each.early for each in children)
        return under_way < sum(each.limit for each in children)

    def _ahead(self, now: float) -> int:
        """Errands in a downloader's hand beyond those under way: no thread waits for the next.

        As many as are done while a word goes to the supervisor and back, and those that are asked
        for before the last ones have come (`net.ahead`), and not more: what a slow downloader has
        in hand is in turn while a fast one's results wait for it, and what it has in hand is asked
        for although the host wants a pause. None towards the end, when an idle one would lack them,
        nor while connections wait for a key: whose thread is free would begin them.
        """
        if now < self._careful_until or any(child.early for child in self._crew.downloaders):
            return 0
        processes, children = self._crew.size.processes, self._crew.downloaders
        remaining = sum(turn.remaining for turn in self._turns)
        rate = max((turn.rate(now) for turn in self._turns), default=0.0) / processes
        wanted = min(1 + int(rate * _ROUND_SECONDS), _MOST_AHEAD)
        if max(child.way[1] for child in children) >= LEAST_ROUND_TRIP:
            wanted += 2 * max(child.limit for child in children)
        return min(wanted, remaining // (2 * processes))

    def _shares(self) -> Shares | None:
        """What each job may have; None where there is one job, which may have everything."""
        if len(self._contexts) < 2:
            return None
        children = self._crew.downloaders
        connections = sum(child.limit for child in children)
        held: Counter[int] = Counter()
        wanted = Counter({turn.context: 0 for turn in self._turns})
        for turn in self._turns:
            wanted[turn.context] += turn.remaining
        leased = [errand for child in children for errand in child.leases.values()]
        for errand in [*leased, *(entry[2] for entry in self._documents)]:
            if isinstance(errand, DocumentErrand):  # who still reads will want as much as any
                wanted[errand.context] += connections
        for errand in leased:
            held[errand.context] += 1
        return Shares(connections, held, wanted)

    def _next(self, now: float, shares: Shares | None, ahead: int) -> Errand | None:
        if self._documents and self._documents[0][0] <= now:
            return heapq.heappop(self._documents)[2]
        for _ in range(len(self._turns)):
            download = self._turns[0]
            self._turns.rotate(-1)
            if shares is not None and not shares.allows(
                download.context, ahead if self._is_fast(download, now) else 0
            ):
                continue
            errand = download.next(now)
            if errand is None:
                continue
            pause = self._pauses.until(errand.url)
            if pause > now:
                download.later(errand, pause)
            elif not self._is_busy(errand.url):
                return errand
            elif isinstance(errand, ItemErrand):
                download.again(errand)
            else:
                download.later(errand, now + _BUSY_SECONDS)
        return None

    def _is_fast(self, download: Download, now: float) -> bool:
        """Whether its items come so fast that a word of theirs takes longer (`_ahead`)."""
        return download.rate(now) * _ROUND_SECONDS >= self._crew.size.processes

    def _is_busy(self, url: str) -> bool:
        """Whether as many errands to the host of `url` are under way as are allowed."""
        if self._most_per_host is None:
            return False
        host, children = host_of(url), self._crew.downloaders
        urls = [errand.url for child in children for errand in child.leases.values()]
        return sum(host_of(other) == host for other in urls) >= self._most_per_host

    def _lease(self, child: DownloaderChild, errand: Errand) -> messages.ToDownloader:
        """Note that `child` has the errand now; what to tell it."""
        lease = next(self._numbers)
        child.leases[lease] = errand
        self._bulletin.account(errand.context).requests += 1
        return instruction(errand, lease)

    # -- what became of it -------------------------------------------------------------------

    def end_lease(self, lease: int) -> Errand | None:
        """The errand of a lease that has ended; None if nobody waits for it any more."""
        for child in self._crew.downloaders:
            errand = child.leases.pop(lease, None)
            if errand is not None:
                return errand
        return None

    def recall(self, now: float) -> None:
        """Have what is in hand and not begun given back: the host it is for wants less."""
        self._careful_until = now + _CAREFUL_SECONDS
        for child in self._crew.downloaders:
            if len(child.leases) > child.limit or not child.limit:
                child.tell(messages.ReturnTasks())

    def returned(self, leases: list[int]) -> None:
        """These leases have ended without a try."""
        for lease in leases:
            if errand := self.end_lease(lease):
                self._bulletin.account(errand.context).requests -= 1
                self._again(errand, 0.0)

    def ending(self, lease: int) -> None:
        """Whoever has that lease could ask for the next thing on the same connection."""
        for child in self._crew.downloaders:
            if lease in child.leases:
                child.ends(lease)

    def continued(self, report: messages.TryContinued | messages.ChangedOver) -> None:
        """A try goes on with another request; if it broke off, that is one more try."""
        account = self._bulletin.account(report.context)
        account.requests += 1
        if isinstance(report, messages.ChangedOver):
            return
        leases = [child.leases for child in self._crew.downloaders if report.lease in child.leases]
        if not leases:  # storage has been quicker to say that the item is in
            account.retries += 1
            return
        errand = leases[0][report.lease]
        errand.tries += 1
        self._bulletin.retried(errand, report.reason, report.pause)

    def items_stored(self, download: Download, indexes: Collection[int]) -> None:
        """Storage has these items: whoever was at them is free."""
        for child in self._crew.downloaders:
            done = [
                lease
                for lease, errand in child.leases.items()
                if isinstance(errand, ItemErrand) and errand.is_among(download, indexes)
            ]
            for lease in done:
                del child.leases[lease]

    def retry(self, errand: Errand, failure: FetchFailure, now: float) -> HlspipeError | None:
        """Try again later, or return the error that the errand ends with."""
        errand.tries += 1
        if not self._policy.allows(failure.patience, errand.tries):
            return self._final(errand, failure)
        delay = self._policy.delay(errand.tries, failure.retry_after, random.random)
        if self._was_one_too_many(errand, failure):
            delay = 0.0
        elif failure.retry_after or failure.patience is Patience.BUSY:  # that holds for all things
            self._pauses.pause(errand.url, now + delay)
        self._bulletin.retried(errand, failure.reason, delay)
        self._again(errand, now + delay)
        return None

    @staticmethod
    def _final(errand: Errand, failure: FetchFailure) -> HlspipeError:
        tries = f" (after {errand.tries} tries)" if errand.tries > 1 else ""
        verb = "decrypted" if issubclass(failure.error, DecryptionError) else "fetched"
        expired = ": its URL may have expired" if failure.patience is Patience.EXPIRED else ""
        return failure.error(f"{errand.what} could not be {verb}: {failure.reason}{tries}{expired}")

    def _was_one_too_many(self, errand: Errand, failure: FetchFailure) -> bool:
        """Whether the server is at others of ours: its turn comes when one of those is done."""
        if failure.patience is not Patience.BUSY or failure.retry_after or errand.tries > 1:
            return False
        host, children = host_of(errand.url), self._crew.downloaders
        return any(
            host_of(each.url) == host for child in children for each in child.leases.values()
        )

    def has_tries_left(self, errand: Errand) -> bool:
        """Whether a further try is left after one more failure, however hopeful."""
        return self._policy.allows(Patience.FULL, errand.tries + 1)

    def again_at_once(self, errand: Errand, failure: FetchFailure) -> None:
        """Try again without a pause: what failed was not the errand as it is now."""
        errand.tries += 1
        self._bulletin.retried(errand, failure.reason, 0.0)
        self._again(errand, 0.0)

    def lost(self, errands: list[Errand], ended: str, now: float) -> Errand | None:
        """A downloader died with `errands` in hand; returns one that has died too often.

        All others are tried again, whoever they are for.
        """
        started = errands[: self._crew.size.threads]
        poisonous = None
        for errand in errands:
            errand.deaths += errand in started
            if errand.deaths >= MAX_DEATHS and poisonous is None:
                poisonous = errand
                continue
            self._bulletin.retried(errand, f"a downloader process ended: {ended}", 0.0)
            self._again(errand, now)
        return poisonous

    def _again(self, errand: Errand, due: float) -> None:
        if isinstance(errand, DocumentErrand):
            self.add_document(errand, due)
        elif isinstance(errand, ItemErrand | NeedErrand):
            errand.download.later(errand, due)


def poisoned(errand: Errand, ended: str) -> ProcessDiedError:
    """The error for an errand that downloaders keep dying of."""
    return ProcessDiedError(
        f"{errand.what} was being fetched when a downloader process died, {errand.deaths} times"
        f" in a row (the last one: {ended})"
    )
