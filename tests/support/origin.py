"""A real HTTP/1.1 origin on loopback, for tests: who is asked for what, and who answered how.

    with Origin() as origin:
        origin.serve({"/a.ts": b"...", "/b.ts": Path("b.ts")})
        origin.behave("/a.ts", [Status(500), Reset(after=1000), Right()])
        fetch(origin.url("/a.ts"))
        assert origin.count("/a.ts") == 3

One thread per connection in the test's own process; `close` ends them all. The n-th request for
a path meets the n-th behaviour of its script, and the last one for ever after. What a behaviour
does is in `behaviours`, HTTP itself in `exchange`. As a program it serves a directory:
`python -m tests.support.origin DIR [--rate 5MB]` prints its URL and runs until it is ended.
"""

import argparse
import contextlib
import re
import socket
import ssl
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Self

from tests.support.behaviours import Right, Throttled
from tests.support.exchange import (
    Behaviour,
    Exchange,
    HungUp,
    Payload,
    Request,
    parse_request,
    read_head,
)

_RIGHT = Right()


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in path.split("*")))


class _Script:
    """What a path (or each path of a pattern) does, one behaviour per attempt."""

    def __init__(self, path: str, steps: Sequence[Behaviour]) -> None:
        self.path = path
        self.steps = tuple(steps)
        self.pattern = _pattern(path)
        self.attempts: Counter[str] = Counter()

    def next(self, path: str) -> Behaviour:
        step = self.steps[min(self.attempts[path], len(self.steps) - 1)]
        self.attempts[path] += 1
        return step


