"""On PYTHONPATH, it makes one loopback address a public one: tests have no other public host.

And there are names for it, and for one that is as private as all others: tests have no other DNS.
"""

import socket
from itertools import count
from typing import Any

from pipeline.net import addresses

PUBLIC, PRIVATE = "127.0.0.1", "127.0.0.2"

#: What a name stands for when it is asked for the first time, and from then on.
NAMES = {
    "outside.test": (PUBLIC, PUBLIC),
    "inside.test": (PRIVATE, PRIVATE),
    "changing.test": (PUBLIC, PRIVATE),
}

_judge = addresses.is_private
_resolve = socket.getaddrinfo
_asked = {name: count() for name in NAMES}


def is_private(address: str) -> bool:
    """As the real one judges, but for the one address."""
    return address != PUBLIC and _judge(address)


def getaddrinfo(host: Any, *more: Any, **named: Any) -> Any:
    """As the real one resolves, but for the names above."""
    host = host.decode() if isinstance(host, bytes) else host
    if host in NAMES:
        host = NAMES[host][min(next(_asked[host]), 1)]
    return _resolve(host, *more, **named)


addresses.is_private = is_private
socket.getaddrinfo = getaddrinfo
