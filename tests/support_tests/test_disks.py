from collections.abc import Callable

import pytest

from tests.support.disks import SmallDisk


def test_a_small_disk_runs_full(small_disk: Callable[[int], SmallDisk]) -> None:
    """It takes its size and no more, and has room again when the ballast goes."""
    disk = small_disk(1 << 20)
    ballast = disk.fill(leave=8192)
    (disk.path / "fits").write_bytes(bytes(4096))
    with pytest.raises(OSError, match="No space left"):
        (disk.path / "no").write_bytes(bytes(16384))

    ballast.unlink()
    (disk.path / "yes").write_bytes(bytes(1 << 19))

    assert (disk.path / "yes").stat().st_size == 1 << 19
