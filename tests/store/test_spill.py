import os

import pytest

from pipeline.errors import StorageError
from pipeline.store.spill import SpillArea
from pipeline.store.tempdir import Place
from tests.store.fakes import FakeOutput, spill_area


@pytest.fixture
def area(tmp_path):
    """An area below tmp_path."""
    found = spill_area(tmp_path)
    yield found
    found.close()


def append(area, file, *parts):
    """Write parts to a segment file."""
    area.append(file, [memoryview(part) for part in parts])


def test_directory_is_made_when_the_first_file_is(tmp_path):
    """A download that stays in memory leaves the disk alone; one that does not says where it is."""
    heard = []
    area = SpillArea(lambda: Place(tmp_path, "because"), lambda *facts: heard.append(facts))
    assert list(tmp_path.iterdir()) == []
    area.create(0, 0)
    area.create(0, 1)

    assert heard == [(area.path, "because")]
    assert area.close() == heard[0][0]
    assert list(tmp_path.iterdir()) == []


def test_closing_an_area_that_was_never_used(tmp_path):
    """Nothing was made, nothing is removed."""
    assert spill_area(tmp_path).close() is None


def test_file_grows_and_is_written_in_order(area):
    """A file's bytes are what was appended, in order."""
    file, output = area.create(0, 3), FakeOutput()
    append(area, file, b"one", b"", b"two")
    append(area, file, b"three")
    area.write_to(file, output)

    assert output.data == b"onetwothree"
    assert file.size == 11


def test_empty_file_is_written_as_nothing(area):
    """An empty item has no bytes, and no map."""
    file, output = area.create(0, 0), FakeOutput()
    area.write_to(file, output)
    append(area, file, b"")
    area.write_to(file, output)
    area.delete(file)

    assert output.data == b""


def test_room_is_accounted_for(area):
    """What is in files now, was at most, and ever went there."""
    files = [area.create(0, index) for index in range(2)]
    append(area, files[0], b"12345")
    append(area, files[1], b"123")
    area.delete(files[0])
    append(area, files[1], b"4")

    assert (area.bytes, area.peak_bytes, area.spilled_bytes) == (4, 8, 9)


@pytest.mark.parametrize("size", [3, 7], ids=["cut", "grown"])
def test_file_that_somebody_changed(area, size):
    """A file of another size than was written is an error, not a crash of the process."""
    file = area.create(0, 0)
    append(area, file, b"12345")
    os.truncate(file.path, size)
    with pytest.raises(StorageError, match=f"has {size} bytes instead of the 5"):
        area.write_to(file, FakeOutput())


def test_file_that_somebody_removed(area):
    """A file that is gone is an error in words."""
    file = area.create(0, 0)
    append(area, file, b"12345")
    file.path.unlink()
    with pytest.raises(StorageError, match="Cannot read"):
        area.write_to(file, FakeOutput())


def test_directory_that_somebody_removed(area, tmp_path):
    """Without its directory a file cannot be written."""
    file = area.create(0, 0)
    area.path.rename(tmp_path / "elsewhere")
    with pytest.raises(StorageError, match="Cannot write"):
        append(area, file, b"x")


def test_no_place(tmp_path):
    """A temp directory that cannot be made is an error in words."""
    with pytest.raises(StorageError, match="Cannot make a temp directory"):
        spill_area(tmp_path / "absent").create(0, 0)


def test_files_that_are_kept(area):
    """The user's wish: the files stay."""
    append(area, area.create(0, 0), b"x")
    kept = area.close(keep=True)

    assert [path.name for path in kept.iterdir()] == ["segment_000000.ts"]
