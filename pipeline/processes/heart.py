"""A child's sign of life: a thread that says `Alive` once a second, and oftener with news.

It shows that the process runs at all. What its other threads are doing, each of them watches for
itself (`net.pace` has the deadlines of a body).
"""

import threading
import time
from collections.abc import Callable

from pipeline.processes.channel import Sender
from pipeline.processes.messages import Alive
from pipeline.processes.scarcity import start_thread

BEAT_SECONDS = 1.0

#: Seconds after which a figure that has changed is told: twice in each window of `tuning`.
_NEWS_SECONDS = 0.1


def start_heart(reports: Sender, news: Callable[[], Alive] | None = None) -> None:
    """Beat until the process ends, or nobody listens. Raises ScarcityError.

    `news`: what is said, as soon as it is something else.
    """

    def beat() -> None:
        told, last = Alive(), time.monotonic()
        try:
            while True:
                time.sleep(_NEWS_SECONDS if news else BEAT_SECONDS)
                found = news() if news else told
                if found != told or time.monotonic() - last >= BEAT_SECONDS:
                    reports.send(found)
                    told, last = found, time.monotonic()
        except OSError:
            return

    start_thread(threading.Thread(target=beat, name="heart", daemon=True))