class Origin:
    """The server. Thread-safe: scripts may be changed while requests come in."""

    def __init__(self, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> None:
        self.host = host
        self._tls = tls
        self._lock = threading.Condition()
        # All of these are guarded by _lock.
        self._payloads: dict[str, Payload] = {}
        self._roots: list[Path] = []
        self._scripts: list[_Script] = []
        self._requests: list[Request] = []
        self._attempts: Counter[str] = Counter()
        self._sockets: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._limit: tuple[int, Behaviour] | None = None
        self._in_flight = 0
        self.peak_in_flight = 0
        self.connections = 0
        self._stopping = threading.Event()
        self._listener = socket.create_server((host, 0), backlog=512)
        self.port: int = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, name="origin", daemon=True)
        self._acceptor.start()

    # What it serves.

    def url(self, path: str) -> str:
        """The absolute URL of `path`."""
        return f"{'https' if self._tls else 'http'}://{self.host}:{self.port}{path}"

    def serve(self, payloads: Mapping[str, bytes | str | Path | Payload]) -> None:
        """Serve these paths; text is sent as UTF-8."""
        with self._lock:
            for path, content in payloads.items():
                data = content.encode() if isinstance(content, str) else content
                self._payloads[path] = data if isinstance(data, Payload) else Payload(data)

    def serve_directory(self, root: Path) -> None:
        """Serve every file below `root`, at its relative path."""
        with self._lock:
            self._roots.append(root.resolve())

    def remove(self, path: str) -> None:
        """Serve `path` no longer (404), as far as `serve` made it known."""
        with self._lock:
            self._payloads.pop(path, None)

    def behave(self, path: str, steps: Behaviour | Sequence[Behaviour]) -> None:
        """From now on the n-th request for `path` meets `steps[n]`, and then the last for ever.

        `*` stands for anything, each path that fits counting for itself; with a query in `path`
        only requests with that query are meant. The newest script that fits is the one in use.
        """
        with self._lock:
            self._scripts = [script for script in self._scripts if script.path != path]
            self._scripts.append(_Script(path, [steps] if callable(steps) else steps))

    def limit(self, requests: int, behaviour: Behaviour) -> None:
        """Above this many requests at a time, answer with `behaviour` (a 429, say)."""
        with self._lock:
            self._limit = (requests, behaviour)

    # What it saw.

    @property
    def open_connections(self) -> int:
        """Connections that neither side has closed, as far as that was noticed."""
        with self._lock:
            return len(self._sockets)

    @property
    def requests(self) -> list[Request]:
        """Every request so far, in order of arrival."""
        with self._lock:
            return list(self._requests)

    def requests_for(self, path: str) -> list[Request]:
        """The requests for `path` (`*` stands for anything), in order of arrival."""
        pattern = _pattern(path)
        return [
            request
            for request in self.requests
            if pattern.fullmatch(request.path) or pattern.fullmatch(request.target)
        ]

    def count(self, path: str = "*") -> int:
        """How many requests for `path` came."""
        return len(self.requests_for(path))

    @property
    def bytes_sent(self) -> int:
        """Body bytes that clients may have got, in all (see `Request.sent`)."""
        return sum(request.sent for request in self.requests)

    def wait_for(self, path: str, count: int = 1, timeout: float = 30) -> None:
        """Return once `count` requests for `path` have arrived; TimeoutError is a failed test."""
        with self._lock:
            if not self._lock.wait_for(lambda: self.count(path) >= count, timeout):
                raise TimeoutError(f"{self.count(path)} of {count} requests for {path}")

    def wait_idle(self, timeout: float = 30) -> None:
        """Return once no exchange is under way: clients know before the origin does."""
        with self._lock:
            if not self._lock.wait_for(lambda: self._in_flight == 0, timeout):
                raise TimeoutError(f"{self._in_flight} exchanges are under way")

    def forget(self) -> None:
        """Start the records, and every path's attempts, anew."""
        with self._lock:
            self._requests.clear()
            self._attempts.clear()
            for script in self._scripts:
                script.attempts.clear()

    # Its life.

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End every connection and thread."""
        self._stopping.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join()
        self._listener.close()
        with self._lock:
            for sock in self._sockets:
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(sock, socket.SHUT_RDWR)
            threads = list(self._threads)
        for thread in threads:
            thread.join()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
                number = self.connections
                self._sockets.add(sock)
                thread = threading.Thread(
                    target=self._talk, args=(sock, number), name=f"origin-{number}", daemon=True
                )
                self._threads = [old for old in self._threads if old.is_alive()]
                self._threads.append(thread)
                thread.start()

    def _talk(self, plain: socket.socket, number: int) -> None:
        sock = plain
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                sock = self._secure(plain)
            buffered = bytearray()
            for place in count(1):
                head = read_head(sock, buffered)
                if head is None or not self._answer(sock, parse_request(head, number, place)):
                    break
        except HungUp as end:
            if end.lingering:
                self._linger(sock)
        except (OSError, ValueError):
            pass  # a peer that goes away, or talks nonsense, is what many tests are about
        finally:
            with self._lock:
                self._sockets -= {plain, sock}
            sock.close()

    @staticmethod
    def _linger(sock: socket.socket) -> None:
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_WR)
            sock.settimeout(1)
            while sock.recv(65536):
                pass

    def _secure(self, plain: socket.socket) -> socket.socket:
        assert self._tls is not None
        plain.settimeout(10)  # for the handshake alone
        try:
            sock = self._tls.wrap_socket(plain, server_side=True)
        except (OSError, ValueError):
            plain.close()
            raise
        sock.settimeout(None)
        with self._lock:
            self._sockets -= {plain}
            self._sockets |= {sock}
            if self._stopping.is_set():
                raise HungUp
        return sock

    def _answer(self, sock: socket.socket, request: Request) -> bool:
        with self._lock:
            behaviour = self._record(request)
            exchange = Exchange(sock, request, self._find(request), self._stopping)
        try:
            behaviour(exchange)
        finally:
            with self._lock:
                self._in_flight -= 1
                self._lock.notify_all()
        return exchange.keep_alive

    def _record(self, request: Request) -> Behaviour:
        """Note the request and choose its behaviour."""
        self._attempts[request.path] += 1
        request.attempt = self._attempts[request.path]
        self._requests.append(request)
        self._in_flight += 1
        self.peak_in_flight = max(self.peak_in_flight, self._in_flight)
        self._lock.notify_all()
        if self._limit is not None and self._in_flight > self._limit[0]:
            return self._limit[1]
        for script in reversed(self._scripts):
            for name in (request.target, request.path):
                if script.pattern.fullmatch(name):
                    return script.next(name)
        return _RIGHT

    def _find(self, request: Request) -> Payload | None:
        for name in (request.target, request.path):
            if name in self._payloads:
                return self._payloads[name]
        return next(self._files(request.path), None)

    def _files(self, path: str) -> Iterator[Payload]:
        for root in self._roots:
            file = (root / path.lstrip("/")).resolve()
            if file.is_relative_to(root) and file.is_file():
                yield Payload(file)


def main(argv: Sequence[str] | None = None) -> None:
    """Serve a directory until a signal comes."""
    from pipeline.units import parse_size  # noqa: PLC0415 - the origin works without the program

    parser = argparse.ArgumentParser(prog="python -m tests.support.origin")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--rate", type=parse_size, help="bytes per second and connection")
    arguments = parser.parse_args(argv)
    with Origin() as origin, contextlib.suppress(KeyboardInterrupt):
        origin.serve_directory(arguments.directory)
        if arguments.rate is not None:
            origin.behave("*", Throttled(arguments.rate))
        sys.stdout.write(f"{origin.url('')}\n")
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    main()
