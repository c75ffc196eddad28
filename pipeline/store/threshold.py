"""When storage leaves memory: the threshold counter, its one-way switch, and the spill marks.

Decisions only. `Threshold` counts every stored payload byte and says once that the limit is
reached; `SpillPolicy` says how many blocks must leave the arena. What then moves where is
decided by `segments`, and done by the storage process.
"""

from dataclasses import dataclass

from pipeline.machine import memory_limit
from pipeline.units import GIB, MIB


class Threshold:
    """The counter of stored payload bytes, and the switch memory -> disk that it trips once."""

    def __init__(self, limit: int | None) -> None:
        """`limit` in bytes; None never switches."""
        self.limit = limit
        self.stored = 0
        self.switched_at: int | None = None

    @property
    def mode(self) -> str:
        """Where segments are kept now: "memory" or "disk"."""
        return "memory" if self.switched_at is None else "disk"

    def add(self, size: int) -> bool:
        """Count `size` more bytes (fewer, if negative); True when this is what trips the switch."""
        self.stored += size
        return self.limit is not None and self.stored >= self.limit and self.trip()

    def trip(self) -> bool:
        """Leave memory now, whatever the limit; True if it had not been left before."""
        if self.switched_at is not None:
            return False
        self.switched_at = self.stored
        return True


@dataclass(frozen=True, slots=True)
class SpillPolicy:
    """How many blocks out-of-turn segments may hold in one partition of the arena.

    Two marks, so that storage does not spill one block at a time: nothing happens up to `high`,
    and above it blocks are freed down to `low`.
    """

    high: int
    low: int

    @classmethod
    def for_partition(cls, blocks: int, reserved: int) -> "SpillPolicy":
        """Marks that leave `reserved` blocks for segments in flight, whatever is waiting."""
        high = max(blocks - reserved, 0)
        return cls(high=high, low=high * 2 // 3)

    def excess(self, held: int) -> int:
        """Blocks to free now, of `held` that are waiting out of turn."""
        return held - self.low if held > self.high else 0


def automatic_threshold() -> int:
    """The threshold in bytes that suits the memory of this machine, or of its container."""
    # Imported here: only `--memory-threshold auto` needs it, and it costs 18 ms.
    import psutil  # noqa: PLC0415

    total = psutil.virtual_memory().total
    return threshold_for(min(total, memory_limit() or total))


def threshold_for(memory: int) -> int:
    """The threshold in bytes for `memory` bytes of it."""
    if memory <= 4 * GIB:
        return 25 * MIB
    if memory < 32 * GIB:
        return 50 * MIB
    return 200 * MIB
