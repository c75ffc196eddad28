"""Errors of the output that come late: when it is synced, closed, renamed or removed."""

import os

import pytest

from pipeline.errors import OutputExistsError, StorageError
from pipeline.store.care import Care
from pipeline.store.file_output import FileOutput
from pipeline.store.part import journal_path, part_path
from pipeline.store.stream_output import StreamOutput
from tests.store.outputs import no_wait, publish, put
from tests.support.tripwire import Tripwire


@pytest.fixture
def path(tmp_path):
    """Where the output goes."""
    return tmp_path / "video.ts"


def names(path):
    """What there is beside the output, and it."""
    return sorted(entry.name for entry in path.parent.iterdir())


@pytest.mark.parametrize("op", ["fsync", "close", "ftruncate", "rename"])
def test_failed_output_has_no_name(path, op):
    """Whatever step of completing it fails, the output is not there, and nothing is left."""
    output = FileOutput(path, Care(fsync=True))
    put(output, 0, b"all of it")
    with Tripwire(op, 1, "EIO").set_up(), pytest.raises(StorageError, match="Input/output"):
        publish(output)
    output.discard()

    assert names(path) == []


def test_bytes_that_are_not_on_the_disk_are_not_kept(path):
    """After a failed fsync they may be in the cache alone, and would prove themselves there."""
    output = FileOutput(path, Care(kept_as="plan", fsync=True))
    put(output, 0, b"all of it")
    with Tripwire("fsync", 1, "EIO").set_up(), pytest.raises(StorageError):
        output.settle()
    output.discard()

    assert names(path) == []


def test_name_that_is_not_on_the_disk(path):
    """The bytes are, and are kept: the output is a `.part` again."""
    output = FileOutput(path, Care(kept_as="plan", fsync=True))
    put(output, 0, b"all of it")
    with Tripwire("fsync", 2, "EIO").set_up(), pytest.raises(StorageError):
        publish(output)
    output.discard()
    again = FileOutput(path, Care(kept_as="plan"))

    assert again.resumed == 1
    publish(again)
    assert path.read_bytes() == b"all of it"


def test_name_that_is_taken_back(path):
    """An output that is to have no name after all is a `.part` again, and may be given up."""
    output = FileOutput(path, Care())
    put(output, 0, b"all of it")
    output.settle()
    output.publish()
    output.unpublish()

    assert names(path) == ["video.ts.part"]
    output.discard()
    assert names(path) == []


def test_rename_that_fails_keeps_what_is_there(path):
    """With resume nothing has to be fetched again."""
    output = FileOutput(path, Care(kept_as="plan"))
    put(output, 0, b"all of it")
    with Tripwire("rename", 1, "EACCES").set_up(), pytest.raises(StorageError, match="publish"):
        publish(output)
    output.discard()

    assert FileOutput(path, Care(kept_as="plan")).resumed == 1


def test_full_disk_does_not_cost_what_is_kept(path):
    """An output that cannot even be opened leaves an earlier run's items alone."""
    output = FileOutput(path, Care(kept_as="plan"))
    put(output, 0, b"kept")
    output.discard()
    with Tripwire("create", 2, "ENOSPC").set_up(), pytest.raises(StorageError):
        FileOutput(path, Care(kept_as="plan"))

    assert FileOutput(path, Care(kept_as="plan")).resumed == 1


def test_refused_output_leaves_what_is_kept(path):
    """An output that exists is refused before a `.part` beside it is touched."""
    output = FileOutput(path, Care(kept_as="plan"))
    put(output, 0, b"kept")
    output.discard()
    path.write_bytes(b"precious")
    with pytest.raises(OutputExistsError):
        FileOutput(path, Care(kept_as="plan"))
    path.unlink()

    assert FileOutput(path, Care(kept_as="plan")).resumed == 1


def test_journal_that_stays(path):
    """The output is whole all the same; what is beside it is said."""
    output = FileOutput(path, Care(kept_as="plan"))
    put(output, 0, b"all of it")
    output.settle()
    output.publish()
    complaint = pytest.raises(StorageError, match=r"Cannot remove .*\.part\.journal: ")
    with Tripwire("unlink", 1, "EIO").set_up(), complaint:
        output.close()

    assert path.read_bytes() == b"all of it"


def test_part_that_stays(path):
    """One file that cannot be removed does not keep the other, and is said."""
    output = FileOutput(path, Care())
    journal_path(part_path(path)).touch()
    complaint = pytest.raises(StorageError, match=r"Cannot remove .*\.part: ")
    with Tripwire("unlink", 1, "EIO").set_up(), complaint:
        output.discard()

    assert names(path) == ["video.ts.part"]


def test_stream_whose_file_fails_late(tmp_path):
    """Standard output may be a file on a network: its errors are errors of the run."""
    descriptor = os.open(tmp_path / "stdout", os.O_WRONLY | os.O_CREAT)
    output = StreamOutput(descriptor, no_wait, Care())
    put(output, 0, b"x")
    with Tripwire("close", 1, "EIO").set_up(), pytest.raises(StorageError, match="stream"):
        output.settle()
    output.discard()
