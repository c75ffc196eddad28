"""The servers of the API: one for the unix socket, one for TCP, each with its own limits.

Two, so that whatever comes in over the network never keeps an administrator away.
"""

import asyncio
import contextlib
import socket
from collections.abc import Generator

import uvicorn
from starlette.types import ASGIApp

from pipeline.service.connections import MOST_CONNECTIONS, PatientProtocol

#: Bytes of a request's head.
_MOST_HEAD_BYTES = 16 << 10

#: Seconds that answers which are under way have, once the daemon ends.
_LAST_ANSWERS_SECONDS = 2


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Signals are the daemon's."""
        yield


class Web:
    """One server."""

    def __init__(self, app: ASGIApp, listener: socket.socket) -> None:
        self._listener = listener
        self._server = _Server(
            uvicorn.Config(
                app,
                http=PatientProtocol,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                limit_concurrency=MOST_CONNECTIONS,
                h11_max_incomplete_event_size=_MOST_HEAD_BYTES,
                timeout_graceful_shutdown=_LAST_ANSWERS_SECONDS,
            )
        )

    async def serve(self) -> None:
        """Serve until `stop`."""
        await self._server.serve(sockets=[self._listener])

    async def started(self) -> None:
        """Return when clients are answered."""
        while not self._server.started:
            await asyncio.sleep(0.01)

    def stop(self) -> None:
        """Take no more requests, and end when those under way are answered."""
        self._server.should_exit = True
