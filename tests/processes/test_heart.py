"""What a child says while nothing else is to be said."""

import os
import select

from pipeline.processes.channel import Receiver, Sender
from pipeline.processes.heart import start_heart
from pipeline.processes.messages import Alive


def test_a_figure_that_grows_is_told():
    """Each figure once, and the last of them again and again: that is the sign of life."""
    reading, writing = os.pipe()
    receiver, figures = Receiver(reading), [0, 5, 5, 5, 9]
    start_heart(Sender(writing), lambda: Alive(figures.pop(0) if len(figures) > 1 else figures[0]))

    heard = []
    while len(heard) < 3:
        assert select.select([receiver], [], [], 10)[0]
        heard += receiver.receive()
    receiver.close()  # which ends it

    assert heard[:3] == [Alive(5), Alive(9), Alive(9)]
