"""Streams that FFmpeg finds while it reads: MPEG-TS with another program map, and no word of it.

PyAV lists what was there when a file was opened, and says nothing of others (up to version 18 it
trips over them at the end). FFmpeg's description of what it has read is the one place that does.
"""

import re
from typing import Any

import av

_KINDS = ("video", "audio", "subtitle")

#: One of these streams in FFmpeg's description.
_DESCRIBED = re.compile(rf"^ *Stream #.*: ({'|'.join(_KINDS)}): ", re.MULTILINE | re.IGNORECASE)


def has_latecomers(container: Any) -> bool:
    """Whether there are more streams now than `container`, an input, had when it was opened."""
    known = sum(stream.type in _KINDS for stream in container.streams)
    return len(_DESCRIBED.findall(_description(container))) > known


def _description(container: Any) -> str:
    """It goes the way of log messages, which are off in general."""
    level = av.logging.get_level()
    av.logging.set_level(av.logging.INFO)
    try:
        return str(container.dumps_format())
    finally:
        av.logging.set_level(level)
