"""Who may speak to the API over TCP: who knows the token, and calls the server by its name.

A page in somebody's browser can reach 127.0.0.1, and by rebinding its own name to that address it
can even read the answers: the Host header gives it away. See RFC 6750 for the token, RFC 9110
section 15.5.20 for the status.
"""

import os
import secrets
from collections.abc import Collection
from pathlib import Path

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from pipeline.errors import StorageError
from pipeline.service.answers import refusal_response
from pipeline.service.refusals import MisdirectedError, Refusal, UnauthorizedError

_TOKEN_BYTES = 32

#: What clients on this machine call it.
_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


def read_token(path: Path) -> str:
    """The token in `path`, which is made if it is missing. Raises StorageError."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return _existing_token(path)
    except OSError as error:
        raise StorageError(f"The token cannot be written to {path}: {error.strerror}") from error
    with os.fdopen(descriptor, "w") as file:
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        file.write(token + "\n")
    return token


def _existing_token(path: Path) -> str:
    try:
        mode = path.stat().st_mode
        token = path.read_text(encoding="ascii").strip()
    except (OSError, ValueError) as error:
        raise StorageError(f"The token in {path} cannot be read: {error}") from error
    if mode & 0o077:
        raise StorageError(f"The token in {path} can be read by others: chmod 600 {path}")
    if not token:
        raise StorageError(f"The token in {path} is empty: remove the file, and one is made")
    return token


def host_names(listen_host: str, allowed: Collection[str]) -> frozenset[str]:
    """The names under which clients may speak to a server that listens on `listen_host`."""
    bound = f"[{listen_host}]" if ":" in listen_host else listen_host
    return _LOCAL_NAMES | {bound.lower()} | {name.lower() for name in allowed}


class Guard:
    """Lets requests pass that may (ASGI)."""

    def __init__(self, app: ASGIApp, token: str, names: frozenset[str]) -> None:
        self._app = app
        self._token = token.encode()
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, or have it answered."""
        try:
            self._check(Headers(scope=scope))
        except Refusal as refusal:
            await refusal_response(refusal)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _check(self, headers: Headers) -> None:
        hosts = headers.getlist("host")
        if len(hosts) != 1 or _without_port(hosts[0]) not in self._names:
            raise MisdirectedError("This server is not called so: --allow-host adds a name")
        scheme, _, token = headers.get("authorization", "").partition(" ")
        known = secrets.compare_digest(token.strip().encode("latin-1"), self._token)
        if scheme.lower() != "bearer" or not known:
            raise UnauthorizedError("A token is needed: Authorization: Bearer, and what serve made")


def _without_port(host: str) -> str:
    name, colon, port = host.lower().rpartition(":")
    return name if colon and port.isdecimal() else host.lower()
