"""The daemon as its API and its spool see it: one object, for the event loop's thread.

What it is asked for is done in the thread that owns the queue; whoever asks awaits it.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from pipeline.errors import StorageError
from pipeline.service.dispatch import Dispatcher
from pipeline.service.downloadroot import DownloadRoot
from pipeline.service.figures import Figures
from pipeline.service.hub import Hub
from pipeline.service.intake import Intake
from pipeline.service.keeper import Keeper
from pipeline.service.queue import JobQueue
from pipeline.service.record import Job
from pipeline.service.refusals import UnavailableError
from pipeline.service.states import Order
from pipeline.service.views import job_view

_T = TypeVar("_T")

#: Seconds after which a part of the daemon that does not answer counts as hung.
_ANSWER_SECONDS = 10.0


class Service:
    """What can be asked of the daemon."""

    def __init__(
        self, keeper: Keeper, dispatcher: Dispatcher, root: DownloadRoot, intake: Intake, hub: Hub
    ) -> None:
        self.hub = hub
        self.intake = intake
        self._keeper = keeper
        self._dispatcher = dispatcher
        self._root = root

    @property
    def figures(self) -> Figures:
        """Numbers of what happens."""
        return self._dispatcher.figures

    @property
    def draining(self) -> bool:
        """Whether no jobs are taken in, nor begun."""
        return self._dispatcher.draining

    async def ask(self, work: Callable[[JobQueue], _T]) -> _T:
        """What `work` on the queue returns."""
        return await asyncio.wrap_future(self._keeper.do(work))

    async def submit(self, entries: Sequence[object]) -> list[tuple[Job, bool]]:
        """Enter jobs, all or none; each with whether it is new. Raises a Refusal."""
        intake = self.intake

        # Paths are looked up on the disk: not in the thread that serves everybody.
        def enter(queue: JobQueue) -> list[tuple[Job, bool]]:
            return self._dispatcher.submit(queue, intake.jobs(entries))

        return await self.ask(enter)

    async def order(self, number: int, order: Order) -> Job:
        """Have an order carried out. Raises a Refusal."""
        return await self.ask(lambda queue: self._dispatcher.order(queue, number, order))

    async def drain(self, *, wanted: bool) -> None:
        """Neither take in nor begin jobs any more; or do so again."""
        self._dispatcher.draining = wanted
        await self.ask(self._dispatcher.fill)

    async def check(self) -> None:
        """Return if queue and engine answer. Raises UnavailableError, or what the queue raises."""
        loop = asyncio.get_running_loop()
        answered = asyncio.Event()
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                await self.ask(lambda queue: queue.counts())
                self._dispatcher.engine.ask(lambda: _set(loop, answered))
                await answered.wait()
        except TimeoutError as error:
            raise UnavailableError("A part of the daemon does not answer") from error
        except StorageError as error:
            raise UnavailableError(error.message) from error

    def view(self, job: Job) -> dict[str, Any]:
        """A job as clients see it."""
        return job_view(job, self._root, self.figures.progress.get(job.id))


def _set(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
    loop.call_soon_threadsafe(event.set)
