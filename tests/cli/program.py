"""The whole program with a download of no bytes: `python -m tests.cli.program ARGUMENTS`.

The download tells progress for `ROUNDS` rounds of 10 ms, or until a signal ends it as the engine
would.
"""

import os
import signal
import sys
import time
from collections.abc import Callable
from types import ModuleType

from pipeline import jobs
from pipeline.cli import main
from pipeline.errors import Interrupted
from pipeline.events import (
    Event,
    MergeStarted,
    OutputPublished,
    Progress,
    SegmentsStored,
    TempFilesRemoved,
    TransferStarted,
    Warned,
)
from pipeline.jobs.receipt import Receipt, SegmentCounts, Status
from pipeline.options import FetchOptions

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
MIB = 1 << 20


def fetch(
    url: str, output: str, options: FetchOptions, on_event: Callable[[Event], None]
) -> Receipt:
    """A download: same contract as `pipeline.jobs.fetch.fetch`, no bytes."""
    received: list[int] = []
    before = [signal.signal(each, lambda n, _: received.append(n)) for each in STOP_SIGNALS]
    rounds = int(os.environ.get("ROUNDS", "20"))
    noise = int(os.environ.get("NOISE", "0"))
    try:
        on_event(TransferStarted(output, rounds, 4.0 * rounds, 2, 8))
        for done in range(1, rounds + 1):
            if noise:
                on_event(Warned("x" * noise))
            on_event(Progress(done, rounds, done * MIB, "memory", 0, done / 100))
            time.sleep(0.01)
            if received:
                on_event(TempFilesRemoved("/tmp/m3u8-segments-x"))
                raise interrupted(received[0], Receipt(url, output, Status.FAILED))
        on_event(SegmentsStored(rounds * MIB, None))
        on_event(MergeStarted(rounds, output))
        on_event(OutputPublished(output, rounds * MIB))
        counts = SegmentCounts(rounds, rounds)
        return Receipt(url, output, Status.COMPLETE, 0, segments=counts, bytes=rounds * MIB)
    finally:
        for signum, handler in zip(STOP_SIGNALS, before, strict=True):
            signal.signal(signum, handler)


def interrupted(signum: int, receipt: Receipt) -> Interrupted:
    """What the engine raises after a signal."""
    error = Interrupted(signum)
    error.receipt = receipt
    return error


if __name__ == "__main__":
    stand_in = ModuleType("pipeline.jobs.fetch")
    stand_in.fetch = fetch  # type: ignore[attr-defined]
    sys.modules[stand_in.__name__] = stand_in
    jobs.fetch = stand_in  # type: ignore[attr-defined]
    main()
