"""The directory for what an output is made of: whose it is, and what of it outlives a run."""

import os
from pathlib import Path

import pytest

from pipeline.errors import OutputBusyError, StorageError
from pipeline.store.workdir import WorkDirectory, forget_work, work_path


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """An output that is not there yet."""
    return tmp_path / "video.mp4"


def names(output: Path) -> list[str]:
    """What lies in its directory, and in its work directory."""
    found = output.parent.rglob("*")
    return sorted(str(path.relative_to(output.parent)) for path in found)


def left_by(output: Path, *, resume: bool, note: object = None, identity: str = "a") -> None:
    """A run that has got something, and is killed."""
    work = WorkDirectory(output)
    work.take(identity, resume=resume)
    (work.path / "v.ts").write_text("whole")
    (work.path / "w.ts.part").write_text("half")
    if note is not None:
        work.note(note)
    os.close(work._lock)


def test_it_is_one_runs(output: Path) -> None:
    """Another one is refused, and leaves it alone."""
    first, second = WorkDirectory(output), WorkDirectory(output)
    first.take("a", resume=False)
    with pytest.raises(OutputBusyError):
        second.take("a", resume=False)
    second.close(keep=False)

    assert names(output) == [".video.mp4.work", "video.mp4.part"]
    first.close(keep=False)
    assert names(output) == []


def test_what_was_noted_is_taken_up(output: Path) -> None:
    """By a run that wants the same, with all that is there."""
    left_by(output, resume=True, note={"x": [1]})
    work = WorkDirectory(output)

    assert work.take("a", resume=True) == {"x": [1]}
    assert (work.path / "v.ts").read_text() == "whole"
    work.close(keep=True)
    assert ".video.mp4.work/v.ts" in names(output)
    assert "video.mp4.part" not in names(output)


@pytest.mark.parametrize(
    ("before", "now"),
    [(True, False), (False, True)],
    ids=["not wanted", "it may have been used up"],
)
def test_what_is_not_taken_up(before: bool, now: bool, output: Path) -> None:
    """The directory begins empty. What a run without `resume` left may have holes in it."""
    left_by(output, resume=before, note={"x": 1})
    work = WorkDirectory(output)

    assert work.take("a", resume=now) is None
    assert not (work.path / "v.ts").exists()
    assert not (work.path / "w.ts.part").exists()
    work.close(keep=False)


def test_of_another_download_only_what_is_unfinished_stays(output: Path) -> None:
    """It has a journal, which knows if it is of the same video after all."""
    left_by(output, resume=True, note={"x": 1})
    work = WorkDirectory(output)

    assert work.take("b", resume=True) is None
    assert sorted(path.name for path in work.path.iterdir()) == ["key", "w.ts.part"]
    work.note({"y": 2})
    work.close(keep=True)
    assert WorkDirectory(output).take("b", resume=True) == {"y": 2}


@pytest.mark.parametrize("note", [None, b"{", b"\xff"], ids=["none", "torn", "no text"])
def test_without_a_note_only_what_is_unfinished_stays(note: bytes | None, output: Path) -> None:
    """Nobody knows if the others are all; they would be in the way of those fetched anew."""
    left_by(output, resume=True, note={})
    (work_path(output) / "complete.json").unlink()
    if note is not None:
        (work_path(output) / "complete.json").write_bytes(note)
    work = WorkDirectory(output)

    assert work.take("a", resume=True) is None
    assert sorted(path.name for path in work.path.iterdir()) == ["key", "w.ts.part"]
    work.close(keep=False)


def test_an_orphan_writes_into_nothing(output: Path) -> None:
    """A process of a run that was killed may still have the `.part` open."""
    left_by(output, resume=False)
    part = output.with_name("video.mp4.part")
    with part.open("r+b") as orphan:
        work = WorkDirectory(output)
        work.take("a", resume=False)
        orphan.write(b"late")
        orphan.flush()

        assert part.read_bytes() == b""
    work.close(keep=False)


def test_a_planted_link_is_not_followed(output: Path, tmp_path: Path) -> None:
    """Whatever it leads to stays as it is."""
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "x").touch()
    work_path(output).symlink_to(tmp_path / "precious")
    work = WorkDirectory(output)
    with pytest.raises(StorageError):
        work.take("a", resume=True)
    work.close(keep=False)
    forget_work(output)

    assert (tmp_path / "precious" / "x").exists()


def test_what_is_forgotten(output: Path) -> None:
    """Everything that a killed run has left, and nothing that another one holds."""
    left_by(output, resume=False)
    holder = WorkDirectory(output)
    holder.take("a", resume=False)
    forget_work(output)
    assert names(output) == [".video.mp4.work", "video.mp4.part"]
    os.close(holder._lock)

    forget_work(output)

    assert names(output) == []


def test_nothing_to_forget(output: Path) -> None:
    """And nothing is made on the way."""
    forget_work(output, patience=5)

    assert names(output) == []
