"""A server that answers as often as it is told to, and requests that are made to it."""

import socket
import struct
import threading
import time

from pipeline.net.connect import connect
from pipeline.net.connection import Connection
from pipeline.net.connections import Connections, Site

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
REQUEST = b"GET / HTTP/1.1\r\n\r\n"
FOLLOWING = b"GET /following HTTP/1.1\r\n\r\n"


class Server:
    """Answers on each connection as often as it is told to, then closes it."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.site = Site("http", "127.0.0.1", self.listener.getsockname()[1])
        self.made = 0
        self.resets = False
        self.drops = False  # it says nothing to a request that is awaited
        self.plan: list[tuple[int, bool]] = []  # (answers, whether one more request is awaited)
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def start(self) -> None:
        """Serve one connection after the other, as planned."""
        self._thread.start()

    def _serve(self) -> None:
        for answers, awaits in self.plan:
            peer, _ = self.listener.accept()
            self.made += 1
            with peer:
                for _ in range(answers):
                    peer.recv(1000)
                    peer.sendall(ANSWER)
                if awaits:
                    peer.recv(1000)
                if awaits and self.drops:
                    time.sleep(1)
                if self.resets:
                    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def join(self) -> None:
        """Wait until the plan is carried out."""
        self._thread.join(10)


def connect_to(site: Site) -> Connection:
    """A new connection."""
    return connect(site, 5.0, str)


def ask(connections: Connections, server: Server) -> int:
    """One request and its answer; the status."""
    connection, head = connections.ask(server.site, "/", REQUEST, connect_to)
    assert connection.rest()
    connections.give_back(server.site, connection)
    return head.status


def following(connections: Connections, server: Server) -> int:
    """Ask for that other one; the status."""
    connection, head = connections.ask(server.site, "/following", FOLLOWING, connect_to)
    connection.close()
    return head.status
