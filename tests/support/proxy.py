"""A forward proxy on loopback: requests in absolute form, and tunnels (CONNECT), as they come.

    with Proxy(credentials="user:secret") as proxy:
        fetch(origin.url("/a.ts"), proxy=proxy.url("user:secret"))
        assert proxy.requests[0].method == "GET"

It relays bytes and understands nothing of them. `Break` makes it end in the middle: for a moment,
or for good.
"""

import base64
import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from tests.support.exchange import Request, parse_request, read_head

_PIECE = 16384


@dataclass(frozen=True)
class Break:
    """Every connection ends when `after` bytes have been relayed to clients."""

    after: int
    for_good: bool = False


class Proxy:
    """The proxy. Each connection is for one origin, as those of clients are."""

    def __init__(
        self,
        *,
        credentials: str | None = None,
        refusal: int | None = None,
        end: Break | None = None,
        hosts: Mapping[str, str] | None = None,
    ) -> None:
        """`credentials` ("user:password") are demanded; `refusal` is the status of every answer.

        `hosts` are names that it alone knows.
        """
        self._hosts = hosts or {}
        self._credentials = credentials
        self._refusal = refusal
        self._end = end
        self._lock = threading.Lock()
        # These are guarded by _lock.
        self._sockets: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._relayed = 0
        #: The first request of each connection.
        self.requests: list[Request] = []
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, name="proxy", daemon=True)
        self._acceptor.start()

    def url(self, userinfo: str = "") -> str:
        """What `--proxy` takes."""
        return f"http://{userinfo}{'@' if userinfo else ''}127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End every connection and thread, and take no more."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join()
        self._listener.close()
        self._hang_up()
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            with self._lock:
                self._sockets.add(sock)
            self._begin(self._talk, sock, self.connections)

    def _begin(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, name="proxy", daemon=True)
        with self._lock:
            self._threads.append(thread)
            thread.start()

    def _talk(self, client: socket.socket, number: int) -> None:
        with self._owned(client), contextlib.suppress(OSError, ValueError):
            rest = bytearray()
            head = read_head(client, rest)
            if head is None:
                return
            request = parse_request(head, number)
            self.requests.append(request)
            status = self._refusal or (407 if not self._knows(request) else None)
            if status is not None:
                client.sendall(b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % status)
                return
            self._relay_all(client, request, head + b"\r\n\r\n" + bytes(rest))

    def _knows(self, request: Request) -> bool:
        if self._credentials is None:
            return True
        wanted = base64.b64encode(self._credentials.encode()).decode()
        return request.header("Proxy-Authorization") == f"Basic {wanted}"

    def _relay_all(self, client: socket.socket, request: Request, head: bytes) -> None:
        tunnel = request.method == "CONNECT"
        parts = urlsplit(f"//{request.target}" if tunnel else request.target)
        host = parts.hostname or ""
        address = self._hosts.get(host, host), parts.port or 80
        with self._owned(socket.create_connection(address)) as up:
            if tunnel:
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                up.sendall(head)
            self._begin(self._relay, client, up)
            self._relay(up, client, counted=True)

    def _relay(self, source: socket.socket, target: socket.socket, counted: bool = False) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(_PIECE):
                if counted and self._breaks(len(data)):
                    break
                target.sendall(data)
        for sock in (source, target):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _breaks(self, size: int) -> bool:
        """Count bytes on their way to clients; at the place where it is to end, end."""
        with self._lock:
            self._relayed += size
            end = self._end
            if end is None or self._relayed <= end.after:
                return False
            self._end = None
        if end.for_good:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
        self._hang_up()
        return True

    def _hang_up(self) -> None:
        with self._lock:
            for sock in self._sockets:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)

    @contextlib.contextmanager
    def _owned(self, sock: socket.socket) -> Iterator[socket.socket]:
        with self._lock:
            self._sockets.add(sock)
        try:
            yield sock
        finally:
            with self._lock:
                self._sockets.discard(sock)
            sock.close()
