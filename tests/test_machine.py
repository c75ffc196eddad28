"""What cgroups grant."""

from pathlib import Path

from pipeline.machine import memory_limit, usable_cpus


def write(path: Path, text: str) -> None:
    """A file with its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def own(tmp_path: Path, text: str) -> Path:
    """What /proc/self/cgroup says."""
    write(tmp_path / "own", text)
    return tmp_path / "own"


def test_version_2_limits_hold_at_every_level(tmp_path: Path) -> None:
    """A unit's quota counts, and so does that of the slice around it."""
    root = tmp_path / "cgroup"
    write(root / "a" / "cpu.max", "150000 100000\n")
    write(root / "a" / "b" / "cpu.max", "max 100000\n")
    write(root / "a" / "b" / "memory.max", "max\n")
    write(root / "a" / "memory.max", "1000000\n")
    found = own(tmp_path, "0::/a/b\n")

    assert usable_cpus(root, found) <= 2
    assert memory_limit(root, found) == 1_000_000


def test_version_1_limits_count(tmp_path: Path) -> None:
    """Each controller has a hierarchy of its own."""
    root = tmp_path / "cgroup"
    write(root / "cpu" / "x" / "cpu.cfs_quota_us", "50000\n")
    write(root / "cpu" / "x" / "cpu.cfs_period_us", "100000\n")
    write(root / "memory" / "x" / "memory.limit_in_bytes", "2000\n")
    found = own(tmp_path, "4:memory:/x\n3:cpu,cpuacct:/x\n")

    # cpu,cpuacct is mounted as cpu, which is the name that is looked for.
    assert usable_cpus(root, found) == 1
    assert memory_limit(root, found) == 2000


def test_without_cgroups_there_is_no_limit(tmp_path: Path) -> None:
    """Nor where they cannot be read."""
    assert memory_limit(tmp_path, tmp_path / "absent") is None
    assert usable_cpus(tmp_path, tmp_path / "absent") >= 1
