"""Whether work grows with its input, and not with its square: by CPU time, and by ratio alone."""

import time
from collections.abc import Callable

#: What four times the input may take: four times as long, with what other programs do to caches.
#: Sixteen times is what this is about.
_TIMES = 12

#: Seconds that a clock and a garbage collection may be off.
_SLACK = 0.1


def check_linear(work: Callable[[int], object], size: int) -> None:
    """`work(4 * size)` takes about four times as long as `work(size)`, and not sixteen."""
    once, four_times = _cpu_seconds(work, size), _cpu_seconds(work, 4 * size)
    assert four_times < _TIMES * once + _SLACK


def _cpu_seconds(work: Callable[[int], object], size: int) -> float:
    before = time.process_time()
    work(size)
    return time.process_time() - before
