"""The jobs under way: their flows, how their requests are made, and their downloads.

Turns wishes into errands for the dispatcher and orders for storage, and hands answers and errors
back to the flow that waits for them. What happens to an errand is in `dispatch`, to an output in
`outputs`, and what is done about URLs that have expired in `renewals`.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.errors import HlspipeError
from pipeline.net.hosts import host_of
from pipeline.options import HttpOptions
from pipeline.processes import messages
from pipeline.processes.children import DownloaderChild
from pipeline.processes.contexts import open_context, open_output
from pipeline.processes.crew import Crew
from pipeline.processes.dispatch import Dispatcher
from pipeline.processes.download import Download
from pipeline.processes.errands import DocumentErrand
from pipeline.processes.flow import Flow
from pipeline.processes.limits import NO_LIMITS, Limits
from pipeline.processes.wishes import Document, Job, Renewal, Transfer, Wish


@dataclass(frozen=True, slots=True)
class Origin:
    """On whose behalf a job makes its requests."""

    url: str = field(repr=False)  # that the user gave: its host may see the user's headers
    local: bool = False  # files on this machine may be read


@dataclass(frozen=True, slots=True)
class Order:
    """A job that is to be run, and how."""

    job: Job
    origin: Origin
    http: HttpOptions = field(default_factory=HttpOptions)
    limits: Limits = NO_LIMITS
    #: Finds fresh URLs when those of the job's plans have expired.
    renewal: Renewal | None = None


#: Cookies of one job that a new downloader is told of: more than a transport keeps.
_MOST_COOKIES = 300


class _Running(NamedTuple):
    flow: Flow
    context: messages.OpenContext
    order: Order
    started: float
    #: What has set cookies, by host and name.
    cookies: dict[tuple[object, str], messages.CookiesSet]


class RunningJobs:
    """All jobs of one supervisor. A job's requests share a context; its number names it."""

    def __init__(self, crew: Crew, dispatcher: Dispatcher) -> None:
        """Nothing runs yet."""
        self._crew = crew
        self._dispatcher = dispatcher
        self._numbers = count(1)
        self._outputs = count()  # from 0: the first one's segment files have plain names
        self._running: dict[int, _Running] = {}
        self.downloads: dict[int, Download] = {}

    def begin(self, order: Order) -> Flow:
        """Start a job."""
        origin = order.origin
        context = open_context(next(self._numbers), origin.url, origin.local, order.http)
        flow = Flow(context.context, order.job, self._end)
        self._running[flow.context] = _Running(flow, context, order, time.monotonic(), {})
        for child in self._crew.downloaders:
            child.tell(context)
        self._grant(flow, flow.start())
        return flow

    def begin_renewal(self, context: int, when_done: Callable[[Flow], None]) -> bool:
        """Ask for fresh URLs of a job's items; False where there is nobody to ask."""
        running = self._running.get(context)
        if running is None or running.order.renewal is None:
            return False
        flow = Flow(context, running.order.renewal(), when_done)
        self._grant(flow, flow.start())
        return True

    def introduce(self, child: DownloaderChild) -> None:
        """Tell a new downloader how requests are made."""
        for running in self._running.values():
            child.tell(running.context, *running.cookies.values())

    def cookies_set(self, by: DownloaderChild, report: messages.CookiesSet) -> None:
        """A server has set cookies in an answer to one downloader: the others are told."""
        running = self._running.get(report.context)
        if running is None:
            return
        for cookie in report.fields:
            key = host_of(report.url), cookie.partition("=")[0].strip()
            running.cookies.pop(key, None)
            running.cookies[key] = report._replace(fields=[cookie])
            if len(running.cookies) > _MOST_COOKIES:
                del running.cookies[next(iter(running.cookies))]
        for child in self._crew.downloaders:
            if child is not by:
                child.tell(report)

    def origin_seen(self, context: int, private: bool | None) -> None:
        """The first document of a job has shown what kind of address its origin has."""
        running = self._running.get(context)
        if private is None or running is None or running.context.origin_private is not None:
            return
        seen = running.context._replace(origin_private=private)
        self._running[context] = running._replace(context=seen)
        for child in self._crew.downloaders:
            child.tell(messages.OriginSeen(context, private))

    def is_running(self, context: int) -> bool:
        """Whether the job of this context still waits for something."""
        return context in self._running

    def answer(self, flow: Flow, wish: int, value: Any) -> None:
        """Wish number `wish` of a flow is granted; one that has ended wants nothing any more."""
        if not flow.done:
            self._grant(flow, flow.answer(wish, value))

    def refuse(self, flow: Flow, error: HlspipeError) -> None:
        """A wish of a flow cannot be granted."""
        if (running := self._running.get(flow.context)) and running.flow is flow:
            self.fail(flow.context, error)
        elif not flow.done:
            self._grant(flow, flow.fail(error))

    def transferred(self, download: Download, value: Any) -> None:
        """The output of a download is whole."""
        if running := self._running.get(download.context):
            self.answer(running.flow, download.wish, value)

    def fail(self, context: int, error: HlspipeError) -> None:
        """A job cannot have what it waits for: what else it waits for is given up."""
        running = self._running.get(context)
        if running is None:
            return
        self._dispatcher.drop(context)
        for download in self.of_context(context):
            if not download.finished:
                self._crew.storage.tell(messages.Abandon(download.job))
        self._grant(running.flow, running.flow.fail(error))

    def enforce_limits(self, now: float) -> None:
        """End the jobs that have come to one of their limits.

        Outputs that are being published take nothing more, and are about to have their names.
        """
        for context, running in list(self._running.items()):
            downloads = self.of_context(context)
            if downloads and all(each.publishing for each in downloads):
                continue
            size = sum(each.stored_bytes for each in downloads)
            error = running.order.limits.exceeded(size, now - running.started)
            if error is not None:
                self.fail(context, error)

    def of_context(self, context: int) -> list[Download]:
        """The downloads of one job: all of them are published, or none."""
        return [each for each in self.downloads.values() if each.context == context]

    def transient_outputs(self) -> list[Path]:
        """Outputs of which nothing is to stay unless they are whole."""
        paths = [each.transient_output for each in self.downloads.values()]
        return [path for path in paths if path is not None]

    def _grant(self, flow: Flow, wishes: list[Wish]) -> None:
        for number, wish in enumerate(wishes):
            match wish:
                case Document():
                    errand = DocumentErrand(
                        flow.context, wish.url, document=wish, wish=number, flow=flow
                    )
                    self._dispatcher.add_document(errand)
                case Transfer():
                    self._open(flow, number, wish)
        if flow.done:
            flow.when_done(flow)

    def _open(self, flow: Flow, number: int, transfer: Transfer) -> None:
        job = next(self._outputs)
        siblings = self.of_context(flow.context)
        asked = siblings[0].asked if siblings else None
        download = Download(job, flow.context, number, transfer, asked)
        self.downloads[job] = download
        self._dispatcher.add_download(download)
        self._crew.storage.tell(open_output(job, transfer))

    def forget(self, context: int) -> None:
        """A job has ended, and nobody asks for its downloads any more."""
        for download in self.of_context(context):
            del self.downloads[download.job]

    def _end(self, flow: Flow) -> None:
        self._dispatcher.drop(flow.context)
        self._running.pop(flow.context, None)
        for child in self._crew.downloaders:
            child.tell(messages.CloseContext(flow.context))
