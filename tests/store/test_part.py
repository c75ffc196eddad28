import fcntl
import os

import pytest

from pipeline.errors import OutputBusyError, StorageError
from pipeline.store.part import journal_path, open_locked, part_path, refuse_busy, remove_part
from tests.support.leaks import Descriptors
from tests.support.tripwire import Tripwire


@pytest.fixture
def part(tmp_path):
    """Where the `.part` is."""
    return part_path(tmp_path / "video.ts")


def test_part_is_locked(part):
    """Another run is refused, in words, for as long as it is held."""
    descriptor = open_locked(part)
    before = Descriptors.take()
    with pytest.raises(OutputBusyError, match="Another run is writing"):
        open_locked(part)

    assert Descriptors.take().since(before) == []
    os.close(descriptor)
    os.close(open_locked(part))


def test_part_that_was_published_meanwhile(part, monkeypatch):
    """A lock on a file that has lost its name is worth nothing: the new one is taken."""
    lock_really = fcntl.flock

    def flock(descriptor, operation):
        if part.exists() and not part.with_name("video.ts").exists():
            part.rename(part.with_name("video.ts"))
        lock_really(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", flock)
    descriptor = open_locked(part)

    assert os.fstat(descriptor).st_ino == part.stat().st_ino
    os.close(descriptor)


@pytest.mark.parametrize("data", [b"", b"kept"], ids=["made just now", "of an earlier run"])
def test_file_system_without_locks(part, data):
    """An error in words; a `.part` that we have just made goes, one with bytes in it stays."""
    if data:
        part.write_bytes(data)
    with (
        Tripwire("flock", 1, "ENOLCK", persistent=True).set_up(),
        pytest.raises(StorageError, match=f"Cannot lock {part}: No locks available"),
    ):
        open_locked(part)

    assert part.exists() == bool(data)


def test_look_on_a_file_system_without_locks(part, tmp_path):
    """Looking whether an output is in use is not what fails."""
    part.touch()
    with Tripwire("flock", 1, "ENOLCK").set_up():
        refuse_busy(tmp_path / "video.ts")

    assert part.exists()


def test_part_in_use_is_not_removed(part, tmp_path):
    """Cleaning up after a dead process spares the files of a living one."""
    journal_path(part).touch()
    descriptor = open_locked(part)
    remove_part(tmp_path / "video.ts")
    assert part.exists()
    os.close(descriptor)
    remove_part(tmp_path / "video.ts")

    assert list(tmp_path.iterdir()) == []
