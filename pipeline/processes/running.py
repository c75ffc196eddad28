"""The jobs under way: their flows, how their requests are made, and their downloads.

Turns wishes into errands for the dispatcher and orders for storage, and hands answers and errors
back to the job that waits for them. What happens to an errand is in `dispatch`; what a report means
is in `supervisor`.
"""

from itertools import count
from pathlib import Path
from typing import Any

from pipeline.errors import HlspipeError
from pipeline.options import HttpOptions
from pipeline.processes import messages
from pipeline.processes.children import DownloaderChild
from pipeline.processes.contexts import open_context, open_output
from pipeline.processes.crew import Crew
from pipeline.processes.dispatch import Dispatcher
from pipeline.processes.download import Download
from pipeline.processes.errands import DocumentErrand
from pipeline.processes.flow import Flow
from pipeline.processes.wishes import Document, Job, Transfer, Wish


class RunningJobs:
    """All jobs of one supervisor. A job's requests share a context; its number names it."""

    def __init__(self, crew: Crew, dispatcher: Dispatcher, http: HttpOptions) -> None:
        """Requests are made as `http` says."""
        self._crew = crew
        self._dispatcher = dispatcher
        self._http = http
        self._numbers = count(1)
        self._flows: dict[int, Flow] = {}
        self._contexts: dict[int, messages.OpenContext] = {}
        self.downloads: dict[int, Download] = {}

    def begin(self, job: Job, origin: str, local: bool) -> Flow:
        """Start a job, on behalf of `origin`; with `local`, files here may be read."""
        flow = Flow(next(self._numbers), job)
        self._flows[flow.context] = flow
        context = open_context(flow.context, origin, local, self._http)
        self._contexts[flow.context] = context
        for child in self._crew.downloaders:
            child.tell(context)
        self._grant(flow, flow.start())
        return flow

    def introduce(self, child: DownloaderChild) -> None:
        """Tell a new downloader how requests are made."""
        for context in self._contexts.values():
            child.tell(context)

    def is_running(self, context: int) -> bool:
        """Whether the job of this context still waits for something."""
        return context in self._flows

    def answer(self, context: int, wish: int, value: Any) -> None:
        """Wish number `wish` of a job is granted."""
        flow = self._flows.get(context)
        if flow is not None:
            self._grant(flow, flow.answer(wish, value))

    def fail(self, context: int, error: HlspipeError) -> None:
        """A wish of a job cannot be granted: what else it waits for is given up."""
        flow = self._flows.get(context)
        if flow is None:
            return
        self._dispatcher.drop(context)
        for download in self.of_context(context):
            if not download.finished:
                self._crew.storage.tell(messages.Abandon(download.job))
        self._grant(flow, flow.fail(error))

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
                    errand = DocumentErrand(flow.context, wish.url, document=wish, wish=number)
                    self._dispatcher.add_document(errand)
                case Transfer():
                    self._open(flow, number, wish)
        if flow.done:
            self._end(flow)

    def _open(self, flow: Flow, number: int, transfer: Transfer) -> None:
        # Numbered from 0: the first one's segment files have plain names.
        job = len(self.downloads)
        download = Download(job, flow.context, number, transfer)
        self.downloads[job] = download
        self._dispatcher.add_download(download)
        self._crew.storage.tell(open_output(job, transfer))

    def _end(self, flow: Flow) -> None:
        self._dispatcher.drop(flow.context)
        self._flows.pop(flow.context, None)
        self._contexts.pop(flow.context, None)
        for child in self._crew.downloaders:
            child.tell(messages.CloseContext(flow.context))
