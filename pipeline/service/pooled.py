"""The engine of the daemon: all jobs over one set of processes, in a thread of its own.

The jobs share the connections, the memory threshold and the rate. The processes are there while
there is work, and a moment longer. If the storage process dies, the attempts under way have failed,
and the next ones get new processes; the daemon goes on.
"""

import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from pipeline.errors import HlspipeError, InternalError, StoppedError
from pipeline.jobs.underway import UnderWay
from pipeline.options import FetchOptions
from pipeline.processes.supervisor import Supervisor
from pipeline.service.engine import Ended, EngineEvent, Listener, Started, Told

#: Seconds that idle processes wait for the next job: starting them takes 0.3.
_LINGER = 10.0


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A download that has been asked for."""

    key: int
    url: str
    output: str
    options: FetchOptions


@dataclass(slots=True)
class _Running:
    key: int
    download: UnderWay


class PooledEngine:
    """Runs downloads side by side (`service.engine.Engine`)."""

    def __init__(self, listener: Listener, options: FetchOptions) -> None:
        """`options` say how large the set of processes is, and where it stores."""
        self._listener = listener
        self._options = options
        self._orders: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._waiting: list[_Wanted] = []
        self._running: list[_Running] = []
        self._closing = False
        self._lock = threading.Lock()
        self._supervisor: Supervisor | None = None  # guarded by _lock: others may wake it
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._thread.start()

    # -- any thread --------------------------------------------------------------------------

    def submit(
        self,
        key: int,
        url: str,
        output: str,
        options: FetchOptions,
        priority: int,  # noqa: ARG002  (the daemon submits no more than may run)
    ) -> None:
        """Begin a download as soon as there is room."""
        wanted = _Wanted(key, url, output, options)
        self._do(lambda: self._waiting.append(wanted))

    def cancel(self, key: int, keep: bool) -> None:  # noqa: ARG002  (the daemon clears up)
        """End it before its time."""
        self._do(lambda: self._cancel(key))

    def ask(self, answer: Callable[[], None]) -> None:
        """Call `answer` from the engine's thread."""
        self._do(answer)

    def close(self, keep: bool) -> None:  # noqa: ARG002  (options say what is kept)
        """End everything, and wait for that."""
        self._do(self._close)
        self._thread.join()

    def _do(self, order: Callable[[], None]) -> None:
        self._orders.put(order)
        with self._lock:
            if self._supervisor is not None:
                self._supervisor.wake()

    # -- the engine's thread -------------------------------------------------------------------

    def _run(self) -> None:
        while not self._closing:
            self._orders.get()()
            self._obey()
            if self._waiting and not self._closing:
                self._with_processes()

    def _obey(self) -> None:
        """Carry out what has been asked for meanwhile."""
        with suppress(queue.Empty):
            while True:
                self._orders.get_nowait()()

    def _with_processes(self) -> None:
        try:
            with Supervisor(self._options) as supervisor:
                self._share(supervisor)
                try:
                    self._work(supervisor)
                finally:
                    self._share(None)
                supervisor.finish()
        except HlspipeError as error:  # the processes could not be started, or one has died
            self._all_failed(error)
        except Exception as error:  # noqa: BLE001  (a bug fails the attempts, and not the daemon)
            self._all_failed(InternalError(f"{type(error).__name__}: {error}"))

    def _share(self, supervisor: Supervisor | None) -> None:
        with self._lock:
            self._supervisor = supervisor

    def _work(self, supervisor: Supervisor) -> None:
        last = time.monotonic()
        while not self._closing:
            while self._waiting:
                self._begin(self._waiting.pop(0), supervisor)
            if self._running:
                last = time.monotonic()
            elif time.monotonic() - last > _LINGER:
                return
            if all(each.download.outcome is None for each in self._running):
                supervisor.step()
            self._obey()
            self._end_some(supervisor)
        for running in self._running:
            running.download.cancel(supervisor, StoppedError("The download was stopped"))
            running.download.close()

    def _begin(self, wanted: _Wanted, supervisor: Supervisor) -> None:
        key = wanted.key
        try:
            one = UnderWay.begin(
                wanted.url,
                wanted.output,
                wanted.options,
                lambda event: self._tell(Told(key, event)),
                supervisor,
                lambda: self._tell(Started(key)),
            )
        except HlspipeError as error:
            return self._tell(Ended(key, None, error))
        if one.was_there:
            self._tell(Started(key))
        return self._running.append(_Running(key, one))

    def _end_some(self, supervisor: Supervisor) -> None:
        for running in list(self._running):
            if (outcome := running.download.poll(supervisor)) is not None:
                self._running.remove(running)
                self._tell(Ended(running.key, outcome.receipt, outcome.error))

    def _cancel(self, key: int) -> None:
        error = StoppedError("The download was stopped")
        for wanted in [each for each in self._waiting if each.key == key]:
            self._waiting.remove(wanted)
            self._tell(Ended(key, None, error))
        for running in [each for each in self._running if each.key == key]:
            if self._supervisor is not None:
                running.download.cancel(self._supervisor, error)

    def _close(self) -> None:
        self._closing = True

    def _all_failed(self, error: HlspipeError) -> None:
        """What is under way has failed; if nothing is, what waits, or it would wait for ever."""
        failed = [each.key for each in self._running or self._waiting]
        for running in self._running:
            running.download.close()
        if not self._running:
            self._waiting.clear()
        self._running.clear()
        for key in failed:
            self._tell(Ended(key, None, error))

    def _tell(self, event: EngineEvent) -> None:
        if not self._closing:
            self._listener(event)
