"""The engine that gives each job a process of its own (`attempt`), and that process its pipeline.

Whatever happens to one of them fails that attempt. What they cost is not shared.
"""

import json
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Any

from pipeline import events
from pipeline.errors import HlspipeError, InternalError, ProcessDiedError, StoppedError, from_wire
from pipeline.jobs.receipt import (
    MemoryFacts,
    Receipt,
    RenditionFacts,
    SegmentCounts,
    Status,
    StorageFacts,
)
from pipeline.options import FetchOptions
from pipeline.service.engine import Ended, Listener, Started, Told

#: Seconds that a download has to end, when it is told to.
_PATIENCE = 10.0


class ProcessEngine:
    """A process for each job, and a thread that listens to it."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._lock = threading.Lock()
        self._attempts: dict[int, _Attempt] = {}  # guarded by _lock

    def submit(
        self,
        key: int,
        url: str,
        output: str,
        options: FetchOptions,
        priority: int,  # noqa: ARG002  (every job that comes has room)
    ) -> None:
        """Begin at once: the daemon submits no more than may run."""
        try:
            attempt = _Attempt(key, self._hear)
        except OSError as error:
            reason = f"No process could be started for the download: {error.strerror}"
            self._listener(Ended(key, None, ProcessDiedError(reason)))
            return
        with self._lock:
            self._attempts[key] = attempt
        attempt.start((url, output, options))

    def cancel(self, key: int, keep: bool) -> None:  # noqa: ARG002  (the daemon clears up)
        """Tell the job's process to end."""
        with self._lock:
            attempt = self._attempts.get(key)
        if attempt is not None:
            attempt.stop()

    def ask(self, answer: Callable[[], None]) -> None:
        """There is no thread here that all jobs depend on."""
        answer()

    def close(self, keep: bool) -> None:
        """Tell all processes to end, and wait for them."""
        with self._lock:
            attempts = list(self._attempts.values())
        for attempt in attempts:
            self.cancel(attempt.key, keep)
        for attempt in attempts:
            attempt.join()

    def _hear(self, event: Started | Told | Ended) -> None:
        if isinstance(event, Ended):
            with self._lock:
                del self._attempts[event.key]
        self._listener(event)


class _Attempt:
    """One process."""

    def __init__(self, key: int, tell: Listener) -> None:
        self.key = key
        self._tell = tell
        self._stopped = False
        self._process = subprocess.Popen(
            [sys.executable, "-m", "pipeline.service.attempt"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        self._orders = _opened(self._process.stdin)
        self._reports = _opened(self._process.stdout)
        self._thread = threading.Thread(target=self._listen, name=f"job {key}", daemon=True)

    def start(self, wanted: object) -> None:
        """Say what is to be fetched, and listen."""
        with suppress(BrokenPipeError):  # it died already: that is heard
            pickle.dump(wanted, self._orders)
            self._orders.flush()
        self._thread.start()

    def stop(self) -> None:
        """It is to end."""
        self._stopped = True
        self._process.send_signal(signal.SIGTERM)

    def join(self) -> None:
        """Wait for its end, and help if that takes long."""
        self._thread.join(_PATIENCE)
        if self._thread.is_alive():
            self._process.kill()
            self._thread.join()

    def _listen(self) -> None:
        self._tell(Started(self.key))
        ended: Ended | None = None
        for line in self._reports:
            said = json.loads(line)
            if "event" in said:
                event = getattr(events, said["event"])(**said["fields"])
                self._tell(Told(self.key, event))
            else:
                ended = Ended(self.key, _receipt(said["ended"]), self._error(said))
        code = self._process.wait()
        self._reports.close()
        with suppress(BrokenPipeError):
            self._orders.close()
        self._tell(ended or Ended(self.key, None, self._death(code)))

    def _error(self, said: dict[str, Any]) -> HlspipeError | None:
        if said["stopped"]:
            return StoppedError("The download was stopped")
        return None if said["error"] is None else from_wire(*said["error"])

    def _death(self, code: int) -> HlspipeError:
        if self._stopped:
            return StoppedError("The download was stopped")
        return ProcessDiedError(f"The process of the download ended with code {code}")


def _opened(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise InternalError("A pipe that was asked for is not there")
    return stream


def _receipt(fields: dict[str, Any] | None) -> Receipt | None:
    """What `Receipt.to_dict` has made, as a receipt again."""
    if fields is None:
        return None
    parts = {
        "status": Status(fields["status"]),
        "segments": SegmentCounts(**fields["segments"]),
        "storage": StorageFacts(**fields["storage"]),
        "memory": MemoryFacts(**fields["memory"]),
        "renditions": tuple(RenditionFacts(**each) for each in fields["renditions"]),
    }
    return Receipt(**fields | parts)
