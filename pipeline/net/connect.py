"""Making connections: names to addresses, TCP to the first one that answers, TLS.

Addresses are tried in the order in which the system gives them (RFC 6724), and none waits for a
silent one before it for longer than a moment: that is how a host with a broken IPv6 is reached all
the same, at no great price for each connection.
"""

import errno
import os
import selectors
import socket
import struct
import time
from collections import deque
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pipeline.errors import NetworkError
from pipeline.net.connection import Connection
from pipeline.net.connections import Site
from pipeline.net.failure import FetchFailure, Patience
from pipeline.net.names import resolve
from pipeline.net.translation import is_refusal, tls_reason, tls_refused

if TYPE_CHECKING:
    import ssl

#: Seconds that an address gets before the next one is tried beside it (RFC 8305 section 8). Most
#: servers answer sooner; where one does not, a second connection is begun in vain, no more.
_HEAD_START = 0.25

#: Variables that name trusted certificates, as for requests and curl.
_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")

#: Where Linux' struct tcp_info has the round trip, in microseconds (include/uapi/linux/tcp.h).
_TCPI_RTT, _TCPI_RTT_AT = struct.Struct("=I"), 68
_TCP_INFO_BYTES = 72

#: What the resolver says of an address: family, kind, protocol, a name, and the address itself.
_Address = tuple[int, int, int, str, tuple[Any, ...]]


def connect(
    site: Site, timeout: float, examine: Callable[[str], None], within: float | None = None
) -> Connection:
    """A new connection to `site`. Raises OSError, FetchFailure.

    `timeout`: seconds for each wait for the server; with `within`, no more than so many until the
    connection is there. `examine` sees each address before it is connected to, and raises
    FetchFailure if it must not.
    """
    patience = timeout if within is None else min(timeout, within)
    sock = open_socket(site.host, site.port, patience, examine)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        round_trip = _round_trip(sock)
        if site.scheme == "https":
            sock.settimeout(patience)
            sock = _secured(sock, site)
        return Connection(sock, timeout, round_trip)
    except BaseException:
        sock.close()
        raise


def open_socket(
    host: str, port: int, timeout: float, examine: Callable[[str], None]
) -> socket.socket:
    """A TCP connection to the address of `host` that answers first. Raises OSError, FetchFailure.

    Addresses that `examine` raises for are left out.
    """
    deadline = time.monotonic() + timeout
    addresses = _permitted(resolve(host, port, timeout), examine)
    with _Attempts() as attempts:
        while addresses or attempts.under_way:
            if addresses:
                attempts.begin(*addresses.popleft())
            left = deadline - time.monotonic()
            sock = attempts.wait(min(left, _HEAD_START) if addresses else left)
            if sock is not None:
                return sock
            if time.monotonic() >= deadline:
                raise TimeoutError
        raise attempts.failure


def _round_trip(sock: socket.socket) -> float:
    """Seconds that the handshake took by the kernel's clock; 0 where it does not say.

    By ours, a busy machine would make a long way of a short one.
    """
    if not hasattr(socket, "TCP_INFO"):
        return 0.0
    try:
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES)
    except OSError:  # a kernel that is none, in a sandbox
        return 0.0
    if len(info) < _TCP_INFO_BYTES:
        return 0.0
    microseconds: int = _TCPI_RTT.unpack_from(info, _TCPI_RTT_AT)[0]
    return microseconds / 1_000_000


def _permitted(addresses: Iterable[_Address], examine: Callable[[str], None]) -> deque[_Address]:
    """Those that may be connected to. Raises FetchFailure if that is none of them."""
    permitted: deque[_Address] = deque()
    refusal = None
    for address in addresses:
        try:
            examine(str(address[4][0]))
        except FetchFailure as failure:
            refusal = failure
        else:
            permitted.append(address)
    if refusal is not None and not permitted:
        raise refusal
    return permitted


class _Attempts:
    """Connections that are being made, side by side. Only the one that is returned stays open."""

    def __init__(self) -> None:
        self.failure: OSError = OSError("the host has no address")  # the last one
        self._selector = selectors.PollSelector()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for key in list(self._selector.get_map().values()):
            _socket_of(key).close()
        self._selector.close()

    @property
    def under_way(self) -> bool:
        """Whether an address may still answer."""
        return len(self._selector.get_map()) > 0

    def begin(
        self, family: int, kind: int, protocol: int, _name: str, address: tuple[object, ...]
    ) -> None:
        """Try one more address; what `getaddrinfo` says of it."""
        try:
            sock = socket.socket(family, kind, protocol)
        except OSError as error:  # an address of a kind that this system does not know
            self.failure = error
            return
        sock.setblocking(False)
        self._selector.register(sock, selectors.EVENT_WRITE)
        if (code := sock.connect_ex(address)) not in (0, errno.EINPROGRESS):
            self._failed(sock, code)

    def wait(self, seconds: float) -> socket.socket | None:
        """A connection that has come about; None if one has failed, or after `seconds`."""
        if not self.under_way:
            return None
        for key, _ in self._selector.select(max(seconds, 0.0)):
            sock = _socket_of(key)
            code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if not code:
                self._selector.unregister(sock)
                sock.setblocking(True)
                return sock
            self._failed(sock, code)
        return None

    def _failed(self, sock: socket.socket, code: int) -> None:
        self.failure = OSError(code, os.strerror(code))
        self._selector.unregister(sock)
        sock.close()


def _socket_of(key: selectors.SelectorKey) -> socket.socket:
    sock = key.fileobj
    assert isinstance(sock, socket.socket)  # noqa: S101  (nothing else is registered)
    return sock


def _secured(sock: socket.socket, site: Site) -> socket.socket:
    """TLS on `sock`. Raises FetchFailure where the two do not come together, OSError."""
    context = _context(site.verify)
    import ssl  # noqa: PLC0415  (it is there by now)

    try:
        return context.wrap_socket(sock, server_hostname=site.host.rstrip("."))
    except ssl.SSLError as error:
        if is_refusal(error):
            raise tls_refused(error) from error
        raise


@lru_cache
def _context(verify: bool) -> "ssl.SSLContext":
    """How TLS is spoken: as requests does, with the certificates that it trusts.

    Raises FetchFailure where the user's own cannot be read.
    """
    # Imported here: 20 ms that no clear-text download needs.
    import ssl  # noqa: PLC0415

    import certifi  # noqa: PLC0415

    named = next((name for name in _BUNDLES if os.environ.get(name)), None)
    trusted = Path(os.environ[named] if named else certifi.where())
    is_folder = trusted.is_dir()
    try:
        context = ssl.create_default_context(
            cafile=None if is_folder else str(trusted), capath=str(trusted) if is_folder else None
        )
    except OSError as error:
        reason = f"the certificates of ${named} cannot be read ({tls_reason(error)})"
        raise FetchFailure(NetworkError, reason, Patience.NEVER) from error
    context.set_alpn_protocols(["http/1.1"])
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
