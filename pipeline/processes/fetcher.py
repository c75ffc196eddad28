"""What a fetch thread does: one task after the other, each on one connection.

Segments leave through the thread's pump, a document is reported, and so is what went wrong. When a
segment is about to end, the thread takes the next one already, so that it can be asked for on the
same connection (`net.ahead`). Not covered: how many threads there are (`downloader`), and how
much they may take on at a time (`work`).
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import PurePath
from random import random

from pipeline.errors import HlspipeError, InternalError, ScarcityError
from pipeline.net.continued import ByteRange, Continuations
from pipeline.net.early import EarlyRequest
from pipeline.net.failure import FetchFailure, Patience
from pipeline.net.transport import Fits, Transport, Upcoming
from pipeline.processes import messages
from pipeline.processes.channel import Sender
from pipeline.processes.pump import Pump
from pipeline.processes.rate import RateShare
from pipeline.processes.scarcity import NO_MEMORY
from pipeline.processes.work import Work
from pipeline.units import printable

Leased = messages.FetchSegment | messages.FetchDocument
Task = Leased | messages.Connect | EarlyRequest


class Fetcher:
    """One fetch thread."""

    def __init__(
        self,
        work: Work[Task],
        transports: Mapping[int, Transport],
        reports: Sender,
        pump: Pump,
        share: RateShare | None,
    ) -> None:
        """`transports` are those of the contexts; `pump` is this thread's own."""
        self._work = work
        self._transports = transports
        self._reports = reports
        self._pump = pump
        self._share = share
        self._next: messages.FetchSegment | None = None  # taken already, and asked for

    def run(self) -> None:
        """Go on until storage or the supervisor is gone."""
        with suppress(OSError, EOFError):
            while True:
                task: Task | None = self._work.take()
                while task is not None:
                    self._next = None
                    self._fetch(task)
                    task = self._next
                self._work.done()

    def _fetch(self, task: Task) -> None:
        match task:
            case messages.FetchSegment():
                self._guarded(task.lease, lambda: self._segment(task))
            case messages.FetchDocument():
                self._guarded(task.lease, lambda: self._document(task))
            case messages.Connect(context, url, connections):
                # The requests will say it, or nobody asks any more.
                with suppress(FetchFailure, KeyError, MemoryError):
                    self._transports[context].connect_ahead(url, connections)
            case EarlyRequest():
                with suppress(FetchFailure, MemoryError):
                    task.send()

    def _guarded(self, lease: int, fetch: Callable[[], None]) -> None:
        try:
            fetch()
        except FetchFailure as failure:
            self._failed(lease, failure)
        except HlspipeError as error:
            self._failed(lease, FetchFailure(type(error), error.message, Patience.FEW))
        except MemoryError:
            self._failed(lease, FetchFailure(ScarcityError, NO_MEMORY, Patience.FEW))
        except Exception as error:  # noqa: BLE001  (a bug: its text must reach the user)
            self._failed(lease, FetchFailure(InternalError, _described(error), Patience.NEVER))

    def _failed(self, lease: int, failure: FetchFailure) -> None:
        self._reports.send(
            messages.FetchFailed(
                lease,
                failure.error.__name__,
                failure.reason,
                failure.patience.value,
                failure.retry_after,
            )
        )

    def _segment(self, task: messages.FetchSegment) -> None:
        transport = self._transports[task.context]
        continuations = self._continuations(task, transport)
        # Where the rate is limited, the line is not: nothing is gained by asking beforehand.
        upcoming = self._upcoming(task) if self._share is None else None
        part = byte_range_of(task)
        with transport.open(task.url, part, continuations, self._share, upcoming) as body:
            self._pump.run(task, body)

    def _continuations(self, task: messages.FetchSegment, transport: Transport) -> Continuations:
        def tell(failure: FetchFailure, pause: float) -> None:
            report = messages.TryContinued(task.context, task.lease, failure.reason, pause)
            self._reports.send(report)

        pauses = transport.policy.pauses(task.tries, random)
        changed = messages.ChangedOver(task.context)
        return Continuations(pauses, tell, changed_over=lambda: self._reports.send(changed))

    def _upcoming(self, ending: messages.FetchSegment) -> Upcoming:
        """Takes the segment that this thread is to fetch next; has one sent if none is in hand."""
        context, told = ending.context, False

        def take(fits: Fits) -> tuple[str, ByteRange | None] | None:
            nonlocal told
            if self._next is not None:  # asked for behind a body that goes on elsewhere now
                return None
            task = self._work.take_ahead(
                lambda task: (
                    isinstance(task, messages.FetchSegment)
                    and task.context == context
                    and fits(task.url, byte_range_of(task))
                )
            )
            if isinstance(task, messages.FetchSegment):
                self._next = task
                return task.url, byte_range_of(task)
            if not told:
                told = True
                self._reports.send(messages.Ending(ending.lease))
            return None

        return take

    def _document(self, task: messages.FetchDocument) -> None:
        transport = self._transports[task.context]
        body, url = transport.read(task.url, task.cap, byte_range_of(task))
        private, way = transport.reach.origin_private, transport.round_trip(url)
        self._reports.send(messages.DocumentFetched(task.lease, url, body, private, way))


def _described(error: Exception) -> str:
    """What was raised, and where: enough for a report of a bug."""
    import traceback  # noqa: PLC0415  (6 ms that no child should need)

    frame = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{PurePath(frame.filename).name}:{frame.lineno}"
    return printable(f"{type(error).__name__}: {error} ({where})", 300)


def byte_range_of(task: Leased | messages.AskEarly) -> ByteRange | None:
    """The part of a file that is wanted, if that is not all of it."""
    if task.offset is None or task.length is None:
        return None
    return task.offset, task.length
