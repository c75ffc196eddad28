"""A downloader process: fetches items, decrypts them in place, hands them to storage.

Its main thread hears the supervisor; fetch threads, one for each connection, wait on the network
and work in the blocks that storage lends. No thread holds more of a segment than two blocks.
"""

import os
import selectors
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import random
from typing import Any

from pipeline.errors import HlspipeError, InternalError, ScarcityError
from pipeline.net.connections import Connections
from pipeline.net.continued import ByteRange, Continuations
from pipeline.net.failure import FetchFailure, Patience
from pipeline.net.transport import Transport
from pipeline.options import HttpOptions
from pipeline.processes import messages
from pipeline.processes.arena import Arena
from pipeline.processes.channel import Receiver, Sender
from pipeline.processes.heart import start_heart
from pipeline.processes.pump import Pump
from pipeline.processes.rate import RateShare
from pipeline.processes.records import BlockSource, RecordWriter
from pipeline.processes.scarcity import NO_MEMORY, start_thread
from pipeline.processes.work import Work


@dataclass(frozen=True, slots=True)
class DownloaderSetup:
    """What a downloader is started with."""

    reports: int
    instructions: int
    arena: int
    arena_bytes: int
    records: int
    credits: int
    threads: int
    limit: int
    tokens: int | None
    rate: int | None
    parent: int


def run(setup: dict[str, Any], reports: Sender) -> None:
    """The process's whole life."""
    Downloader(DownloaderSetup(**setup), reports).serve()


class Downloader:
    """A downloader process: see the module's docstring."""

    def __init__(self, setup: DownloaderSetup, reports: Sender) -> None:
        """Map the arena; nothing is fetched before the first instruction."""
        self._reports = reports
        self._threads = setup.threads
        self._instructions = Receiver(setup.instructions)
        self._arena = Arena(setup.arena, setup.arena_bytes)
        self._records = RecordWriter(setup.records)
        self._blocks = BlockSource(setup.credits)
        self._connections = Connections(setup.threads)
        self._share = _share(setup)
        self._transports: dict[int, Transport] = {}
        self._work: Work[messages.FetchSegment | messages.FetchDocument] = Work(setup.limit)
        self._hired = 0  # fetch threads

    def serve(self) -> None:
        """Obey until told to stop, or until the supervisor is gone."""
        start_heart(self._reports, lambda: self._connections.meter.bytes)
        with selectors.DefaultSelector() as selector:
            selector.register(self._instructions, selectors.EVENT_READ)
            while not self._instructions.closed:
                selector.select()
                for message in self._instructions.receive():
                    self._obey(message)
                self._hire()
        # The supervisor is gone. Threads are in the middle of requests: nothing waits for them.

    def _obey(self, message: messages.ToDownloader) -> None:
        match message:
            case messages.OpenContext():
                self._transports[message.context] = self._transport(message)
            case messages.OriginSeen(context, private):
                self._transports[context].reach.origin_private = private
            case messages.CloseContext(context):
                self._transports.pop(context, None)
            case messages.LimitConnections(connections):
                self._work.set_limit(connections)
            case messages.ReturnTasks():
                leases = [task.lease for task in self._work.recall()]
                self._reports.send(messages.TasksReturned(leases))
            case messages.FetchSegment() | messages.FetchDocument():
                self._work.put(message)
            case messages.Stop():
                os._exit(0)

    def _hire(self) -> None:
        """Start the threads that there is something to do for: a playlist needs one of them.

        One that the system refuses is done without, if there are others. Raises ScarcityError.
        """
        while self._hired < min(self._work.wanted_threads, self._threads):
            name = f"fetch-{self._hired}"
            try:
                start_thread(threading.Thread(target=self._fetch_loop, name=name, daemon=True))
            except ScarcityError:
                if not self._hired:
                    raise
                return
            self._hired += 1

    def _transport(self, message: messages.OpenContext) -> Transport:
        def tell(url: str) -> None:
            self._reports.send(messages.TlsLeft(message.context, url))

        return Transport(
            _http(message),
            message.origin,
            self._connections,
            local=message.local,
            origin_private=message.origin_private,
            on_left_tls=tell,
        )

    # -- fetch threads -----------------------------------------------------------------------

    def _fetch_loop(self) -> None:
        pump = Pump(self._arena, self._blocks, self._records)
        with suppress(OSError, EOFError):  # storage or the supervisor is gone: so are we, soon
            while True:
                self._fetch(self._work.take(), pump)
                self._work.done()

    def _fetch(self, task: messages.FetchSegment | messages.FetchDocument, pump: Pump) -> None:
        match task:
            case messages.FetchSegment():
                self._guarded(task.lease, lambda: self._segment(task, pump))
            case messages.FetchDocument():
                self._guarded(task.lease, lambda: self._document(task))

    def _guarded(self, lease: int, fetch: Any) -> None:
        try:
            fetch()
        except FetchFailure as failure:
            self._failed(lease, failure)
        except HlspipeError as error:
            self._failed(lease, FetchFailure(type(error), error.message, Patience.FEW))
        except MemoryError:
            self._failed(lease, FetchFailure(ScarcityError, NO_MEMORY, Patience.FEW))
        except Exception:  # noqa: BLE001  (a bug: its text must reach the user)
            import traceback  # noqa: PLC0415  (6 ms that no child should need)

            text = traceback.format_exc()
            self._failed(lease, FetchFailure(InternalError, text, Patience.NEVER))

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

    def _segment(self, task: messages.FetchSegment, pump: Pump) -> None:
        def tell(failure: FetchFailure, pause: float) -> None:
            report = messages.TryContinued(task.context, task.lease, failure.reason, pause)
            self._reports.send(report)

        transport = self._transports[task.context]
        pauses = transport.policy.pauses(task.tries, random)
        changed = messages.ChangedOver(task.context)
        continuations = Continuations(
            pauses, tell, changed_over=lambda: self._reports.send(changed)
        )
        with transport.open(task.url, _byte_range(task), continuations, self._share) as body:
            pump.run(task, body)

    def _document(self, task: messages.FetchDocument) -> None:
        transport = self._transports[task.context]
        body, url = transport.read(task.url, task.cap, _byte_range(task))
        private = transport.reach.origin_private
        self._reports.send(messages.DocumentFetched(task.lease, url, body, private))


def _share(setup: DownloaderSetup) -> RateShare | None:
    if setup.tokens is None or setup.rate is None:
        return None
    return RateShare(setup.tokens, setup.rate)


def _byte_range(task: messages.FetchSegment | messages.FetchDocument) -> ByteRange | None:
    if task.offset is None or task.length is None:
        return None
    return task.offset, task.length


def _http(message: messages.OpenContext) -> HttpOptions:
    return HttpOptions(
        headers=tuple((name, value) for name, value in message.headers),
        header_all_hosts=message.header_all_hosts,
        cookies=Path(message.cookies) if message.cookies else None,
        proxy=message.proxy,
        verify=message.verify,
        strict_tls=message.strict_tls,
        timeout=message.timeout,
        retries=message.retries,
        retry_sleep=message.retry_sleep,
        block_private=message.block_private,
    )
