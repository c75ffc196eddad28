"""Connections that dawdle are ended: uvicorn itself waits for a request's head for ever.

A head has to be there within some seconds of its first byte, the body soon after, and an answer
has to be taken. What is closed in time cannot add up to all of the daemon's descriptors.
"""

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

#: Connections of one server at a time: those that listen to events, and some more for the rest.
#: A shell allows a process to open 1024 files.
MOST_CONNECTIONS = 700

#: Seconds for a request's head and for its body, by their states in h11: time enough for 1 MB
#: over the slowest of lines that jobs are submitted from.
_SECONDS = {h11.IDLE: 10.0, h11.SEND_BODY: 30.0}

#: Seconds in which a client has to take something of its answer.
_STALL_SECONDS = 30.0


class PatientProtocol(H11Protocol):
    """HTTP/1.1 as uvicorn speaks it, with deadlines."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._awaited: Any = None  # what the client is to send, as a state of h11's
        self._deadline: asyncio.TimerHandle | None = None
        self._stall: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Wait for the first head, unless there are too many who wait."""
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.abort()
        self._expect(h11.IDLE)

    def data_received(self, data: bytes) -> None:
        """Wait for what is still missing of the request."""
        super().data_received(data)
        state = self.conn.their_state
        nothing_begun = state is h11.IDLE and not self.conn.trailing_data[0]
        self._expect(state if state in _SECONDS and not nothing_begun else None)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._expect(None)
        self.resume_writing()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The client takes nothing: it has some time to begin again."""
        super().pause_writing()
        self._stall = self.loop.call_later(_STALL_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """It has begun again."""
        super().resume_writing()
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None

    def _expect(self, state: Any) -> None:
        """The deadline of what is missing counts from its beginning, not from each byte."""
        if state is self._awaited:
            return
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        self._awaited = state
        if state is not None:
            self._deadline = self.loop.call_later(_SECONDS[state], self.transport.abort)
