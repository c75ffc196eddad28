"""Tries that failed: fresh URLs, another try, a gap, or the end of the job.

When and how often something is tried again is the dispatcher's, where fresh URLs come from is in
`renewals`.
"""

import time

from pipeline import events
from pipeline.errors import HlspipeError, SegmentsMissingError
from pipeline.net.failure import FetchFailure
from pipeline.processes import messages
from pipeline.processes.bulletin import Bulletin
from pipeline.processes.crew import Crew
from pipeline.processes.dispatch import Dispatcher
from pipeline.processes.errands import DocumentErrand, Errand, ItemErrand
from pipeline.processes.outputs import Outputs
from pipeline.processes.renewals import Renewals
from pipeline.processes.running import RunningJobs
from pipeline.units import printable, public_url


class Refusals:
    """What becomes of errands that came back without what they were for."""

    def __init__(
        self,
        crew: Crew,
        dispatcher: Dispatcher,
        jobs: RunningJobs,
        bulletin: Bulletin,
        outputs: Outputs,
    ) -> None:
        """`outputs` hears of gaps."""
        self._crew = crew
        self._dispatcher = dispatcher
        self._jobs = jobs
        self._bulletin = bulletin
        self._outputs = outputs
        self._renewals = Renewals(jobs, dispatcher, bulletin, self._refused)

    def take(self, errand: Errand, failure: FetchFailure) -> None:
        """A try of `errand` failed."""
        if not self._renewals.take(errand, failure):
            self._refused(errand, failure)

    def forget(self, context: int) -> None:
        """The job has ended."""
        self._renewals.forget(context)

    def _refused(self, errand: Errand, failure: FetchFailure) -> None:
        """A try of `errand` has failed, and nothing but another one can mend that."""
        error = self._dispatcher.retry(errand, failure, time.monotonic())
        if error is not None:
            self._give_up(errand, error, failure.reason)

    def _give_up(self, errand: Errand, error: HlspipeError, reason: str) -> None:
        """No further try: a gap, where these are allowed, or the end of the job."""
        if isinstance(errand, ItemErrand) and errand.download.may_miss(errand.index, error):
            download = errand.download
            segment = download.miss(errand.index)
            public = public_url(errand.url)
            missed = events.SegmentMissed(segment, public, printable(reason))
            self._bulletin.account(errand.context).tell(missed)
            self._crew.storage.tell(messages.SkipItem(download.job, errand.index))
            self._outputs.settled(download)
        elif isinstance(errand, DocumentErrand):
            self._jobs.refuse(errand.flow, errand.final_error(error))
        else:
            if isinstance(errand, ItemErrand) and isinstance(error, SegmentsMissingError):
                errand.download.refused = errand.download.items[errand.index].segment_index
            self._jobs.fail(errand.context, errand.final_error(error))
