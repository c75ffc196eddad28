"""What the system may refuse at any moment: memory, processes, threads, descriptors.

Such a refusal is the user's business (a limit, a machine that is full) and no bug of ours: it ends
a run with a `ScarcityError` and not as an internal error.
"""

import errno
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.errors import HlspipeError, ScarcityError

#: What a refusal looks like.
_REFUSALS = {errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.ENOBUFS}

NO_MEMORY = "the system has no memory left"


@contextmanager
def needed_to(action: str) -> Iterator[None]:
    """What is asked of the system in here is needed to `action`. Raises ScarcityError."""
    try:
        yield
    except OSError as error:
        raise ScarcityError(f"Cannot {action}: {error.strerror or error}") from error
    except MemoryError as error:
        raise ScarcityError(f"Cannot {action}: {NO_MEMORY}") from error


def start_thread(thread: threading.Thread) -> None:
    """Start a thread. Raises ScarcityError."""
    try:
        thread.start()
    except RuntimeError as error:
        raise ScarcityError(
            "Cannot start a thread: the system has no memory, or no process, left"
        ) from error


def as_scarcity(error: BaseException, where: str) -> HlspipeError | None:
    """The `ScarcityError` that `error`, met by the process `where`, amounts to; None if to none."""
    if isinstance(error, HlspipeError):
        return error
    if isinstance(error, MemoryError):
        return ScarcityError(f"The {where} process cannot go on: {NO_MEMORY}")
    if isinstance(error, OSError) and error.errno in _REFUSALS:
        return ScarcityError(f"The {where} process cannot go on: {os.strerror(error.errno)}")
    return None
