import fcntl
import os
import stat
from pathlib import Path

import pytest

from pipeline.store import tempdir
from pipeline.store.sweep import sweep
from pipeline.store.tempdir import (
    LOCK_NAME,
    PREFIX,
    Place,
    TempDirectory,
    choose_place,
    is_memory_backed,
    remove_tree,
    system_temp_dir,
)


def is_locked(directory):
    """Whether somebody holds the lock of `directory`."""
    with (directory / LOCK_NAME).open("r+b") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_directory_is_private_and_locked(tmp_path):
    """Nobody else may look in, and a sweep can tell that it is owned."""
    directory = TempDirectory(tmp_path)

    assert directory.path.name.startswith(PREFIX)
    assert stat.S_IMODE(directory.path.stat().st_mode) == 0o700
    assert is_locked(directory.path)
    directory.remove()
    assert list(tmp_path.iterdir()) == []


def test_sweep_in_the_moment_of_creation(tmp_path, monkeypatch):
    """A directory that is swept before it is locked is made once more: the one in use is owned."""
    lock_really, swept = fcntl.flock, []

    def flock(descriptor, operation):
        if operation == fcntl.LOCK_EX and not swept:
            swept.append(None)
            swept.extend(sweep([tmp_path]))
        lock_really(descriptor, operation)

    monkeypatch.setattr(tempdir.fcntl, "flock", flock)
    directory = TempDirectory(tmp_path)

    assert len(swept) == 2
    assert directory.path not in swept
    assert is_locked(directory.path)
    assert list(tmp_path.iterdir()) == [directory.path]
    directory.remove()


def test_directory_that_vanishes_before_its_lock_is_made(tmp_path, monkeypatch):
    """Nor does it matter if the directory is gone before it has a lock file."""
    make_really, made = tempdir.tempfile.mkdtemp, []

    def mkdtemp(**options):
        made.append(make_really(**options))
        if len(made) == 1:
            Path(made[0]).rmdir()
        return made[-1]

    monkeypatch.setattr(tempdir.tempfile, "mkdtemp", mkdtemp)
    directory = TempDirectory(tmp_path)

    assert [str(directory.path)] == made[1:]
    directory.remove()


def test_no_place_for_a_directory(tmp_path):
    """A parent that is not there is an OSError, not an endless attempt."""
    with pytest.raises(FileNotFoundError):
        TempDirectory(tmp_path / "absent")


def test_kept_directory_has_no_lock(tmp_path):
    """A directory that is left to the user is nobody's to sweep."""
    directory = TempDirectory(tmp_path)
    directory.segment_path(0, 0).write_bytes(b"x")
    directory.keep()

    assert [path.name for path in directory.path.iterdir()] == ["segment_000000.ts"]


@pytest.mark.parametrize(
    ("job", "index", "name"),
    [
        (0, 7, "segment_000007.ts"),
        (2, 7, "job2_segment_000007.ts"),
        (0, 1_234_567, "segment_1234567.ts"),
    ],
    ids=["first job", "later job", "more than a million"],
)
def test_segment_names(tmp_path, job, index, name):
    """Files sort as the segments do, and jobs do not meet."""
    directory = TempDirectory(tmp_path)

    assert directory.segment_path(job, index) == directory.path / name
    directory.remove()


def test_what_others_put_there_stays(tmp_path):
    """A subdirectory is not ours: it stays, and with it the directory, which is said."""
    directory = TempDirectory(tmp_path)
    (directory.path / "of somebody").mkdir()
    directory.segment_path(0, 0).write_bytes(b"x")
    with pytest.raises(OSError, match="not empty"):
        directory.remove()

    assert [path.name for path in directory.path.iterdir()] == ["of somebody"]


def test_removing_what_is_gone(tmp_path):
    """A directory that somebody has removed already is no error."""
    remove_tree(tmp_path / "absent")

    assert not list(tmp_path.iterdir())


def test_lock_goes_last(tmp_path, monkeypatch):
    """As long as a file is left, a later sweep can tell whose it was."""
    (tmp_path / LOCK_NAME).touch()
    (tmp_path / "a").touch()
    (tmp_path / "-before the dot").touch()
    gone = []
    monkeypatch.setattr(tempdir.Path, "unlink", lambda path, **_: gone.append(path.name))
    monkeypatch.setattr(tempdir.Path, "rmdir", lambda path: None)
    remove_tree(tmp_path)

    assert gone[-1] == LOCK_NAME


class TestPlace:
    """Where the directory is put."""

    @pytest.fixture(autouse=True)
    def usual(self, tmp_path, monkeypatch):
        """The system's temp directory: on a disk, with a thousand bytes free."""
        monkeypatch.setenv("TMPDIR", str(tmp_path / "usual"))
        monkeypatch.setattr(tempdir, "is_memory_backed", lambda path: False)
        monkeypatch.setattr(tempdir, "free_bytes", lambda path: 1000)
        return tmp_path / "usual"

    def test_what_the_user_asks_for_is_final(self, tmp_path):
        """No look at room or kind."""
        assert choose_place(tmp_path, None, 1 << 60) == Place(tmp_path)

    def test_usual(self, usual, tmp_path):
        """The system's temp directory, if it is a disk and has room."""
        assert choose_place(None, tmp_path, 1000) == Place(usual)

    def test_too_small(self, usual, tmp_path):
        """Beside the output, if the system's temp directory has too little room."""
        assert choose_place(None, tmp_path, 1001) == Place(tmp_path, f"{usual} has too little room")

    def test_memory(self, usual, tmp_path, monkeypatch):
        """Spilling to memory would save none."""
        monkeypatch.setattr(tempdir, "is_memory_backed", lambda path: True)

        assert choose_place(None, tmp_path, 1) == Place(tmp_path, f"{usual} is held in memory")

    def test_unusable(self, usual, tmp_path, monkeypatch):
        """A temp directory that cannot be examined is passed over."""
        monkeypatch.undo()
        monkeypatch.setenv("TMPDIR", str(usual))
        place = choose_place(None, tmp_path, 1)

        assert place.directory == tmp_path
        assert "cannot be used: No such file" in place.reason

    def test_no_output_to_be_beside(self, monkeypatch):
        """A stream has no directory: /var/tmp is on a disk by tradition."""
        monkeypatch.setattr(tempdir, "is_memory_backed", lambda path: True)

        assert str(choose_place(None, None, 1).directory) == "/var/tmp"

    @pytest.mark.parametrize("value", ["", None], ids=["empty", "absent"])
    def test_no_tmpdir(self, monkeypatch, value):
        """Without $TMPDIR it is /tmp."""
        monkeypatch.delenv("TMPDIR")
        if value is not None:
            monkeypatch.setenv("TMPDIR", value)

        assert str(system_temp_dir()) == "/tmp"


def test_memory_backed_is_read_from_the_mounts(tmp_path, monkeypatch):
    """The kind of file system is that of the path's device."""
    device = tmp_path.stat().st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    other = "29 1 254:254 / /else rw shared:1 - tmpfs tmpfs rw"
    own = f"30 1 {number} / / rw,relatime shared:2 master:1 - %s source rw"
    kinds = {}
    for kind in ("ext4", "tmpfs"):
        text = f"{other}\n{own % kind}\n"
        monkeypatch.setattr(tempdir.Path, "read_text", lambda _, text=text: text)
        kinds[kind] = is_memory_backed(tmp_path)
    monkeypatch.setattr(tempdir.Path, "read_text", lambda _: other)

    assert kinds == {"ext4": False, "tmpfs": True}
    assert not is_memory_backed(tmp_path)
    assert not is_memory_backed(tmp_path / "absent")
