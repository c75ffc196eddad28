"""One HTTP exchange as the local origin sees it: request, payload, the right reply, the wire.

Covers parsing a request, what a correct server would reply (`right_reply`), and the verbs a
behaviour is written with (`Exchange`). What goes wrong on purpose is in `behaviours`, who is
asked for what in `origin`.
"""

import fcntl
import hashlib
import socket
import struct
import termios
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from pathlib import Path
from urllib.parse import unquote, urlsplit

CONTENT_TYPES = {
    ".m3u8": "application/vnd.apple.mpegurl",
    ".ts": "video/mp2t",
    ".mp4": "video/mp4",
    ".m4s": "video/iso.segment",
    ".key": "application/octet-stream",
    ".vtt": "text/vtt",
    ".html": "text/html",
}
MAX_HEAD = 1 << 20
#: Bytes sent at once. Small, so that `Request.sent` is near the truth when a peer goes away.
PIECE = 1 << 18


class HungUp(Exception):
    """The connection ends here: by the peer, by the origin's end, or on purpose.

    `lingering`: as servers do it, which read on for a while. Else a request that is under way
    makes a reset of the end, and takes what was sent before with it.
    """

    def __init__(self, *, lingering: bool = False) -> None:
        self.lingering = lingering


@dataclass(frozen=True)
class Payload:
    """The right bytes of a path: in memory, or a file."""

    data: bytes | Path
    content_type: str | None = None
    etag: str | None = None

    @property
    def length(self) -> int:
        """The size in bytes, now."""
        return len(self.data) if isinstance(self.data, bytes) else self.data.stat().st_size

    @property
    def validator(self) -> str:
        """The strong ETag: changes when the bytes do."""
        if self.etag is not None:
            return self.etag
        if isinstance(self.data, bytes):
            return f'"{hashlib.sha256(self.data).hexdigest()[:16]}"'
        status = self.data.stat()
        return f'"{status.st_mtime_ns:x}-{status.st_size:x}"'

    @property
    def modified(self) -> str:
        """Last-Modified; the same for ever when the payload is in memory."""
        seconds = 1_600_000_000.0 if isinstance(self.data, bytes) else self.data.stat().st_mtime
        return formatdate(seconds, usegmt=True)

    def read(self, start: int = 0, end: int | None = None) -> bytes:
        """The bytes from `start` to before `end`."""
        stop = self.length if end is None else end
        if isinstance(self.data, bytes):
            return self.data[start:stop]
        with self.data.open("rb") as file:
            file.seek(start)
            return file.read(stop - start)


@dataclass(slots=True)
class Request:
    """A request as it came, and what became of it (`status` and `sent`)."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    time: float
    connection: int
    #: Which request on its connection it is, from 1.
    place: int = 1
    #: Which request for this path it is, from 1.
    attempt: int = 0
    status: int | None = None
    #: Body bytes that the peer may have got: counted piece by piece, just before each is sent.
    sent: int = 0

    @property
    def path(self) -> str:
        """The decoded path: no query, no scheme or host (a proxy is sent those too)."""
        return unquote(urlsplit(self.target).path)

    @property
    def query(self) -> str:
        """What stands behind the question mark."""
        return urlsplit(self.target).query

    def header(self, name: str) -> str | None:
        """The first header of that name, in any case."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)

    @property
    def byte_range(self) -> tuple[int, int | None] | None:
        """First and last byte of `Range: bytes=a-b`, as asked."""
        text = self.header("Range")
        if text is None or not text.startswith("bytes=") or "," in text:
            return None
        first, _, last = text.removeprefix("bytes=").partition("-")
        if not first:
            return None
        return int(first), int(last) if last else None


@dataclass(frozen=True)
class Reply:
    """A status line, headers, and the part of a payload that follows them."""

    status: int
    payload: Payload
    start: int
    end: int
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def length(self) -> int:
        """Body bytes."""
        return self.end - self.start


def right_reply(request: Request, payload: Payload | None) -> Reply:
    """What a correct server answers: 200, 206, 416 or 404."""
    if payload is None:
        missing = Payload(b"not here\n", "text/plain")
        return Reply(404, missing, 0, missing.length, {"Content-Type": "text/plain"})
    length = payload.length
    kind = payload.content_type or CONTENT_TYPES.get(
        Path(request.path).suffix, "application/octet-stream"
    )
    headers = {
        "Content-Type": kind,
        "ETag": payload.validator,
        "Last-Modified": payload.modified,
        "Accept-Ranges": "bytes",
    }
    wanted = request.byte_range
    condition = request.header("If-Range")
    if wanted is None or condition not in {None, payload.validator, payload.modified}:
        return Reply(200, payload, 0, length, headers)
    first, last = wanted
    end = length if last is None else min(last + 1, length)
    if first >= end:
        return Reply(416, payload, 0, 0, headers | {"Content-Range": f"bytes */{length}"})
    return Reply(
        206, payload, first, end, headers | {"Content-Range": f"bytes {first}-{end - 1}/{length}"}
    )


