"""A child's sign of life: a thread that says `Alive` once a second.

It shows that the process runs at all. What its other threads are doing, each of them watches for
itself (`net.pace` has the deadlines of a body).
"""

import threading
import time

from pipeline.processes.channel import Sender
from pipeline.processes.messages import Alive
from pipeline.processes.scarcity import start_thread

BEAT_SECONDS = 1.0


def start_heart(reports: Sender) -> None:
    """Beat until the process ends, or nobody listens. Raises ScarcityError."""

    def beat() -> None:
        try:
            while True:
                time.sleep(BEAT_SECONDS)
                reports.send(Alive())
        except OSError:
            return

    start_thread(threading.Thread(target=beat, name="heart", daemon=True))
