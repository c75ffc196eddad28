"""Making connections: names to addresses, TCP with a deadline for each address, TLS.

Addresses are tried in the order in which the system gives them (RFC 6724), and a silent one does
not use up the time of those behind it: that is how a host with a broken IPv6 is reached all the
same.
"""

import os
import socket
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.net.connection import Connection
from pipeline.net.connections import Site
from pipeline.net.translation import tls_refused

if TYPE_CHECKING:
    import ssl

#: Seconds that one address gets while there are others to try: several round trips to the other
#: side of the world, and three tries of TCP itself.
_PATIENCE = 4.0


def connect(site: Site, timeout: float, examine: Callable[[str], None]) -> Connection:
    """A new connection to `site`. Raises OSError, FetchFailure.

    `examine` sees the address at the other end before anything is sent, and raises if it must not.
    """
    sock = open_socket(site.host, site.port, timeout)
    try:
        examine(sock.getpeername()[0])
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if site.scheme == "https":
            sock.settimeout(timeout)
            sock = _secured(sock, site)
        return Connection(sock, timeout)
    except BaseException:
        sock.close()
        raise


def open_socket(host: str, port: int, timeout: float) -> socket.socket:
    """A TCP connection to the first address of `host` that answers. Raises OSError."""
    addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    deadline = time.monotonic() + timeout
    failure: OSError = OSError("the host has no address")
    for number, (family, kind, protocol, _, address) in enumerate(addresses, start=1):
        left = max(deadline - time.monotonic(), 0.001)
        sock = socket.socket(family, kind, protocol)
        sock.settimeout(left if number == len(addresses) else min(left, _PATIENCE))
        try:
            sock.connect(address)
        except OSError as error:
            sock.close()
            failure = error
        else:
            return sock
    raise failure


def _secured(sock: socket.socket, site: Site) -> socket.socket:
    """TLS on `sock`. Raises FetchFailure where the two do not come together, OSError."""
    context = _context(site.verify)
    import ssl  # noqa: PLC0415  (it is there by now)

    try:
        return context.wrap_socket(sock, server_hostname=site.host.rstrip("."))
    except (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError):
        raise  # the connection broke, and TLS with it
    except ssl.SSLError as error:
        raise tls_refused(error) from error


@lru_cache
def _context(verify: bool) -> "ssl.SSLContext":
    """How TLS is spoken: as requests does, with the certificates that it trusts."""
    # Imported here: 20 ms that no clear-text download needs.
    import ssl  # noqa: PLC0415

    import certifi  # noqa: PLC0415

    bundle = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
    trusted = Path(bundle or certifi.where())
    is_folder = trusted.is_dir()
    context = ssl.create_default_context(
        cafile=None if is_folder else str(trusted), capath=str(trusted) if is_folder else None
    )
    context.set_alpn_protocols(["http/1.1"])
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