class Exchange:
    """A request that waits for its answer, with the verbs to answer it rightly or wrongly."""

    def __init__(
        self,
        sock: socket.socket,
        request: Request,
        payload: Payload | None,
        stopping: threading.Event,
    ) -> None:
        self.sock = sock
        self.request = request
        self.payload = payload
        self.keep_alive = (request.header("Connection") or "").lower() != "close"
        self._stopping = stopping

    def right_reply(self, payload: Payload | None = None) -> Reply:
        """The reply of a correct server (with `payload` in place of the path's own)."""
        return right_reply(self.request, payload or self.payload)

    def head(
        self,
        status: int,
        headers: Mapping[str, str],
        length: int | None = None,
        version: str = "HTTP/1.1",
    ) -> None:
        """Send status line and headers; no Content-Length when `length` is None."""
        self.request.status = status
        try:
            phrase = HTTPStatus(status).phrase
        except ValueError:
            phrase = "Unknown"
        fields = dict(headers)
        if length is not None:
            fields["Content-Length"] = str(length)
        if not self.keep_alive:
            fields.setdefault("Connection", "close")
        lines = [f"{version} {status} {phrase}", *(f"{k}: {v}" for k, v in fields.items())]
        self.sock.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))

    def send(self, data: bytes | memoryview) -> None:
        """Send body bytes (nothing in reply to HEAD)."""
        if self.request.method == "HEAD":
            return
        view = memoryview(data)
        for start in range(0, len(view), PIECE):
            piece = view[start : start + PIECE]
            self.request.sent += len(piece)
            self.sock.sendall(piece)

    def send_part(self, payload: Payload, start: int, end: int) -> None:
        """Send the payload's bytes from `start` to before `end`, files without a copy."""
        if self.request.method == "HEAD" or end <= start:
            return
        if isinstance(payload.data, bytes):
            self.send(memoryview(payload.data)[start:end])
            return
        with payload.data.open("rb") as file:
            for place in range(start, end, PIECE):
                count = min(PIECE, end - place)
                self.request.sent += count
                self.sock.sendfile(file, place, count)

    def reply(self, reply: Reply, headers: Mapping[str, str] | None = None) -> None:
        """Send a whole reply."""
        self.head(reply.status, reply.headers | dict(headers or {}), reply.length)
        self.send_part(reply.payload, reply.start, reply.end)

    def pause(self, seconds: float) -> None:
        """Wait; the origin's end cuts it short."""
        if self._stopping.wait(seconds):
            raise HungUp

    def wait_for(self, gate: threading.Event) -> None:
        """Wait until a test opens the gate."""
        while not gate.wait(0.02):
            if self._stopping.is_set():
                raise HungUp

    def stall(self) -> None:
        """Say nothing more until the peer gives up."""
        while self.sock.recv(4096):
            pass
        raise HungUp

    def reset(self) -> None:
        """End the connection with a RST, once the peer's kernel has what was sent."""
        self._drain()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise HungUp

    def hang_up(self) -> None:
        """End the connection with a FIN behind what was sent, whatever is being asked meanwhile."""
        raise HungUp(lingering=True)

    def _drain(self) -> None:
        deadline = time.monotonic() + 5
        unsent = bytearray(4)
        while time.monotonic() < deadline:
            fcntl.ioctl(self.sock.fileno(), termios.TIOCOUTQ, unsent)
            if struct.unpack("i", unsent) == (0,):
                return
            self.pause(0.001)


#: What a path does with one request. Any function will do; `behaviours` has the usual ones.
Behaviour = Callable[[Exchange], None]


def read_head(sock: socket.socket, buffered: bytearray) -> bytes | None:
    """The next request's head out of the socket; None at the connection's end."""
    while b"\r\n\r\n" not in buffered:
        data = sock.recv(65536)
        if not data or len(buffered) > MAX_HEAD:
            return None
        buffered += data
    head, _, rest = bytes(buffered).partition(b"\r\n\r\n")
    buffered[:] = rest
    return head


def parse_request(head: bytes, connection: int, place: int = 1) -> Request:
    """The request that `head` spells, at this place among those on its connection."""
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    pairs = (line.partition(":") for line in lines)
    headers = tuple((name.strip(), value.strip()) for name, _, value in pairs)
    return Request(method, target, headers, time.monotonic(), connection, place)
