"""What the daemon tells systemd about itself: sd_notify(3), without a library.

A datagram for each message, to the socket that $NOTIFY_SOCKET names. Without one, nothing is said.
"""

import os
import socket
import time
from contextlib import suppress

#: How much sooner than systemd would lose patience a sign of life is sent.
_WATCHDOG_SHARE = 0.4


class Notifier:
    """Tells systemd, if it wants to hear."""

    def __init__(self) -> None:
        """Reads where and how often from the environment."""
        self._address = os.environ.get("NOTIFY_SOCKET", "")
        self._beats = _watchdog_seconds()
        self._next_beat = 0.0

    def ready(self) -> None:
        """The daemon serves."""
        self._send("READY=1")

    def status(self, text: str) -> None:
        """A line for `systemctl status`."""
        self._send(f"STATUS={text}")

    def reloading(self) -> None:
        """The configuration is being read; `ready` says that it has been."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self, seconds: float) -> None:
        """The daemon ends, and takes up to so many seconds for it."""
        self._send(f"STOPPING=1\nEXTEND_TIMEOUT_USEC={int(seconds * 1_000_000)}")

    def is_beat_due(self, now: float) -> bool:
        """Whether it is time for a sign of life."""
        return self._beats is not None and now >= self._next_beat

    def beat(self, now: float) -> None:
        """All parts of the daemon have answered."""
        if self._beats is not None:
            self._next_beat = now + self._beats * _WATCHDOG_SHARE
            self._send("WATCHDOG=1")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address[0] == "@" else self._address
        # Whoever does not listen any more cannot be told.
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            sock.sendto(message.encode(), address)


def _watchdog_seconds() -> float | None:
    """How often systemd wants a sign of life at least; None for never."""
    text, pid = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID", "")
    if not text.isdigit() or int(text) == 0 or (pid and pid != str(os.getpid())):
        return None
    return int(text) / 1_000_000
