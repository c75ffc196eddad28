"""S9: links and pipes that somebody has put where an output or its journal is about to be."""

import os

import pytest

from pipeline.errors import StorageError
from pipeline.store.care import Care
from pipeline.store.file_output import FileOutput
from pipeline.store.journal import Entry, recorded
from pipeline.store.part import journal_path, part_path

IDENTITY = "a" * 64
JOURNAL = f"hlspipe-journal 1 {IDENTITY}\n0 0 4 0\n"


@pytest.fixture
def victim(tmp_path):
    """A file that nobody asked us to write."""
    path = tmp_path / "victim"
    path.write_text(JOURNAL)
    return path


@pytest.fixture
def output(tmp_path):
    """Where we are asked to write."""
    (tmp_path / "work").mkdir()
    return tmp_path / "work" / "video.ts"


PLANT = {"a symbolic link": os.symlink, "a hard link": os.link}


@pytest.mark.parametrize("plant", PLANT.values(), ids=PLANT)
@pytest.mark.parametrize("resume", [None, IDENTITY], ids=["plain", "to be taken up"])
def test_a_part_that_leads_elsewhere(plant, resume, victim, output):
    """It is refused, and stays as it is."""
    plant(victim, part_path(output))
    with pytest.raises(StorageError):
        FileOutput(output, Care(kept_as=resume))

    assert victim.read_text() == JOURNAL


@pytest.mark.parametrize("plant", PLANT.values(), ids=PLANT)
def test_a_journal_that_leads_elsewhere(plant, victim, output):
    """There is a new one in its place."""
    path = journal_path(part_path(output))
    plant(victim, path)
    found = FileOutput(output, Care(kept_as=IDENTITY))
    found.write(memoryview(b"abcd"))
    found.commit(0)
    found.discard()

    assert victim.read_text() == JOURNAL
    assert not path.is_symlink()
    assert recorded(path, IDENTITY)[0].length == 4


@pytest.mark.parametrize(
    "plant", [os.symlink, lambda _, path: os.mkfifo(path)], ids=["link", "pipe"]
)
def test_a_journal_that_is_no_file_claims_nothing(plant, victim, output):
    """A pipe is not waited for."""
    path = journal_path(part_path(output))
    plant(victim, path)

    assert recorded(path, IDENTITY) == []


def test_a_journal_of_our_own_does(victim):
    """What the tests above would read, if they read it."""
    assert recorded(victim, IDENTITY) == [Entry(0, 0, 4, 0)]


def test_a_pipe_in_the_place_of_the_part(output):
    """It is no file, and an error; nobody waits for it."""
    os.mkfifo(part_path(output))
    with pytest.raises(StorageError):
        FileOutput(output, Care())


def test_a_link_in_the_place_of_the_output(victim, output):
    """With force it is replaced; what it leads to stays."""
    output.symlink_to(victim)
    found = FileOutput(output, Care(force=True))
    found.write(memoryview(b"new"))
    found.commit(0)
    found.publish()

    assert victim.read_text() == JOURNAL
    assert not output.is_symlink()
    assert output.read_text() == "new"
