"""A downloader process: fetches items, decrypts them in place, hands them to storage.

Its main thread hears the supervisor; fetch threads, one for each connection, wait on the network
and work in the blocks that storage lends. No thread holds more of a segment than two blocks.
"""

import os
import selectors
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.errors import ScarcityError
from pipeline.net.ahead import LEAST_ROUND_TRIP
from pipeline.net.connections import Connections
from pipeline.net.due import KEPT_SECONDS
from pipeline.net.early import EarlyRequest
from pipeline.net.failure import FetchFailure
from pipeline.net.transport import Notices, Transport
from pipeline.options import HttpOptions
from pipeline.processes import messages
from pipeline.processes.arena import Arena
from pipeline.processes.channel import Receiver, Sender
from pipeline.processes.fetcher import Fetcher, Leased, Task, byte_range_of
from pipeline.processes.heart import start_heart
from pipeline.processes.pump import Pump
from pipeline.processes.rate import RateShare
from pipeline.processes.records import BlockSource, RecordWriter
from pipeline.processes.scarcity import start_thread
from pipeline.processes.work import Work


class DownloaderSetup(NamedTuple):
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
        self._work: Work[Task] = Work(setup.limit)
        self._hired = 0  # fetch threads

    def serve(self) -> None:
        """Obey until told to stop, or until the supervisor is gone."""
        meter = self._connections.meter
        start_heart(self._reports, lambda: messages.Alive(meter.bytes, *meter.way))
        with selectors.DefaultSelector() as selector:
            selector.register(self._instructions, selectors.EVENT_READ)
            while not self._instructions.closed:
                selector.select(KEPT_SECONDS if self._connections.due.pending else None)
                self._connections.due.forget()
                for message in self._instructions.receive():
                    self._obey(message)
                self._hire()
        # The supervisor is gone. Threads are in the middle of requests: nothing waits for them.

    def _obey(self, message: messages.ToDownloader) -> None:
        match message:
            case (
                messages.OpenContext()
                | messages.OriginSeen()
                | messages.CookiesSet()
                | messages.Disconnect()
                | messages.CloseContext()
            ):
                self._obey_about_context(message)
            case messages.Stop():
                os._exit(0)
            case _:
                self._obey_about_work(message)

    def _obey_about_work(self, message: messages.ToDownloader) -> None:
        match message:
            case messages.LimitConnections(connections):
                self._work.set_limit(connections)
            case messages.ReturnTasks():
                self._return(self._work.recall())
            case messages.FetchSegment() | messages.FetchDocument():
                self._work.put(message)
            case messages.AskEarly(context, url):
                with suppress(FetchFailure):  # the item's own request will say it
                    request = self._transports[context].early(url, byte_range_of(message))
                    if request is not None:
                        self._work.put(request)
            case messages.Connect():
                for _ in range(message.connections):
                    self._work.put(message)

    def _return(self, tasks: list[Task]) -> None:
        """They are not going to be begun."""
        for task in tasks:
            if isinstance(task, EarlyRequest):
                task.drop()
        leases = [task.lease for task in tasks if isinstance(task, Leased)]
        self._reports.send(messages.TasksReturned(leases))

    def _obey_about_context(
        self,
        message: messages.OpenContext
        | messages.OriginSeen
        | messages.CookiesSet
        | messages.Disconnect
        | messages.CloseContext,
    ) -> None:
        match message:
            case messages.OpenContext():
                self._transports[message.context] = self._transport(message)
            case messages.OriginSeen(context, private):
                self._transports[context].reach.origin_private = private
            case messages.CookiesSet(context, url, fields):
                self._transports[context].cookies.learn(url, fields)
            case messages.Disconnect(context, url, but):
                self._transports[context].disconnect(url, but)
            case messages.CloseContext(context):
                if transport := self._transports.pop(context, None):
                    transport.close()

    def _hire(self) -> None:
        """Start the threads that there is something to do for: a playlist needs one of them.

        One that the system refuses is done without, if there are others. Raises ScarcityError.
        """
        while self._hired < min(self._work.wanted_threads, self._threads):
            name = f"fetch-{self._hired}"
            try:
                start_thread(threading.Thread(target=self._fetcher().run, name=name, daemon=True))
            except ScarcityError:
                if not self._hired:
                    raise
                return
            self._hired += 1

    def _fetcher(self) -> Fetcher:
        pump = Pump(self._arena, self._blocks, self._records)
        return Fetcher(self._work, self._transports, self._reports, pump, self._share)

    def _transport(self, message: messages.OpenContext) -> Transport:
        def tell(url: str) -> None:
            self._reports.send(messages.TlsLeft(message.context, url))

        def share(url: str, fields: list[str]) -> None:
            self._reports.send(messages.CookiesSet(message.context, url, fields))

        def met(url: str, round_trip: float) -> None:
            if round_trip >= LEAST_ROUND_TRIP:
                self._reports.send(messages.FarAway(message.context, url))

        return Transport(
            _http(message),
            message.origin,
            self._connections,
            local=message.local,
            origin_private=message.origin_private,
            notices=Notices(tell, share, met),
        )


def _share(setup: DownloaderSetup) -> RateShare | None:
    if setup.tokens is None or setup.rate is None:
        return None
    return RateShare(setup.tokens, setup.rate)


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
