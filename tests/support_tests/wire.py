"""A bare socket to the origin, for tests of what it puts on the wire."""

import socket

from tests.support.exchange import Behaviour
from tests.support.origin import Origin

BODY = bytes(range(250)) * 4


class Peer:
    """A connection to the origin, one byte string in and out."""

    def __init__(self, origin: Origin) -> None:
        self.sock = socket.create_connection((origin.host, origin.port), timeout=10)
        self.reader = self.sock.makefile("rb")

    def ask(self, path: str = "/a", *headers: str, method: str = "GET") -> None:
        lines = [f"{method} {path} HTTP/1.1", "Host: x", *headers, "", ""]
        self.sock.sendall("\r\n".join(lines).encode())

    def head(self) -> tuple[str, dict[str, str]]:
        first = self.reader.readline().decode().rstrip("\r\n")
        fields = {}
        while (line := self.reader.readline().decode().rstrip("\r\n")) != "":
            name, _, value = line.partition(": ")
            fields[name] = value
        return first, fields

    def is_silent(self) -> bool:
        """No byte and no end for a moment: the origin waits."""
        self.sock.settimeout(0.05)
        try:
            self.sock.recv(1)
        except TimeoutError:
            return True
        return False

    def close(self) -> None:
        self.reader.close()
        self.sock.close()


class Ask:
    """Gives /a a behaviour, asks for it, and reads the head of the answer."""

    def __init__(self, origin: Origin, peer: Peer) -> None:
        self.origin = origin
        self.peer = peer

    def __call__(self, behaviour: Behaviour, *headers: str) -> tuple[str, dict[str, str], bytes]:
        """Status line, headers, and all bytes until the connection ends."""
        status, fields = self.begin(behaviour, *headers, "Connection: close")
        return status, fields, self.peer.reader.read()

    def begin(self, behaviour: Behaviour, *headers: str) -> tuple[str, dict[str, str]]:
        self.origin.behave("/a", behaviour)
        self.peer.ask("/a", *headers)
        return self.peer.head()
