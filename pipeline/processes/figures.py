"""How much memory the run takes: the proportional set size of all its processes together."""

import os
from collections.abc import Iterable

#: Seconds between two samples. One takes 0.4 ms for a small process, more for one that has mapped
#: the arena: the kernel walks its page tables.
SAMPLE_SECONDS = 0.5


class MemoryGauge:
    """The highest total seen; None where the system does not tell (macOS without rights)."""

    def __init__(self) -> None:
        """psutil is imported with the first sample: the start-up does not pay for it."""
        self.peak: int | None = None
        self._due = 0.0

    def sample(self, children: Iterable[int], now: float, force: bool = False) -> None:
        """Measure this process and `children`, if it is time."""
        if not force and now < self._due:
            return
        self._due = now + SAMPLE_SECONDS
        sizes = [_pss(pid) for pid in (os.getpid(), *children)]
        known = [size for size in sizes if size is not None]
        if known:
            self.peak = max(self.peak or 0, sum(known))


def _pss(pid: int) -> int | None:
    import psutil  # noqa: PLC0415  (18 ms)

    try:
        return getattr(psutil.Process(pid).memory_full_info(), "pss", None)
    except (psutil.Error, OSError):
        return None
