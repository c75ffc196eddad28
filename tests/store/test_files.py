import errno
import fcntl
import os

import pytest

from pipeline.store import files
from pipeline.store.files import (
    UnsyncedError,
    free_bytes,
    is_still,
    remove_all,
    rename_synced,
    reserve,
    settle,
    storage_error,
    sync,
    write_all,
)
from tests.support.tripwire import Tripwire


def test_short_writes_are_carried_on(monkeypatch):
    """A write that takes part of the bytes is followed by one of the rest."""
    written = bytearray()

    def write(_, data):
        written.extend(data[:3])
        return min(3, len(data))

    monkeypatch.setattr(files.os, "write", write)

    assert write_all(0, b"1234567890") == 10
    assert written == b"1234567890"


def test_writing_nothing(tmp_path):
    """No bytes are no error."""
    with (tmp_path / "file").open("wb") as file:
        assert write_all(file.fileno(), b"") == 0


def test_error_half_way(monkeypatch):
    """A disk that is full after a short write is an error."""
    answers = iter([3, OSError(errno.ENOSPC, "full")])

    def write(*_):
        answer = next(answers)
        if isinstance(answer, OSError):
            raise answer
        return answer

    monkeypatch.setattr(files.os, "write", write)
    with pytest.raises(OSError, match="full"):
        write_all(0, b"1234567890")


def test_reserved_room_is_the_file_s(tmp_path):
    """A file has the size that was reserved; nothing is reserved for nothing."""
    with (tmp_path / "file").open("wb") as file:
        reserve(file.fileno(), 0)
        assert os.fstat(file.fileno()).st_size == 0
        reserve(file.fileno(), 4096)

        assert os.fstat(file.fileno()).st_size == 4096


def test_file_of_a_name(tmp_path):
    """A descriptor is the file of its name until that is removed or replaced."""
    path = tmp_path / "file"
    with path.open("wb") as file:
        found = [is_still(path, file.fileno())]
        path.unlink()
        found.append(is_still(path, file.fileno()))
        path.touch()
        found.append(is_still(path, file.fileno()))

    assert found == [True, False, False]


def test_directory_is_synced(tmp_path, monkeypatch):
    """A new name is on the disk: the directory is synced, and its descriptor closed."""
    synced = []
    monkeypatch.setattr(files.os, "fsync", synced.append)
    (tmp_path / "old").touch()
    rename_synced(tmp_path / "old", tmp_path / "new")

    assert [path.name for path in tmp_path.iterdir()] == ["new"]
    assert len(synced) == 1
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(synced[0])


def test_free_bytes_are_what_the_system_says(tmp_path):
    """A disk has some room."""
    assert free_bytes(tmp_path) > 0


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device"),
        (OSError("odd"), "odd"),
    ],
    ids=["of the system", "of Python"],
)
def test_error_is_a_sentence(error, text):
    """What could not be done, where, and why."""
    assert str(storage_error("write", "/a/b", error)) == f"Cannot write /a/b: {text}"


@pytest.mark.parametrize("number", [errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL])
def test_file_system_that_cannot_reserve(number, tmp_path, monkeypatch):
    """Room is then found out about by writing."""

    def refuse(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(files.os, "posix_fallocate", refuse)
    with (tmp_path / "file").open("wb") as file:
        reserve(file.fileno(), 4096)

        assert os.fstat(file.fileno()).st_size == 0


def test_settling_keeps_the_lock(tmp_path):
    """What a close puts off is heard of, and the file is still open and locked."""
    path = tmp_path / "file"
    with path.open("wb") as file, path.open("rb") as other:
        fcntl.flock(file, fcntl.LOCK_EX)
        settle(file.fileno())
        file.write(b"x")
        with pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


@pytest.mark.parametrize(
    ("op", "call"), [("close", settle), ("fsync", sync)], ids=["close", "fsync"]
)
def test_errors_that_were_put_off(op, call, tmp_path):
    """After one of these, reading the bytes back proves nothing: the class says so."""
    with (
        (tmp_path / "file").open("wb") as file,
        Tripwire(op, 1, "EIO").set_up(),
        pytest.raises(UnsyncedError, match="Input/output error"),
    ):
        call(file.fileno())


def test_name_that_is_not_on_the_disk_is_taken_back(tmp_path):
    """A rename whose directory cannot be synced has not happened."""
    (tmp_path / "old").touch()
    with Tripwire("fsync", 1, "EIO").set_up(), pytest.raises(OSError, match="Input/output"):
        rename_synced(tmp_path / "old", tmp_path / "new")

    assert [path.name for path in tmp_path.iterdir()] == ["old"]


def test_removing_goes_on_after_an_error(tmp_path):
    """Each file is tried, and the first error is the one that is raised."""
    paths = [tmp_path / name for name in ("absent", "a", "b", "c")]
    for path in paths[1:]:
        path.touch()
    with Tripwire("unlink", 2, "EIO").set_up(), pytest.raises(OSError, match="Input/output"):
        remove_all(paths)

    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_errors_that_are_expected_are_passed_over(tmp_path):
    """A directory among files, say."""
    (tmp_path / "directory").mkdir()
    (tmp_path / "file").touch()
    remove_all(sorted(tmp_path.iterdir()), but_for=(IsADirectoryError,))

    assert [path.name for path in tmp_path.iterdir()] == ["directory"]
