"""Messages as bytes: one JSON array each, the kind's name and then its fields in order.

A child that handles hostile input can say nothing but messages, which a pickle would not guarantee.
"""

import json
from typing import Any

from pipeline.processes.messages import KINDS, Message


def encode(message: Message) -> bytes:
    """`message` as bytes."""
    return _ENCODER.encode([type(message).__name__, *message]).encode()


def decode(frame: bytes) -> Any:
    """The message in `frame`. Raises ValueError for what `encode` did not make."""
    try:
        name, *values = _DECODER.decode(frame.decode())
        return KINDS[name](*values)
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"not a message: {frame[:80]!r}") from error


def _as_hex(value: bytes) -> dict[str, str]:
    return {"hex": value.hex()}


def _from_hex(found: dict[str, str]) -> bytes:
    return bytes.fromhex(found["hex"])


# Made once: `json.dumps` and `json.loads` make one for each message that is not plain.
_ENCODER = json.JSONEncoder(default=_as_hex, separators=(",", ":"))
_DECODER = json.JSONDecoder(object_hook=_from_hex)
