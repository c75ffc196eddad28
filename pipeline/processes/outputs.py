"""Outputs, from being open to having their names: what storage says of them, and what follows.

Those of one job are completed together: all of them are published, or none. Not covered: what an
output is on disk, which is storage's.
"""

import time
from collections.abc import Callable

from pipeline import events
from pipeline.errors import SegmentsMissingError
from pipeline.processes import messages
from pipeline.processes.bulletin import Bulletin
from pipeline.processes.crew import Crew
from pipeline.processes.dispatch import Dispatcher
from pipeline.processes.download import Download
from pipeline.processes.running import RunningJobs
from pipeline.processes.wishes import Transferred


class Outputs:
    """Follows the downloads of all jobs to their ends."""

    def __init__(
        self,
        crew: Crew,
        dispatcher: Dispatcher,
        jobs: RunningJobs,
        bulletin: Bulletin,
        complete: Callable[[], None],
    ) -> None:
        """`complete` is told when all items of a job are held: more than that never is."""
        self._crew = crew
        self._dispatcher = dispatcher
        self._jobs = jobs
        self._bulletin = bulletin
        self._complete = complete

    def opened(self, report: messages.OutputOpened, connections: int) -> None:
        """Storage has an output; `connections` are what its items are fetched over at first."""
        if (download := self._jobs.downloads.get(report.job)) is None:
            return
        download.take_up(report.items, report.size, time.monotonic())
        together = self._jobs.of_context(download.context)
        if report.notice is not None:
            self._bulletin.account(download.context).tell(events.Warned(report.notice))
        self._bulletin.resumed(download)
        if all(each.opened for each in together):
            self._bulletin.started_transfer(together, self._crew.size, connections)
        self.settled(download)

    def stored(self, report: messages.ItemsStored) -> None:
        """Items are in."""
        if (download := self._jobs.downloads.get(report.job)) is None:
            return
        download.stored_bytes = report.job_bytes
        self._dispatcher.items_stored(download, report.indexes)
        if new := {index for index in report.indexes if download.settle(index)}:
            download.unverified += sum(map(download.is_segment, new & set(report.unverified)))
            self.settled(download)

    def grew(self, job: int, size: int) -> None:
        """So many bytes of an output are in, items that are not whole among them."""
        download = self._jobs.downloads.get(job)
        if download and size != download.stored_bytes and not download.publishing:
            download.stored_bytes = size
            self._bulletin.progress(self._jobs.of_context(download.context))

    def settled(self, download: Download) -> None:
        """One item more is in, or given up; with the last one the output is completed."""
        self._bulletin.progress(self._jobs.of_context(download.context))
        self._jobs.enforce_limits(time.monotonic())  # before it is too late for that
        if (
            not download.complete
            or download.publishing
            or not self._jobs.is_running(download.context)
        ):
            return
        download.publishing = True
        self._dispatcher.finished(download)
        together = self._jobs.of_context(download.context)
        if not download.segments_stored:
            self._jobs.fail(
                download.context, SegmentsMissingError("Not one segment could be fetched")
            )
        elif all(each.publishing for each in together):
            self._publish(together)

    def _publish(self, downloads: list[Download]) -> None:
        self._complete()
        self._bulletin.stored(downloads)
        for download in downloads:
            self._bulletin.publishing(download)
        self._crew.storage.tell(messages.Publish([download.job for download in downloads]))

    def published(self, report: messages.Published) -> None:
        """An output is whole and has its name."""
        if (download := self._jobs.downloads.get(report.job)) is None:
            return
        download.finished = True
        published = events.OutputPublished(download.transfer.name, report.size)
        self._bulletin.account(download.context).tell(published)
        missing, offsets = tuple(download.missing), tuple(report.offsets)
        done = Transferred(report.size, missing, report.sha256, offsets)
        self._jobs.transferred(download, done)
