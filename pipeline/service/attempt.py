"""A process for one attempt at one job: `python -m pipeline.service.attempt`.

On stdin comes what to fetch, and then nothing until the daemon is gone: its end is this one's,
too. On stdout go the events, and at last the receipt, as JSON Lines.
"""

import json
import os
import pickle
import signal
import sys
import threading
import time
from dataclasses import asdict
from typing import Any

from pipeline.errors import HlspipeError, InternalError, Interrupted, to_wire
from pipeline.events import Event, Progress
from pipeline.jobs.fetch import fetch

#: Seconds between two counts of progress.
_PACE = 0.25


def main() -> None:
    """One download, told to whoever started it."""
    # From the daemon, which has read the options itself: nothing of it comes from elsewhere.
    url, output, options = pickle.load(sys.stdin.buffer)  # noqa: S301
    threading.Thread(target=_end_with_daemon, daemon=True).start()
    error: HlspipeError | Interrupted | None = None
    try:
        receipt: Any = fetch(url, output, options, _Teller().tell)
    except (HlspipeError, Interrupted) as caught:
        error, receipt = caught, caught.receipt
    except Exception as caught:  # noqa: BLE001  (told to the daemon, whatever it is)
        error, receipt = InternalError(f"{type(caught).__name__}: {caught}"), None
    _write(
        ended=receipt.to_dict() if receipt is not None else None,
        error=to_wire(error) if isinstance(error, HlspipeError) else None,
        stopped=isinstance(error, Interrupted),
    )
    # No interpreter shutdown: it would wait for the thread that reads stdin.
    os._exit(0)


def _end_with_daemon() -> None:
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


class _Teller:
    def __init__(self) -> None:
        self._last = 0.0

    def tell(self, event: Event) -> None:
        if isinstance(event, Progress):
            if time.monotonic() - self._last < _PACE:
                return
            self._last = time.monotonic()
        _write(event=type(event).__name__, fields=asdict(event))


def _write(**fields: Any) -> None:
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
