"""What requests, urllib3 and http.client raise, into `FetchFailure`: for `requester` alone."""

import http.client
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import requests
import urllib3

from pipeline.errors import NetworkError
from pipeline.net.failure import FetchFailure, Patience, broken
from pipeline.net.translation import is_refusal, tls_refused
from pipeline.units import printable

#: What http.client says of an answer to CONNECT that opens no tunnel.
_TUNNEL = re.compile(r"Tunnel connection failed: ((\d+) .*)", re.DOTALL)


@contextmanager
def translated() -> Iterator[None]:
    """Turn whatever the HTTP libraries raise into a `FetchFailure`, keeping the cause."""
    try:
        yield
    except FetchFailure:
        raise
    except requests.exceptions.ProxyError as error:
        raise _proxy_failure(error) from error
    except (ssl.SSLCertVerificationError, requests.exceptions.SSLError) as error:
        raise _tls_failure(error) from error
    except (
        requests.exceptions.InvalidURL,
        requests.exceptions.InvalidSchema,
        requests.exceptions.MissingSchema,
        requests.exceptions.InvalidHeader,
        urllib3.exceptions.LocationParseError,
    ) as error:
        raise FetchFailure(NetworkError, "the URL is not valid", Patience.NEVER) from error
    except (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError, TimeoutError) as error:
        raise broken("the server did not answer in time") from error
    except http.client.IncompleteRead as error:
        raise broken("the connection ended before the body was complete") from error
    except (
        requests.RequestException,
        urllib3.exceptions.HTTPError,
        http.client.HTTPException,
        OSError,
    ) as error:
        raise broken(_root_reason(error)) from error


def _tls_failure(error: BaseException) -> FetchFailure:
    """A refusal is one for good; a connection that broke says nothing about the next one."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLError) and is_refusal(cause):
            return tls_refused(cause)
    return broken("the TLS connection failed")


def _proxy_failure(error: BaseException) -> FetchFailure:
    """The way to the origin failed, at the proxy or behind it."""
    for cause in _causes(error):
        if isinstance(cause, OSError) and (match := _TUNNEL.match(str(cause))):
            patience = Patience.FULL if match[2].startswith("5") else Patience.FEW
            reason = f"the proxy refused the connection: {printable(match[1], 60).rstrip()}"
            return FetchFailure(NetworkError, reason, patience)
    return broken(f"the proxy cannot be used: {_root_reason(error)}")


def _root_reason(error: BaseException) -> str:
    """The innermost operating system error in words: the wrappers around it say no more."""
    for cause in _causes(error):
        if isinstance(cause, urllib3.exceptions.NameResolutionError):
            return "the host name could not be resolved"
        if isinstance(cause, OSError) and cause.strerror:
            return f"the connection failed ({cause.strerror})"
        if isinstance(cause, http.client.IncompleteRead):
            return "the connection ended before the body was complete"
    return "the connection failed or the answer was no valid HTTP"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """`error` and what it was raised for, in all the ways that the libraries hide it."""
    seen: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        found = waiting.pop(0)
        if isinstance(found, BaseException) and found not in seen:
            seen.append(found)
            yield found
            waiting += [getattr(found, "reason", None), found.__cause__, found.__context__]
            waiting += found.args
