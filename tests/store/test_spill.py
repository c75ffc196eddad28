import errno
import os

import pytest

from pipeline.errors import StorageError
from pipeline.store import spill
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


@pytest.mark.parametrize("size", [1, 4096, 8192, 8193, 20_000])
def test_file_is_mapped_a_window_at_a_time(area, size, monkeypatch):
    """However large it is: what is mapped counts as memory."""
    monkeypatch.setattr(spill, "_WINDOW", 4096)
    sizes = []

    class Recorder(FakeOutput):
        def write(self, data):
            sizes.append(len(data))
            super().write(data)

    content, file, output = os.urandom(size), area.create(0, 3), Recorder()
    append(area, file, content)
    area.write_to(file, output)

    assert output.data == content
    assert max(sizes) <= 4096


def test_file_that_is_cut_before_the_next_window(area, monkeypatch):
    """What cannot be mapped any more is missed when all has been read."""
    monkeypatch.setattr(spill, "_WINDOW", 4096)
    file = area.create(0, 0)
    append(area, file, b"x" * 20_000)
    with pytest.raises(StorageError, match="has 5000 bytes instead of the 20000"):
        area.write_to(file, Cleaner(file.path, 5000))


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


class Cleaner(FakeOutput):
    """An output during whose first write somebody cuts the segment file."""

    def __init__(self, path, size, **options):
        super().__init__(**options)
        self.path, self.size = path, size

    def write(self, data):
        if self.size is not None:
            os.truncate(self.path, self.size)
            self.size = None
        super().write(data)


@pytest.mark.parametrize("size", [5000, 4096, 0], ids=["within a page", "at a page", "all of it"])
def test_file_that_is_cut_while_it_is_written_out(area, size):
    """Even zeros that take the place of what is lost are noticed, and no signal ends the process.

    The kernel, which writes from the map, says EFAULT where a read of ours would be a SIGBUS.
    """
    file = area.create(0, 0)
    append(area, file, b"x" * 6000)
    with os.fdopen(os.memfd_create("output"), "r+b", buffering=0) as target:

        class Kernel(Cleaner):
            """An output that leaves the reading to the kernel, as a file does."""

            def write(self, data):
                os.truncate(self.path, self.size)
                try:
                    os.write(target.fileno(), data)
                except OSError as error:
                    raise StorageError(f"Cannot write the output: {error.strerror}") from error

        with pytest.raises(StorageError, match=f"{file.path} has {size} bytes instead of the 6000"):
            area.write_to(file, Kernel(file.path, size))


def test_output_that_looks_at_the_bytes_gets_no_map(area):
    """For a checksum they are read into memory: a file that is cut then is an error, too."""
    file = area.create(0, 0)
    append(area, file, b"x" * 700_000)
    output = Cleaner(file.path, 300_000, examines=True)
    with pytest.raises(StorageError, match="has 300000 bytes instead of the 700000"):
        area.write_to(file, output)


@pytest.mark.parametrize("size", [1, 256 * 1024, 700_000], ids=["one byte", "a piece", "several"])
def test_file_is_read_where_it_cannot_be_mapped(area, size, monkeypatch):
    """Without address space, or on a file system that has no maps, the bytes are the same."""

    def refuse(*_, **__):
        raise OSError(errno.ENODEV, "No such device")

    data = os.urandom(size)
    file, output = area.create(0, 0), FakeOutput()
    append(area, file, data)
    monkeypatch.setattr(spill.mmap, "mmap", refuse)
    area.write_to(file, output)

    assert output.data == data


def test_file_that_defies_its_removal(area, monkeypatch):
    """It goes with the directory; a later try of the item does not begin behind what it left."""

    def refuse(*_, **__):
        raise OSError(errno.EIO, "Input/output error")

    file = area.create(0, 0)
    append(area, file, b"a failed try")
    with monkeypatch.context() as patch:
        patch.setattr(spill.Path, "unlink", refuse)
        area.delete(file)
    again, output = area.create(0, 0), FakeOutput()
    append(area, again, b"right")
    area.write_to(again, output)

    assert output.data == b"right"


def test_full_disk_comes_with_advice(area, monkeypatch):
    """The file is named, and the option that avoids this disk."""

    def refuse(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    file = area.create(0, 0)
    monkeypatch.setattr(spill, "write_all", refuse)
    with pytest.raises(StorageError, match=r"segment_000000\.ts: No space .*--temp-dir"):
        append(area, file, b"x")


def test_directory_that_cannot_be_removed(area):
    """What stays is said."""
    path = area.open().path
    (path / "of somebody").mkdir()
    with pytest.raises(StorageError, match=f"Cannot remove {path}: "):
        area.close()

    assert path.exists()


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
