"""Names of hosts to addresses, with a deadline.

The system's resolver has no timeout of its own that a program could set, and a thread that is in it
cannot be called back: it is asked in a thread that nobody waits for longer than for the server.
"""

import errno
import queue
import socket
import threading
from collections.abc import Sequence
from typing import Any

_Address = tuple[int, int, int, str, tuple[Any, ...]]
_Answer = Sequence[_Address] | OSError


def resolve(host: str, port: int, timeout: float) -> Sequence[_Address]:
    """The addresses of `host`, in the order of the system. Raises OSError."""
    try:
        return _ask(host, port, socket.AI_NUMERICHOST)
    except socket.gaierror:
        pass  # a name, and no address
    answers: queue.SimpleQueue[_Answer] = queue.SimpleQueue()
    asking = (host, port, answers)
    thread = threading.Thread(target=_answer, args=asking, name="resolver", daemon=True)
    try:
        thread.start()
    except RuntimeError as error:
        raise OSError(errno.EAGAIN, "no thread is left to resolve the name in") from error
    try:
        answer = answers.get(timeout=timeout)
    except queue.Empty:
        raise TimeoutError("the resolver does not answer") from None
    if isinstance(answer, OSError):
        raise answer
    return answer


def _answer(host: str, port: int, answers: "queue.SimpleQueue[_Answer]") -> None:
    try:
        answers.put(_ask(host, port, 0))
    except OSError as error:
        answers.put(error)


def _ask(host: str, port: int, flags: int) -> Sequence[_Address]:
    # As bytes where that is the same: for text Python loads the tables of international names.
    name = host.encode() if host.isascii() else host
    try:
        return socket.getaddrinfo(name, port, type=socket.SOCK_STREAM, flags=flags)
    except UnicodeError as error:  # a part of the name is empty, or longer than names can be
        raise socket.gaierror(socket.EAI_NONAME, "no name of a host") from error
