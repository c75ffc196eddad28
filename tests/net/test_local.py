"""Files in the place of answers."""

import os
from pathlib import Path

import pytest

from pipeline.net.failure import FetchFailure, Patience
from pipeline.net.local import is_local, open_local, read_local


def test_all_of_it_or_a_part(tmp_path: Path) -> None:
    """By path, and by URL."""
    path = tmp_path / "a b.ts"
    path.write_bytes(b"0123456789")

    assert read_local(str(path), 100) == b"0123456789"
    assert read_local(path.as_uri(), 100, (2, 3)) == b"234"
    with open_local(str(path)) as body:
        assert body.readinto(memoryview(bytearray(4))) == 4
        assert not body.ended


def test_more_than_there_is(tmp_path: Path) -> None:
    """A range that the file does not have is no shorter one."""
    path = tmp_path / "a.ts"
    path.write_bytes(b"0123456789")

    with pytest.raises(FetchFailure, match="too short"):
        read_local(str(path), 100, (5, 10))


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir], ids=["named pipe", "directory"])
def test_what_is_no_file(make, tmp_path: Path) -> None:
    """A pipe that nobody writes to is not waited for."""
    make(tmp_path / "a.ts")

    with pytest.raises(FetchFailure) as caught:
        read_local(str(tmp_path / "a.ts"), 100)
    assert caught.value.patience is Patience.NEVER


@pytest.mark.parametrize("url", ["a.ts", "/a.ts", "file:///a.ts", "FILE:///a.ts"])
def test_local_urls(url: str) -> None:
    """Paths and file URLs; nothing else is."""
    assert is_local(url)
    assert not is_local(f"http://host/{url}")
