"""What the system raises, as tries that failed."""

import errno
import os
import socket
import ssl

import pytest

from pipeline.net.failure import FetchFailure, Patience
from pipeline.net.translation import failure_of, is_refusal, tls_refused, translated


def tls_error(kind: type[ssl.SSLError], reason: str) -> ssl.SSLError:
    """As OpenSSL's errors come out of Python."""
    error = kind(1, f"[SSL: {reason}] (_ssl.c:1000)")
    error.reason = reason
    return error


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (TimeoutError(), "the server did not answer in time"),
        (EOFError(), "the connection ended before the answer was complete"),
        (socket.gaierror(-2, "hush"), "the host name could not be resolved"),
        (OSError(errno.ECONNRESET, os.strerror(errno.ECONNRESET)), "Connection reset by peer"),
        (tls_error(ssl.SSLError, "BAD_RECORD_MAC"), "the TLS connection failed (BAD_RECORD_MAC)"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_what_may_pass(error: OSError | EOFError, reason: str) -> None:
    """The next try may fare better."""
    failure = failure_of(error)

    assert reason in failure.reason
    assert failure.patience is Patience.FULL


def test_the_cause_is_kept() -> None:
    """For those who ask with -v."""
    with pytest.raises(FetchFailure) as caught, translated():
        raise ConnectionResetError(errno.ECONNRESET, "reset")

    assert isinstance(caught.value.__cause__, ConnectionResetError)


@pytest.mark.parametrize(
    ("error", "refused"),
    [
        (tls_error(ssl.SSLEOFError, "UNEXPECTED_EOF_WHILE_READING"), False),
        (tls_error(ssl.SSLError, "UNEXPECTED_EOF_WHILE_READING"), False),
        (tls_error(ssl.SSLZeroReturnError, "none"), False),
        (tls_error(ssl.SSLSyscallError, "none"), False),
        (tls_error(ssl.SSLError, "WRONG_VERSION_NUMBER"), True),
        (tls_error(ssl.SSLCertVerificationError, "CERTIFICATE_VERIFY_FAILED"), True),
    ],
    ids=lambda value: (
        f"{type(value).__name__} {value.reason}" if isinstance(value, Exception) else ""
    ),
)
def test_a_broken_connection_is_no_refusal(error: ssl.SSLError, refused: bool) -> None:
    """Whatever the class that says it: an early end says nothing about the next connection."""
    assert is_refusal(error) is refused


def test_what_will_not_pass() -> None:
    """A refusal is final, and says why."""
    failure = tls_refused(tls_error(ssl.SSLError, "WRONG_VERSION_NUMBER"))

    assert failure.patience is Patience.NEVER
    assert failure.reason == "the TLS connection was refused (WRONG_VERSION_NUMBER)"
