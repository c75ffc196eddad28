"""Children that die or fall silent: noticed, buried, and followed by others.

A downloader is replaced, and what it had in hand goes back into the plan; without storage there is
nothing to go on with. Covers what a death means for the run; processes themselves are `crew`'s.
"""

import selectors
import time

from pipeline.errors import ProcessDiedError
from pipeline.processes import messages
from pipeline.processes.children import Child, DownloaderChild
from pipeline.processes.crew import SILENCE_SECONDS, Crew
from pipeline.processes.dispatch import Dispatcher, poisoned
from pipeline.processes.running import RunningJobs
from pipeline.units import printable

#: Downloaders that die without having done anything, one after the other, are no accident.
_FRUITLESS_DEATHS = 8


class Caretaker:
    """Watches over the children of one supervisor."""

    def __init__(
        self,
        crew: Crew,
        dispatcher: Dispatcher,
        jobs: RunningJobs,
        selector: selectors.BaseSelector,
    ) -> None:
        """Has the reports of all children watched by `selector`, each under its child."""
        self._crew = crew
        self._dispatcher = dispatcher
        self._jobs = jobs
        self._selector = selector
        self._fruitless = 0
        self._woken = time.monotonic()
        for child in (crew.storage, *crew.downloaders):
            self._watch(child)

    def _watch(self, child: Child) -> None:
        assert child.reports is not None  # noqa: S101  (it has just been started)
        self._selector.register(child.reports, selectors.EVENT_READ, child)

    def fruitful(self) -> None:
        """A downloader has done something."""
        self._fruitless = 0

    def look_after_silence(self, now: float) -> None:
        """A child that gives no sign of life is as good as dead."""
        if now - self._woken > SILENCE_SECONDS / 2:
            # We were stopped ourselves (Ctrl-Z, suspend), and the children may have been.
            self._crew.excuse_silence(now)
        self._woken = now
        for child in self._crew.silent(now):
            child.crash = f"no sign of life for {SILENCE_SECONDS:.0f} seconds"
            self.died(child)

    def died(self, child: Child) -> None:
        """A child has ended, or must. Raises HlspipeError if the run ends with that."""
        if child.reports is not None:
            self._selector.unregister(child.reports)
        child.end()
        if child.crash:
            child.ended = printable(child.crash.splitlines()[0])
        ended = child.ended or "gone"
        if child.failure is not None:
            raise child.failure
        if not isinstance(child, DownloaderChild):
            raise ProcessDiedError(f"The storage process died ({ended})")
        self._fruitless += 1
        if self._fruitless > _FRUITLESS_DEATHS:
            raise ProcessDiedError(f"Downloader processes keep dying (the last one: {ended})")
        child.awaits_storage = True
        self._crew.storage.tell(messages.ForgetDownloader(child.partition))

    def replace(self, child: DownloaderChild) -> None:
        """Storage has taken in all that the dead one left: redo the rest, start its successor.

        Not before: an item that is in, but not reported yet, would be fetched twice; and blocks
        that storage lent meanwhile would be in the pipe that the successor reads.
        """
        now, ended = time.monotonic(), child.ended or "gone"
        victim = self._dispatcher.lost(child.take_leases(), ended, now)
        if victim is not None:
            self._jobs.fail(victim.context, poisoned(victim, ended))
        child.forget_credits()
        self._crew.restart(child, now)
        self._crew.storage.tell(messages.ServeDownloader(child.partition))
        child.awaits_storage = False
        self._watch(child)
        self._jobs.introduce(child)
