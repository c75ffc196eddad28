"""On PYTHONPATH, it makes one loopback address a public one: tests have no other public host."""

from pipeline.net import addresses

PUBLIC = "127.0.0.1"

_judge = addresses.is_private


def is_private(address: str) -> bool:
    """As the real one judges, but for the one address."""
    return address != PUBLIC and _judge(address)


addresses.is_private = is_private
