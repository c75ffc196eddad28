"""A client of the daemon, over its unix socket."""

import http.client
import json
import os
import socket
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from pipeline.errors import HlspipeError, NetworkError, UsageError

#: Where a daemon of the system listens, and below what one of a user does.
_SYSTEM_SOCKET = Path("/run/hlspipe/hlspipe.sock")
_BELOW_RUNTIME = Path("hlspipe", "hlspipe.sock")

#: Seconds without a byte: the daemon answers at once, or it hangs.
_PATIENCE = 30.0

#: Jobs asked for at once.
_PAGE = 1000


def usual_socket() -> Path:
    """The socket that a client looks for: the user's own daemon goes before the system's."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    own = Path(runtime) / _BELOW_RUNTIME if runtime else None
    return own if own is not None and own.exists() else _SYSTEM_SOCKET


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=_PATIENCE)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket, instead of a host."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class ServiceClient:
    """Asks one daemon."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def submit(self, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Submit jobs, all or none."""
        return self._list(self._request("POST", "/api/v1/jobs", {"jobs": entries}))

    def jobs(self, states: str | None = None) -> Iterator[dict[str, Any]]:
        """All jobs, or those in these states, by their ids."""
        after: int | None = 0
        while after is not None:
            query = {"after": after, "limit": _PAGE} | ({"state": states} if states else {})
            answer = self._request("GET", f"/api/v1/jobs?{urlencode(query)}")
            yield from self._list(answer)
            after = answer["next"]

    def order(self, number: int, order: str) -> dict[str, Any]:
        """Tell a job to cancel, pause, resume or retry."""
        return self._request("POST", f"/api/v1/jobs/{number}/{order}")

    def drain(self, *, wanted: bool) -> dict[str, Any]:
        """Stop taking in and beginning jobs, or take it up again; how the service is then."""
        return self._request("POST", f"/api/v1/service/{'drain' if wanted else 'fill'}")

    def service(self) -> dict[str, Any]:
        """How the service is."""
        return self._request("GET", "/api/v1/service")

    @staticmethod
    def _list(answer: dict[str, Any]) -> list[dict[str, Any]]:
        jobs: list[dict[str, Any]] = answer["jobs"]
        return jobs

    def _request(self, method: str, path: str, value: object = None) -> dict[str, Any]:
        """The answer. Raises UsageError for a refusal, NetworkError where there is none."""
        body = None if value is None else json.dumps(value).encode()
        headers = {} if body is None else {"Content-Type": "application/json"}
        connection = _UnixConnection(self._path)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            answer = json.loads(response.read())
        except (FileNotFoundError, ConnectionRefusedError) as error:
            raise NetworkError(
                f"No daemon listens on {self._path}: 'hlspipe serve' starts one, --socket names"
                " another place"
            ) from error
        except PermissionError as error:
            raise NetworkError(
                f"{self._path} is not for this user: its group may use it"
            ) from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise NetworkError(f"The daemon at {self._path} does not answer: {error}") from error
        finally:
            connection.close()
        if response.status >= HTTPStatus.BAD_REQUEST or not isinstance(answer, dict):
            raise _refusal(response.status, answer)
        return answer


def _refusal(status: int, answer: Any) -> HlspipeError:
    words = answer.get("error") if isinstance(answer, dict) else None
    message = words if isinstance(words, str) else f"The daemon answered with status {status}"
    refused = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    return UsageError(message) if refused else NetworkError(message)
