"""A daemon without downloads: the real queue, dispatcher, API and servers, on a fake engine."""

import asyncio
import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from pipeline.errors import HlspipeError, StoppedError
from pipeline.events import Event
from pipeline.jobs.receipt import Receipt, Status
from pipeline.options import FetchOptions, HttpOptions, ServiceOptions
from pipeline.service.access import Guard, host_names
from pipeline.service.api import make_api
from pipeline.service.dispatch import Dispatcher
from pipeline.service.downloadroot import DownloadRoot
from pipeline.service.engine import Ended, Listener, Started, Told
from pipeline.service.hub import Hub
from pipeline.service.intake import Intake
from pipeline.service.keeper import Keeper
from pipeline.service.queue import JobQueue
from pipeline.service.record import Job
from pipeline.service.service import Service
from pipeline.service.sockets import listen_tcp, listen_unix
from pipeline.service.web import Web

URL = "http://origin.test/show.m3u8?token=s3cret"
TOKEN = "t0ken"

#: Seconds after which something counts as not coming.
PATIENCE = 20.0


@dataclass
class FakeEngine:
    """Downloads nothing: a test says when a job ends, and how."""

    listener: Listener
    submitted: list[tuple[int, str, str, FetchOptions, int]] = field(default_factory=list)
    cancelled: list[tuple[int, bool]] = field(default_factory=list)
    running: set[int] = field(default_factory=set)
    answers: bool = True

    def submit(self, key: int, url: str, output: str, options: FetchOptions, priority: int) -> None:
        """It runs, until a test ends it."""
        self.submitted.append((key, url, output, options, priority))
        self.running.add(key)
        self.listener(Started(key))

    def cancel(self, key: int, keep: bool) -> None:
        """It ends, as a real one would."""
        self.cancelled.append((key, keep))
        if key in self.running:
            self.end(key, StoppedError("The download was stopped"))

    def ask(self, answer: Callable[[], None]) -> None:
        """Unless it hangs."""
        if self.answers:
            answer()

    def close(self, keep: bool) -> None:
        """All end."""
        for key in sorted(self.running):
            self.cancel(key, keep)

    def tell(self, key: int, event: Event) -> None:
        """Something happens in a download."""
        self.listener(Told(key, event))

    def end(self, key: int, error: HlspipeError | None = None, **receipt: Any) -> None:
        """A download ends."""
        self.running.discard(key)
        status = Status.COMPLETE if error is None else Status.FAILED
        self.listener(Ended(key, Receipt("http://origin.test/", status=status, **receipt), error))


@dataclass(frozen=True)
class Answer:
    """What a server said."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, as the object that it is."""
        return json.loads(self.body)

    @property
    def error(self) -> str:
        """The sentence of a refusal."""
        words = self.json["error"]
        assert isinstance(words, str)
        return words


class Harness:
    """The parts of a daemon, in a thread of their own. To be entered."""

    def __init__(self, directory: Path, **options: Any) -> None:
        self.options = ServiceOptions(
            directory / "state",
            directory / "root",
            directory / "sock",
            fetch=FetchOptions(http=HttpOptions(block_private=True)),
            **options,
        )
        self.options.state_dir.mkdir()
        self.root = DownloadRoot.at(self.options.root)
        self.keeper = Keeper(self.options.state_dir / "queue.db")
        self.engine: FakeEngine
        self.dispatcher = Dispatcher(
            self.keeper, self._make_engine, self.root, self.options, self._tell
        )
        self.hub = Hub("boot")
        self.service = Service(
            self.keeper, self.dispatcher, self.root, Intake(self.root, self.options.fetch), self.hub
        )
        self._unix = listen_unix(self.options.socket)
        self._tcp = listen_tcp("127.0.0.1", 0)
        self.port = self._tcp.getsockname()[1]
        api = make_api(self.service)
        guard = Guard(api, TOKEN, host_names("127.0.0.1", ["Nas.Local"]))
        self._webs = [Web(api, self._unix), Web(guard, self._tcp)]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=[self._serve()])

    def _make_engine(self, listener: Listener) -> FakeEngine:
        self.engine = FakeEngine(listener)
        return self.engine

    def _tell(self, job: Job) -> None:
        self._loop.call_soon_threadsafe(lambda: self.hub.publish("job", self.service.view(job)))

    async def _serve(self) -> None:
        await asyncio.gather(*(web.serve() for web in self._webs))

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._started(), self._loop).result(PATIENCE)
        return self

    async def _started(self) -> None:
        for web in self._webs:
            await web.started()

    def __exit__(self, *_: object) -> None:
        self.in_loop(self.hub.close)
        for web in self._webs:
            web.stop()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        self._loop.close()
        self.keeper.close()
        self._unix.close()
        self._tcp.close()

    def in_loop(self, work: Callable[[], Any]) -> Any:
        """What `work` returns, done in the event loop's thread."""

        async def do() -> Any:
            return work()

        return asyncio.run_coroutine_threadsafe(do(), self._loop).result(PATIENCE)

    def in_queue(self, work: Callable[[JobQueue], Any]) -> Any:
        """What `work` returns, done in the queue's thread behind what is to be done there."""
        return self.keeper.do(work).result(PATIENCE)

    def connections(self, *, tcp: bool) -> int:
        """How many clients are connected."""
        return len(self._webs[tcp]._server.server_state.connections)

    # -- as a client ---------------------------------------------------------------------------

    def connect(self, *, tcp: bool = False) -> socket.socket:
        """A connection without a request."""
        if tcp:
            return socket.create_connection(("127.0.0.1", self.port), PATIENCE)
        client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        client.settimeout(PATIENCE)
        client.connect(str(self.options.socket))
        return client

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: dict[str, str] | None = None,
        *,
        tcp: bool = False,
    ) -> Answer:
        """One request; a body that is not bytes is sent as JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        connection.sock = self.connect(tcp=tcp)
        data, sent = body, {"Authorization": f"Bearer {TOKEN}"} if tcp else {}
        if body is not None and not isinstance(body, bytes):
            data = json.dumps(body).encode()
        if body is not None:
            sent["Content-Type"] = "application/json"
        try:
            connection.request(method, path, data, sent | (headers or {}))
            response = connection.getresponse()
            return Answer(response.status, dict(response.getheaders()), response.read())
        finally:
            connection.close()

    def submit(self, output: str = "show.ts", **fields: Any) -> int:
        """A job; its number."""
        answer = self.ask("POST", "/api/v1/jobs", {"url": URL, "output": output, **fields})
        assert answer.status == 201, answer.body
        number = answer.json["id"]
        assert isinstance(number, int)
        return number

    def job(self, number: int) -> Any:
        """A job as clients see it."""
        return self.ask("GET", f"/api/v1/jobs/{number}").json


def until(condition: Callable[[], object]) -> None:
    """Wait for `condition`."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it does not come"
        time.sleep(0.01)


def lines(client: socket.socket) -> Iterator[str]:
    """What comes over `client`, a line at a time."""
    with client.makefile("r", encoding="utf-8", newline="\n") as file:
        for line in file:
            yield line.rstrip("\r\n")
