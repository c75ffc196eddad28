"""What a run takes of this machine: less than was asked for, where a container grants little."""

from dataclasses import replace

from pipeline.events import Warned
from pipeline.options import StorageOptions
from pipeline.processes.account import Listener
from pipeline.units import format_mb

#: The part of a container's memory that segments may fill: as much again is the arena's (`arena`),
#: and what is left is for the processes themselves, 70 MB on Linux.
SHARE = 4


def within_means(
    options: StorageOptions, limit: int | None, listener: Listener | None
) -> StorageOptions:
    """`options` with a threshold that `limit` bytes of memory allow; says so if it is another.

    Who asks for no threshold at all gets none.
    """
    asked = options.memory_threshold
    if limit is None or asked is None or asked <= limit // SHARE:
        return options
    threshold = limit // SHARE
    if listener is not None:
        granted, early = format_mb(limit), format_mb(threshold)
        listener(Warned(f"{granted} of memory are granted here: storage goes to disk at {early}"))
    return replace(options, memory_threshold=threshold)
