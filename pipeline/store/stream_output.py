"""An output that is a stream: a pipe, a socket or a device, in which nothing can be taken back.

It never blocks: who has to wait for a reader goes on hearing what others have to say meanwhile.
"""

import os
import stat
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from pipeline.errors import OutputClosedError
from pipeline.store.care import Care
from pipeline.store.digest import Digest
from pipeline.store.files import close_quietly, settle, storage_error

if TYPE_CHECKING:
    from socket import socket

#: Called when a stream would block; returns when it may be worth another try.
WaitWritable = Callable[[int], None]


class StreamOutput:
    """A pipe, a socket or a device: whole items leave in order, and nothing comes back."""

    takes_partial = False
    in_turn = True

    def __init__(self, descriptor: int, wait_writable: WaitWritable, care: Care) -> None:
        """Write to `descriptor`; `wait_writable` is called when its reader is slow."""
        self.committed = self.resumed = 0
        self.notice: str | None = None
        self.digest = Digest(care.checksum)
        self._position = 0
        self._wait = wait_writable
        self._descriptor = _unblocked(descriptor)
        self._socket = _socket(self._descriptor)

    def offset_of(self, item: int) -> int:  # noqa: ARG002  (nothing is there already)
        """Where a stream begins."""
        return 0

    @property
    def examines(self) -> bool:
        """For a checksum."""
        return self.digest.wanted

    def write(self, data: memoryview) -> None:
        """Send bytes of a whole item. Raises OutputClosedError when the reader is gone."""
        while data:
            try:
                sent = self._send(data)
            except BlockingIOError:
                self._wait(self._descriptor)
                continue
            except (BrokenPipeError, ConnectionResetError) as error:
                raise OutputClosedError("The reader of the output went away") from error
            except OSError as error:
                raise storage_error("write", "the output stream", error) from error
            self._position += sent
            self.digest.update(data[:sent])
            data = data[sent:]

    def _send(self, data: memoryview) -> int:
        if self._socket is None:
            return os.write(self._descriptor, data)
        from socket import MSG_DONTWAIT  # noqa: PLC0415  (it is there by now)

        # For this write alone: the socket, too, is shared with whoever gave it to us.
        return self._socket.send(data, MSG_DONTWAIT)

    def commit(self, index: int) -> None:  # noqa: ARG002  (nothing is taken up in a stream)
        """What has been sent so far is whole items."""
        self.committed = self._position
        self.digest.commit()

    def rollback(self) -> None:
        """Nothing to take back: no part of an item was sent."""

    def reserve(self, size: int) -> None:
        """A stream needs no room."""

    def settle(self) -> None:
        """Everything is out. Raises StorageError: where it went may have put errors off."""
        try:
            settle(self._descriptor)
        except OSError as error:
            raise storage_error("write", "the output stream", error) from error

    def publish(self) -> None:
        """It has no name to be given."""

    def unpublish(self) -> None:
        """Nothing that left can be called back."""

    def close(self) -> None:
        """Close our end."""
        if self._socket is not None:
            self._socket.detach()
        close_quietly(self._descriptor)

    def discard(self) -> None:
        """Close our end."""
        self.close()


def _unblocked(descriptor: int) -> int:
    """A descriptor for the same pipe that never blocks.

    O_NONBLOCK belongs to the open file, which is shared with whoever gave it to us: opening the
    pipe once more makes it ours alone. What is no pipe stays as it is.
    """
    if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
        with suppress(OSError):
            own = os.open(f"/proc/self/fd/{descriptor}", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            os.close(descriptor)
            return own
    return descriptor


def _socket(descriptor: int) -> "socket | None":
    """The socket that it is, if it is one: programs in Node.js have those in the place of pipes."""
    if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
        return None
    from socket import socket  # noqa: PLC0415  (2 ms that few outputs need)

    return socket(fileno=descriptor)
