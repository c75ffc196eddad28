"""What is done for a job a long way off before its turn: connections, and requests of items.

Over a long line each thing that waits for another one costs a round trip. So connections are made
while the playlist comes, and items asked for while their key does (docs/decisions/014). One job at
a time has that: where there are several, others use the line meanwhile, and what they leave idle is
as good. Decisions, and the orders for them; what an early request is, is in `net.early`.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from pipeline.net.ahead import LEAST_ROUND_TRIP
from pipeline.net.due import kept_seconds
from pipeline.net.hosts import HostPauses, host_of
from pipeline.options import FetchOptions
from pipeline.processes import messages
from pipeline.processes.children import DownloaderChild
from pipeline.processes.crew import Crew
from pipeline.processes.download import Download
from pipeline.processes.errands import Errand, ItemErrand, NeedErrand

Orders = dict[DownloaderChild, list[messages.ToDownloader]]


@dataclass(slots=True)
class _Early:
    """Items that have been asked for, and by whom; they count as long as their key may come."""

    key: NeedErrand
    until: float
    children: dict[tuple[int, int], DownloaderChild] = field(default_factory=dict)


@dataclass(slots=True)
class _Job:
    """The job that has all that."""

    context: int
    connected: str | None  # where connections were made, while they are of use
    answered: bool = False  # its first document is here
    kept_by: set[DownloaderChild] = field(default_factory=set)  # they have a connection from it
    round_trip: float = 0.0  # seconds to there, and back
    early: _Early | None = None


class Foresight:
    """Looks ahead for one job."""

    def __init__(self, crew: Crew, options: FetchOptions, pauses: HostPauses) -> None:
        """No job is far away yet."""
        self._crew = crew
        self._pauses = pauses
        # With a limit for each host nothing is made beforehand: nobody counts what lies idle.
        self._allowed = options.max_per_host is None
        # Where the rate is limited, the line is not: nothing is gained by asking.
        self._asks = options.http.limit_rate is None
        self._job: _Job | None = None

    # -- while the playlist comes ------------------------------------------------------------

    def far_away(self, context: int, url: str) -> None:
        """The server that the only job begins with is a long way off: connect to it meanwhile.

        Most playlists name segments on their own host.
        """
        if not self._allowed or self._is_for(context):
            return
        self._job = _Job(context, url)
        for child, connections in Counter(self._free()).items():
            child.tell(messages.Connect(context, url, connections))

    def saw_way(
        self, child: DownloaderChild, context: int, report: messages.DocumentFetched
    ) -> None:
        """A document has come to `child`, and says whether its server keeps connections.

        One that does not may have one at a time, and must not wait on others that nobody uses.
        """
        job = self._job
        if job is None or job.context != context:
            return
        job.kept_by.add(child)
        if job.answered:
            return
        job.answered, job.round_trip = True, report.round_trip
        if not report.round_trip or not self._leads_to(report.url):
            self._disconnect({})
        if report.round_trip < LEAST_ROUND_TRIP:
            self._job = None

    def added(self, download: Download) -> None:
        """The job's plan is known: connections to another host than its are of no use."""
        if not self._is_for(download.context) or not download.items:
            return
        if not self._leads_to(download.items[0].url):
            self._disconnect({})

    def given_out(self, downloads: Collection[Download]) -> None:
        """Where all items are in somebody's hand, more connections than that are of no use."""
        if self._job is None or self._job.connected is None or not downloads:
            return
        if not any(download.remaining for download in downloads):
            kept = self._job.kept_by
            self._disconnect(
                but={
                    child: max(0, len(child.leases) + child.early - (child in kept))
                    for child in self._crew.downloaders
                }
            )

    # -- while the key comes -----------------------------------------------------------------

    def ask(self, errand: NeedErrand, now: float, orders: Orders) -> None:
        """While the first key is fetched, ask for the items that wait for it."""
        download, job = errand.download, self._job
        if job is None or not self._is_for(download.context) or job.early is not None:
            return
        if download.arrivals or self._pauses.until(download.items[0].url) > now:
            return
        under_way = sum(len(child.leases) for child in self._crew.downloaders)
        free = self._free()
        slots = free[: max(0, len(download.items) - under_way)]
        if len(slots) < len(free):  # what nothing is asked on may keep the key's request waiting
            self._disconnect(but=Counter(slots))
        asked = download.waiting_for(errand.need, len(slots)) if self._asks else []
        job.early = _Early(errand, now + kept_seconds(job.round_trip))
        for index, child in zip(asked, slots, strict=False):
            job.early.children[download.job, index] = child
            child.early += 1
            orders.setdefault(child, []).append(_ask_early(download, index))
        for child, connections in Counter(slots[len(asked) :]).items():
            connect = messages.Connect(download.context, download.items[0].url, connections)
            orders.setdefault(child, []).append(connect)

    def look(self, now: float) -> None:
        """Items that were asked for may be given out when their key is here, or was too slow."""
        early = self._job.early if self._job is not None else None
        if early is None or not early.children:
            return
        leased = any(early.key in child.leases.values() for child in self._crew.downloaders)
        if not leased or now >= early.until:
            self._free_early()
        if now >= early.until:
            early.children.clear()

    def asked_by(self, errand: Errand) -> DownloaderChild | None:
        """Who has asked for that item already."""
        if self._job is None or self._job.early is None or not isinstance(errand, ItemErrand):
            return None
        return self._job.early.children.get((errand.download.job, errand.index))

    def drop(self, context: int) -> None:
        """The job has ended."""
        if self._is_for(context):
            self._free_early()
            self._job = None

    # -- who has what ------------------------------------------------------------------------

    def _is_for(self, context: int) -> bool:
        return self._job is not None and self._job.context == context

    def _leads_to(self, url: str) -> bool:
        connected = self._job.connected if self._job is not None else None
        return connected is not None and host_of(connected) == host_of(url)

    def _free(self) -> list[DownloaderChild]:
        """Whose the connections are that nothing uses: first of those that have most to spare.

        What is under way has one, which is free again soon.
        """
        children = [child for child in self._crew.downloaders if child.available]
        load = {child: child.load for child in children}
        found = []
        for _ in range(-sum(load.values())):
            child = min(children, key=lambda child: load[child])
            load[child] += 1
            found.append(child)
        return found

    def _free_early(self) -> None:
        for child in self._crew.downloaders:
            child.early = 0

    def _disconnect(self, but: Mapping[DownloaderChild, int]) -> None:
        """Have connections closed that were made and not used, but for so many of each child."""
        assert self._job is not None  # noqa: S101  (it is asked about one)
        url, self._job.connected = self._job.connected, None
        if url is None:
            return
        for child in self._crew.downloaders:
            left = but.get(child, 0)
            child.tell(messages.Disconnect(self._job.context, url, left))


def _ask_early(download: Download, index: int) -> messages.AskEarly:
    item = download.items[index]
    offset, length = item.byte_range or (None, None)
    return messages.AskEarly(download.context, item.url, offset, length)
