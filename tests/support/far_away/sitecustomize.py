"""On PYTHONPATH, it puts every server a long way off, as far as the program can tell.

Nothing is delayed. What is done over long lines alone is done on loopback then, against servers
that misbehave: asking for a segment while the last one is still coming (`pipeline.net.ahead`).
"""

import socket

from pipeline.net import connect

#: Seconds that each handshake is said to have taken.
ROUND_TRIP = 0.05


def round_trip(_sock: socket.socket) -> float:
    """A long way."""
    return ROUND_TRIP


connect._round_trip = round_trip
