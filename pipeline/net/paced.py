"""requests' connections, watched for answers that come drop by drop.

A timeout of urllib3 is for a single read, and http.client reads a head, or the size of a chunk,
with as many reads as it takes: a byte now and then would keep it waiting for ever. Here the file
that it reads from has a floor rate, and a head has a deadline. For `requester` alone; connections
of our own see to it themselves.
"""

import http.client
import io
import time
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from pipeline.net.failure import broken
from pipeline.net.pace import Pace


class _PacedFile(io.RawIOBase):
    """What comes on a socket. Only the time spent waiting for it counts."""

    def __init__(self, source: io.RawIOBase, window: float) -> None:
        self.deadline = 0.0  # seconds on the monotonic clock; 0 is none
        self._source = source
        self._pace = Pace(time.monotonic, window)
        self._idle_since = time.monotonic()

    def readable(self) -> bool:
        return True

    def readinto(self, view: Any) -> int | None:
        self._pace.waited(time.monotonic() - self._idle_since)
        size = self._source.readinto(view)
        self._pace.received(size or 0)
        self._idle_since = time.monotonic()
        if self.deadline and self._idle_since > self.deadline:
            raise broken("the server did not answer in time")
        return size

    def close(self) -> None:
        self._source.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: Any, *args: Any, **settings: Any) -> None:
        super().__init__(sock, *args, **settings)
        self._timeout: float = sock.gettimeout()
        self._file = _PacedFile(self.fp.detach(), self._timeout)
        self.fp = io.BufferedReader(self._file)

    def begin(self) -> None:
        """Read the head, and the interim ones before it; it may begin after one timeout."""
        self._file.deadline = time.monotonic() + 2 * self._timeout
        super().begin()
        self._file.deadline = 0.0


class _Connection(HTTPConnection):
    response_class = _Response


class _SecureConnection(HTTPSConnection):
    response_class = _Response


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


_POOLS = {"http": _Pool, "https": _SecurePool}


class PacedAdapter(HTTPAdapter):
    """What connects requests to such connections."""

    def init_poolmanager(self, *args: Any, **settings: Any) -> None:
        """Make the pools of connections to origins."""
        super().init_poolmanager(*args, **settings)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **settings: Any) -> Any:
        """The pools of connections to a proxy; those to one that speaks SOCKS are its own."""
        manager = super().proxy_manager_for(proxy, **settings)
        if not proxy.lower().startswith("socks"):
            manager.pool_classes_by_scheme = _POOLS
        return manager
