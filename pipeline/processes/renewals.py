"""URLs that have expired: the playlist is asked for fresh ones, once for all that wait for them.

A server that answers 401, 403 or 410 in mid-run often means the token in the URL, and the same
playlist names the same segments with another one. Errands that were refused so are held back until
the playlist has been read again (by the job, which knows how: `wishes.Renewal`). Those whose URL
has changed go out at once; for the others the refusal stands, and the ordinary rules of trying
again.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from pipeline import events
from pipeline.net.failure import FetchFailure, Patience
from pipeline.processes.bulletin import Bulletin
from pipeline.processes.dispatch import Dispatcher
from pipeline.processes.errands import DocumentErrand, Errand
from pipeline.processes.flow import Flow
from pipeline.processes.running import RunningJobs

#: Seconds until a playlist that had no fresh URL is asked again. A run that allows gaps may meet
#: hundreds of segments that are gone for good.
_PAUSE_SECONDS = 30.0

#: A server may refuse all fresh URLs as well: so often in a row they are given a chance. Not once
#: only, because that a segment is in is heard from storage, and may be heard later than a refusal.
_MOST_IDLE = 2

Held = tuple[Errand, FetchFailure]


@dataclass(slots=True)
class _State:
    """Where the renewal of one job's URLs stands."""

    under_way: bool = False
    not_before: float = 0.0
    arrived: int = -1  # what was in when the playlist was last asked
    idle: int = 0  # times that it was asked in a row without anything having come in between
    held: list[Held] = field(default_factory=list)


class Renewals:
    """Holds errands back while their URLs are renewed."""

    def __init__(
        self,
        jobs: RunningJobs,
        dispatcher: Dispatcher,
        bulletin: Bulletin,
        refused: Callable[[Errand, FetchFailure], None],
    ) -> None:
        """`refused` is told of errands for which there is no fresh URL."""
        self._jobs = jobs
        self._dispatcher = dispatcher
        self._bulletin = bulletin
        self._refused = refused
        self._states: dict[int, _State] = {}

    def take(self, errand: Errand, failure: FetchFailure) -> bool:
        """Whether the renewal of its URL is tried before `errand` counts as failed."""
        hopeless = failure.patience is not Patience.EXPIRED or isinstance(errand, DocumentErrand)
        if hopeless or not self._dispatcher.has_tries_left(errand):
            return False
        if errand.renew():  # another errand's refusal has brought it while this one was under way
            self._dispatcher.again_at_once(errand, failure)
            return True
        state = self._states.setdefault(errand.context, _State())
        if not state.under_way and not self._begin(state, errand.context):
            return False
        state.held.append((errand, failure))
        return True

    def _begin(self, state: _State, context: int) -> bool:
        """Begin to read the playlist again, if that promises something."""
        arrived = sum(each.arrivals for each in self._jobs.of_context(context))
        state.idle = state.idle + 1 if arrived == state.arrived else 0
        state.arrived = arrived
        if state.idle > _MOST_IDLE or time.monotonic() < state.not_before:
            return False
        state.under_way = True
        state.under_way = self._jobs.begin_renewal(context, self._done)
        return state.under_way

    def forget(self, context: int) -> None:
        """The job has ended."""
        self._states.pop(context, None)

    def _done(self, flow: Flow) -> None:
        """The playlist has been read again, or could not be."""
        state = self._states.get(flow.context)
        if state is None or not self._jobs.is_running(flow.context):
            return
        changed = 0
        if flow.error is None:
            downloads = self._jobs.of_context(flow.context)
            changed = sum(
                each.renew(items) for each, items in zip(downloads, flow.result, strict=True)
            )
        held, state.held, state.under_way = state.held, [], False
        if changed:
            renewed = events.UrlsRenewed(changed, held[0][1].reason)
            self._bulletin.account(flow.context).tell(renewed)
        else:
            state.not_before = time.monotonic() + _PAUSE_SECONDS
        for errand, failure in held:
            if errand.renew():
                self._dispatcher.again_at_once(errand, failure)
            else:
                self._refused(errand, failure)
