"""Signals to the supervisor: noted by a handler that does nothing else, seen by its one wait."""

import os
import signal
import threading
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Any, Self

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

#: What a terminal, a service manager or `kill` may send to the whole group. A child starts with
#: these blocked and then ignores them (`child.enter`): the supervisor alone decides what they mean.
GROUP_SIGNALS = (*STOP_SIGNALS, signal.SIGQUIT)


class SignalWatch:
    """While entered, notes SIGINT, SIGTERM and SIGHUP instead of dying of them.

    In the main thread only, where Python allows it; elsewhere it stays silent, and the program
    around us decides. So it does for a signal that is ignored (nohup) or that the program handles
    itself; handlers of ours (`pipeline.cli`) and Python's defaults are replaced for the time.
    """

    def __init__(self) -> None:
        """Nothing is changed before `with`."""
        self.received: list[int] = []
        self._reading, self._writing = -1, -1
        self._previous: dict[signal.Signals, Any] = {}
        self._previous_wakeup = -1

    def __enter__(self) -> Self:
        self._reading, self._writing = os.pipe()
        os.set_blocking(self._reading, False)
        os.set_blocking(self._writing, False)
        if threading.current_thread() is threading.main_thread():
            self._previous_wakeup = signal.set_wakeup_fd(self._writing, warn_on_full_buffer=False)
            for number in STOP_SIGNALS:
                if _ours_to_take(signal.getsignal(number)):
                    self._previous[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        if threading.current_thread() is threading.main_thread():
            signal.set_wakeup_fd(self._previous_wakeup)
        os.close(self._reading)
        os.close(self._writing)

    def fileno(self) -> int:
        """Readable when a signal has come."""
        return self._reading

    def wake(self) -> None:
        """End the wait that `fileno` is part of, from any thread."""
        with suppress(BlockingIOError):  # it is full: that wait ends anyway
            os.write(self._writing, b"\0")

    def clear(self) -> None:
        """Empty the wake-up pipe; `received` keeps what came."""
        with suppress(BlockingIOError):
            os.read(self._reading, 64)

    def _note(self, number: int, _: FrameType | None) -> None:
        self.received.append(number)


def _ours_to_take(handler: Any) -> bool:
    if handler in (signal.SIG_DFL, signal.default_int_handler):
        return True
    return str(getattr(handler, "__module__", "")).startswith("pipeline.")
