import errno
import os

import pytest

from pipeline.store import files
from pipeline.store.files import (
    free_bytes,
    is_still,
    reserve,
    storage_error,
    sync_directory,
    write_all,
)


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
    """The directory itself is synced, and its descriptor closed."""
    synced = []
    monkeypatch.setattr(files.os, "fsync", synced.append)
    sync_directory(tmp_path)

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
