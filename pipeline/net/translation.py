"""What sockets, TLS and the resolver raise, into `FetchFailure`.

What requests and urllib3 raise on top of that is translated in `requests_errors`.
"""

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipeline.errors import NetworkError
from pipeline.net.failure import FetchFailure, Patience, broken
from pipeline.units import printable

if TYPE_CHECKING:
    import ssl

#: What OpenSSL says where the other end has closed the connection.
_EARLY_END = "UNEXPECTED_EOF_WHILE_READING"


@contextmanager
def translated() -> Iterator[None]:
    """Turn what the system raises into a `FetchFailure`, keeping the cause."""
    try:
        yield
    except FetchFailure:
        raise
    except (OSError, EOFError) as error:
        raise failure_of(error) from error


def failure_of(error: OSError | EOFError) -> FetchFailure:
    """What `error` means for the try."""
    ssl = sys.modules.get("ssl")  # what has not been imported has raised nothing
    if ssl is not None and isinstance(error, ssl.SSLError):
        return _tls_failure(error)
    if isinstance(error, TimeoutError):
        return broken("the server did not answer in time")
    if isinstance(error, EOFError):
        return broken("the connection ended before the answer was complete")
    if isinstance(error, socket.gaierror):
        return broken("the host name could not be resolved")
    return broken(f"the connection failed ({error.strerror or error})")


def _tls_failure(error: Exception) -> FetchFailure:
    """TLS that broke after it had begun: another connection may fare better."""
    return broken(f"the TLS connection failed ({tls_reason(error)})")


def is_refusal(error: "ssl.SSLError") -> bool:
    """Whether TLS was refused, while it was to come about; else it is the connection that broke.

    OpenSSL may call an early end an error of the protocol as well, depending on the moment.
    """
    import ssl  # noqa: PLC0415  (it is there by now)

    broken_off = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)
    return not isinstance(error, broken_off) and error.reason != _EARLY_END


def tls_refused(error: Exception) -> FetchFailure:
    """TLS that did not come about: it would not the next time either."""
    reason = f"the TLS connection was refused ({tls_reason(error)})"
    return FetchFailure(NetworkError, reason, Patience.NEVER)


def tls_reason(error: object) -> str:
    """What OpenSSL complains of."""
    names = ("verify_message", "reason", "strerror")
    detail = next((text for name in names if (text := getattr(error, name, ""))), "TLS error")
    return printable(str(detail), 120)
