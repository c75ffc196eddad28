"""Server-sent events: what happens to jobs, to everybody who listens.

Changes of state have ids and are kept for a while, so that a client that comes back with its
Last-Event-ID misses none. Progress has no id and is not kept: the next one is as good. A client
that does not keep up is dropped, and may come back.

Lives in the event loop's thread. See https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from contextlib import suppress

from pipeline.service.refusals import UnavailableError

#: Listeners at a time. Each costs a connection and some 50 KB.
MOST_CLIENTS = 500

#: Events kept for those who come back: some minutes of a busy queue, about 1 MB.
_KEPT = 1000

#: Events that may wait for one client; behind that it is not keeping up.
_BACKLOG = 256

#: Seconds of silence after which a comment is sent: proxies close what is silent for a minute.
_HEARTBEAT = 15.0


class Client:
    """One listener."""

    def __init__(self) -> None:
        self.waiting: asyncio.Queue[bytes] = asyncio.Queue(_BACKLOG)
        self.dropped = False


class Hub:
    """All listeners, and what they may have missed."""

    def __init__(self, boot: str) -> None:
        """`boot` tells the ids of this daemon's run from those of another."""
        self._boot = boot
        self._next = 1
        self._kept: deque[tuple[int, bytes]] = deque(maxlen=_KEPT)
        self._clients: set[Client] = set()

    @property
    def clients(self) -> int:
        """How many listen."""
        return len(self._clients)

    def publish(self, kind: str, data: object) -> None:
        """Tell everybody, and keep it."""
        number = self._next
        self._next += 1
        message = f"id: {self._boot}-{number}\n".encode() + _message(kind, data)
        self._kept.append((number, message))
        self._send(message)

    def mention(self, kind: str, data: object) -> None:
        """Tell those who listen now."""
        if self._clients:
            self._send(_message(kind, data))

    def connect(self, last_event_id: str | None) -> Client:
        """A new listener, behind what it has missed. Raises UnavailableError."""
        if len(self._clients) >= MOST_CLIENTS:
            raise UnavailableError(f"{MOST_CLIENTS} clients listen to events already")
        client = Client()
        missed = self._missed(last_event_id)
        for message in missed[-_BACKLOG:]:
            client.waiting.put_nowait(message)
        self._clients.add(client)
        return client

    def _missed(self, last_event_id: str | None) -> list[bytes]:
        """What came after that event; a "reset" where that cannot be told."""
        if not last_event_id:
            return []
        boot, _, digits = last_event_id.rpartition("-")
        last = int(digits) if digits.isdecimal() and len(digits) < 16 else -1
        missed = [message for number, message in self._kept if number > last]
        first_kept = self._kept[0][0] if self._kept else self._next
        known = boot == self._boot and first_kept - 1 <= last < self._next
        return missed if known and len(missed) <= _BACKLOG else [_message("reset", {})]

    def disconnect(self, client: Client) -> None:
        """`client` is gone."""
        self._clients.discard(client)

    @staticmethod
    async def messages(client: Client) -> AsyncIterator[bytes]:
        """What `client` is to be sent, until it is dropped."""
        yield b": welcome\n\n"
        while not client.dropped:
            try:
                async with asyncio.timeout(_HEARTBEAT):
                    yield await client.waiting.get()
            except TimeoutError:
                yield b": still here\n\n"

    def close(self) -> None:
        """Let everybody go."""
        for client in list(self._clients):
            self._drop(client)

    def _send(self, message: bytes) -> None:
        for client in list(self._clients):
            try:
                client.waiting.put_nowait(message)
            except asyncio.QueueFull:
                self._drop(client)

    def _drop(self, client: Client) -> None:
        self._clients.discard(client)
        client.dropped = True
        while not client.waiting.empty():
            client.waiting.get_nowait()
        with suppress(asyncio.QueueFull):
            client.waiting.put_nowait(b"")  # wakes it


def _message(kind: str, data: object) -> bytes:
    return f"event: {kind}\ndata: {json.dumps(data)}\n\n".encode()
