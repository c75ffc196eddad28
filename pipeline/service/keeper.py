"""The one thread that owns the queue: whatever reads or writes it is done there, in order."""

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from pipeline.service.queue import JobQueue

_log = logging.getLogger("hlspipe.queue")

_T = TypeVar("_T")


class Keeper:
    """Does work on the queue for other threads."""

    def __init__(self, path: Path) -> None:
        """Open the queue. Raises StorageError."""
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="queue")
        try:
            self._queue = self._executor.submit(JobQueue, path).result()
        except BaseException:
            self._executor.shutdown()
            raise

    def do(self, work: Callable[[JobQueue], _T]) -> Future[_T]:
        """Have `work` done; the future has what it returns, or raises."""
        return self._executor.submit(work, self._queue)

    def tell(self, work: Callable[[JobQueue], object]) -> None:
        """Have `work` done, for nobody who waits: if it raises, that is logged."""
        self.do(work).add_done_callback(_log_failure)

    def close(self) -> None:
        """Do what was asked for until now, and close the queue."""
        self._executor.submit(self._queue.close)
        self._executor.shutdown()


def _log_failure(done: Future[object]) -> None:
    error = done.exception()
    if error is not None:
        _log.error("The queue failed: %s", error, exc_info=error)
