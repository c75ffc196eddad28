"""The sockets that the API is served on, and the lock that keeps a second daemon away."""

import fcntl
import os
import socket
from contextlib import suppress
from pathlib import Path

from pipeline.errors import AlreadyRunningError, NetworkError, StorageError

#: Owner and group: who may submit jobs is a question of the socket's group.
_SOCKET_MODE = 0o660
_DIRECTORY_MODE = 0o750


def lock(state_dir: Path) -> int:
    """A descriptor that says, for as long as it is open, that this daemon has the directory.

    Raises AlreadyRunningError or StorageError.
    """
    path = state_dir / "lock"
    try:
        state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StorageError(
            f"The state directory {state_dir} cannot be used: {error.strerror}"
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise AlreadyRunningError(f"Another daemon has the state directory {state_dir}") from error
    return descriptor


def listen_unix(path: Path) -> socket.socket:
    """A socket at `path`, in the place of one that a daemon left which is gone.

    Raises AlreadyRunningError or StorageError.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        path.parent.mkdir(mode=_DIRECTORY_MODE, parents=True, exist_ok=True)
        _remove_stale(path)
        # Nobody may connect between the two calls who may not do so after them.
        before = os.umask(0o777 & ~_SOCKET_MODE)
        try:
            listener.bind(str(path))
        finally:
            os.umask(before)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise StorageError(
            f"The socket {path} cannot be made: {error.strerror or error}"
        ) from error
    except BaseException:
        listener.close()
        raise
    return listener


def _remove_stale(path: Path) -> None:
    """Remove the socket of a daemon that is gone. What is no socket is left alone."""
    if not path.is_socket():
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except FileNotFoundError:
            return
        except ConnectionRefusedError:
            with suppress(FileNotFoundError):
                path.unlink()
            return
    raise AlreadyRunningError(f"Another daemon listens on {path}")


def listen_tcp(host: str, port: int) -> socket.socket:
    """A socket for that address. Raises NetworkError."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise NetworkError(f"{host} is no address to listen on: {error.strerror}") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise NetworkError(f"Cannot listen on {host}:{port}: {error.strerror}") from error
    return listener
