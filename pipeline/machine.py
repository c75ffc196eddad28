"""What this machine, or the container around this process, really grants: CPUs and memory.

Reads the cgroup of this process and all above it (v2, then v1): a systemd unit with CPUQuota or a
container has less than the machine shows.
"""

import math
import os
from collections.abc import Iterator
from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup")
_OWN_CGROUP = Path("/proc/self/cgroup")


def usable_cpus(root: Path = _CGROUPS, own: Path = _OWN_CGROUP) -> int:
    """CPUs by affinity, or fewer where a cgroup grants less CPU time; at least 1."""
    shares = [share for folder in _folders(root, own, "cpu") if (share := _cpu_share(folder))]
    return max(1, min([_affinity(), *map(math.ceil, shares)]))


def memory_limit(root: Path = _CGROUPS, own: Path = _OWN_CGROUP) -> int | None:
    """Bytes of memory that the cgroups grant, or None for no limit."""
    names = ("memory.max", "memory.limit_in_bytes")
    found = [_number(folder / name) for folder in _folders(root, own, "memory") for name in names]
    return min((limit for limit in found if limit is not None), default=None)


def _affinity() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _folders(root: Path, own: Path, controller: str) -> Iterator[Path]:
    """The folders of this process's cgroups and of those above them."""
    for line in (_read(own) or "").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        base = root / controller if controllers else root
        inner = base / path.lstrip("/")
        yield from (inner, *(parent for parent in inner.parents if parent.is_relative_to(base)))


def _cpu_share(folder: Path) -> float | None:
    """CPUs' worth of time granted here, or None for no limit."""
    if (text := _read(folder / "cpu.max")) is not None:
        quota, period = text.split()
    else:
        quota = _read(folder / "cpu.cfs_quota_us") or "max"
        period = _read(folder / "cpu.cfs_period_us") or "0"
    if not quota.isdigit() or not int(period):
        return None  # "max", or -1
    return int(quota) / int(period)


def _number(path: Path) -> int | None:
    text = _read(path)
    return int(text) if text is not None and text.isdigit() else None


def _read(path: Path) -> str | None:
    try:
        return path.read_text().strip()
    except OSError:
        return None
