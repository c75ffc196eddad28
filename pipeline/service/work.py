"""The daemon at work: what it does besides answering, and how it comes to its end."""

import asyncio
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from pipeline.errors import HlspipeError, InternalError
from pipeline.service.dispatch import Dispatcher
from pipeline.service.notify import Notifier
from pipeline.service.refusals import UnavailableError
from pipeline.service.service import Service
from pipeline.service.spool import Spool, read_entries
from pipeline.service.views import progress_view
from pipeline.service.web import Web

_log = logging.getLogger("hlspipe.service")

#: Seconds between two looks at what is due, and between two counts of progress that are told.
_TICK_SECONDS = 1.0

_PURGE_SECONDS = 3600.0

#: Seconds that downloads have to be parked. With what web and queue take, the daemon is gone in 20.
_PARK_SECONDS = 12.0
_REST_SECONDS = 8.0


class Work:
    """Everything that goes on until a signal comes."""

    def __init__(
        self,
        service: Service,
        dispatcher: Dispatcher,
        webs: Sequence[Web],
        spool: Spool | None,
    ) -> None:
        self._service = service
        self._dispatcher = dispatcher
        self._webs = webs
        self._spool = spool
        self._notifier = Notifier()
        self._stop = asyncio.Event()
        self._trouble = ""  # what the last look failed with
        self._next_purge = 0.0

    def take_signals(self, loop: asyncio.AbstractEventLoop, reload: Callable[[], None]) -> None:
        """From here on signals are answered by the event loop."""
        for signum in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signum, self._stop_for, signum)
        loop.add_signal_handler(signal.SIGHUP, self._reload, reload)

    def _reload(self, reload: Callable[[], None]) -> None:
        self._notifier.reloading()
        reload()
        self._notifier.ready()

    def _stop_for(self, signum: int) -> None:
        if self._stop.is_set():
            # Nothing is lost: what was running goes on at the next start, as after a kill.
            os._exit(128 + signum)
        _log.info("Stopping: jobs that are running go on at the next start")
        self._stop.set()

    async def until_stopped(self) -> None:
        """Work, and end in order. Raises what a part that failed raised."""
        tasks = [asyncio.create_task(web.serve()) for web in self._webs]
        watched = [*tasks, asyncio.create_task(self._look_after_jobs())]
        stop = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait([*watched, stop], return_when=asyncio.FIRST_COMPLETED)
        finally:
            await self._end(tasks)
        for task in watched:
            if task.done():
                task.result()
            else:
                task.cancel()

    async def _look_after_jobs(self) -> None:
        for web in self._webs:
            await web.started()
        _log.info("Ready")
        self._notifier.ready()
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            for number, progress in list(self._service.figures.progress.items()):
                view = {"id": number, "progress": progress_view(progress)}
                self._service.hub.mention("progress", view)
            try:
                await self._look()
            except HlspipeError as error:
                if error.message != self._trouble:
                    _log.error("%s", error.message)
                self._trouble = error.message
            else:
                self._trouble = ""

    async def _look(self) -> None:
        await self._service.ask(self._dispatcher.tick)
        if self._spool is not None and not self._service.draining:
            await self._take_in(self._spool)
        await self._tell_systemd()
        if time.monotonic() >= self._next_purge:
            await self._service.ask(self._dispatcher.purge)
            self._next_purge = time.monotonic() + _PURGE_SECONDS

    async def _take_in(self, spool: Spool) -> None:
        """Take the files that have been moved in."""
        for path in await asyncio.to_thread(lambda: list(spool.waiting())):
            try:
                entries = await asyncio.to_thread(read_entries, path)
                await self._service.submit(entries)
            except UnavailableError:
                return  # the daemon stops: the file is there at the next start
            except HlspipeError as error:
                await self._refuse(spool, path, error)
            except Exception as error:  # noqa: BLE001  (it must not end the daemon with each start)
                await self._refuse(spool, path, InternalError(repr(error)))
            else:
                await asyncio.to_thread(spool.taken, path)

    async def _refuse(self, spool: Spool, path: Path, error: HlspipeError) -> None:
        _log.warning("%s is refused: %s", path, error.message)
        await asyncio.to_thread(spool.refused, path, error)

    async def _tell_systemd(self) -> None:
        """A line of figures; and a sign of life, if all parts answer."""
        counts = await self._service.ask(lambda queue: queue.counts())
        shown = ", ".join(f"{number} {state}" for state, number in counts.items() if number)
        self._notifier.status(shown or "no jobs")
        now = time.monotonic()
        if self._notifier.is_beat_due(now):
            await self._service.check()
            self._notifier.beat(now)

    async def _end(self, serving: Sequence[asyncio.Task[None]]) -> None:
        """Park what is running, then answer no more."""
        self._notifier.stopping(_PARK_SECONDS + _REST_SECONDS)
        self._dispatcher.draining = True
        self._service.hub.publish("stopping", {})
        await self._park()
        self._service.hub.close()
        for web in self._webs:
            web.stop()
        await asyncio.wait(serving)
        _log.info("Stopped")

    async def _park(self) -> None:
        """In a thread that nobody waits for longer than there is time."""
        loop, closed = asyncio.get_running_loop(), asyncio.Event()

        def close() -> None:
            self._dispatcher.engine.close(keep=True)
            loop.call_soon_threadsafe(closed.set)

        threading.Thread(target=close, name="parking", daemon=True).start()
        try:
            async with asyncio.timeout(_PARK_SECONDS):
                await closed.wait()
        except TimeoutError:
            _log.warning("Downloads did not stop in time: they are left as after a kill")
        await self._service.ask(self._dispatcher.park)
