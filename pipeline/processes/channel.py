"""A one-way pipe for messages: frames of a length and as many bytes.

The reader never waits for the rest of a frame: a child that is stopped or killed half way through
a write holds up nobody. Frames are capped, so that a child cannot make its reader take memory.
"""

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from struct import Struct
from typing import Any

from pipeline.processes.messages import Message
from pipeline.processes.wire import decode, encode
from pipeline.units import KIB, MIB

_LENGTH = Struct("<I")

#: A playlist of 16 MiB in hexadecimal, and room for the rest of its message.
_MAX_FRAME = 34 * MIB

#: Room in an instruction pipe: more than all instructions that a child can be behind with, so
#: that the supervisor does not wait for a child that has stopped reading.
_PIPE_BYTES = MIB

#: Read at a time. More than the allocator keeps in its heap (128 KiB) would be mapped, shrunk and
#: unmapped for each message.
_READ_BYTES = 64 * KIB


class Sender:
    """The writing end. Frames of several threads do not mix."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = threading.Lock()

    def send(self, *messages: Message) -> None:
        """Write messages, with one wake-up of the reader for all of them.

        Raises OSError (EPIPE) when nobody reads any more.
        """
        frames = [encode(message) for message in messages]
        data = memoryview(b"".join(_LENGTH.pack(len(frame)) + frame for frame in frames))
        with self._lock:
            while data:
                data = data[os.write(self._descriptor, data) :]

    def close(self) -> None:
        """Tell the reader that no more will come."""
        os.close(self._descriptor)


class Receiver:
    """The reading end."""

    def __init__(self, descriptor: int) -> None:
        os.set_blocking(descriptor, False)
        self._descriptor = descriptor
        self._buffer = bytearray()
        self.closed = False  # the other end is gone, and everything it said has been read

    def fileno(self) -> int:
        """The descriptor to wait on."""
        return self._descriptor

    def receive(self) -> Iterator[Any]:
        """The messages that are complete now. Sets `closed` at the end of the stream.

        Raises ValueError for bytes that are no message.
        """
        self._fill()
        while (frame := self._next_frame()) is not None:
            yield decode(frame)

    def close(self) -> None:
        """Close the reading end."""
        os.close(self._descriptor)

    def _fill(self) -> None:
        try:
            data = os.read(self._descriptor, _READ_BYTES)
        except BlockingIOError:
            return
        self._buffer += data
        self.closed = not data

    def _next_frame(self) -> bytes | None:
        if len(self._buffer) < _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack_from(self._buffer)
        if length > _MAX_FRAME:
            raise ValueError(f"a frame of {length} bytes")
        end = _LENGTH.size + length
        if len(self._buffer) < end:
            return None
        frame = bytes(self._buffer[_LENGTH.size : end])
        del self._buffer[:end]
        return frame


def instruction_pipe() -> tuple[int, int]:
    """A pipe (reading end, writing end) with room for what a child may be behind with."""
    reading, writing = os.pipe()
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        with suppress(OSError):  # over this user's quota of pipe pages the usual 64 KiB will do
            fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    return reading, writing
