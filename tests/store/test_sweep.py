import fcntl
import os
import time
from pathlib import Path

import pytest

from pipeline.store.sweep import likely_places, stale, sweep
from pipeline.store.tempdir import LOCK_NAME, PREFIX, TempDirectory


def abandoned(parent, name="killed"):
    """A temp directory whose owner is gone."""
    path = parent / f"{PREFIX}{name}"
    path.mkdir()
    (path / LOCK_NAME).touch()
    (path / "segment_000000.ts").write_bytes(b"x")
    return path


def shell(parent, age):
    """A temp directory without a lock file, made `age` seconds ago."""
    path = parent / f"{PREFIX}shell"
    path.mkdir()
    os.utime(path, (time.time() - age,) * 2)
    return path


def test_stale_directory_is_removed(tmp_path):
    """A directory whose lock is free goes, with all that is in it."""
    path = abandoned(tmp_path)

    assert list(stale([tmp_path])) == [path]
    assert sweep([tmp_path]) == [path]
    assert list(tmp_path.iterdir()) == []


def test_directory_in_use_is_untouched(tmp_path):
    """A locked directory belongs to a living run."""
    directory = TempDirectory(tmp_path)
    directory.segment_path(0, 0).write_bytes(b"x")

    assert list(stale([tmp_path])) == []
    assert sweep([tmp_path]) == []
    assert directory.segment_path(0, 0).exists()
    directory.remove()


def test_kept_directory_is_untouched(tmp_path):
    """A user's segment files stay, however old."""
    directory = TempDirectory(tmp_path)
    directory.segment_path(0, 0).write_bytes(b"x")
    directory.keep()
    os.utime(directory.path, (0, 0))

    assert sweep([tmp_path]) == []
    assert directory.segment_path(0, 0).exists()


@pytest.mark.parametrize(("age", "goes"), [(0, False), (3600, True)], ids=["new", "old"])
def test_directory_without_lock_or_files(tmp_path, age, goes):
    """An empty directory may be just being made; after a while it is not."""
    path = shell(tmp_path, age)

    assert sweep([tmp_path]) == ([path] if goes else [])
    assert path.exists() is not goes


@pytest.mark.parametrize("kind", ["other name", "file", "link"])
def test_what_is_not_ours_is_untouched(tmp_path, kind):
    """Other names, files and links of our name are not looked into."""
    place = tmp_path / "place"
    place.mkdir()
    target = abandoned(tmp_path)
    if kind == "other name":
        target.rename(place / "somebody's")
    elif kind == "file":
        (place / f"{PREFIX}file").touch()
    else:
        (place / f"{PREFIX}link").symlink_to(target)
    before = sorted(place.rglob("*"))

    assert sweep([place]) == []
    assert sorted(place.rglob("*")) == before


def test_directory_of_another_user_is_untouched(tmp_path, monkeypatch):
    """Only this user's directories are swept."""
    path = abandoned(tmp_path)
    monkeypatch.setattr(os, "getuid", lambda: path.stat().st_uid + 1)

    assert sweep([tmp_path]) == []
    assert path.exists()


def test_lock_that_is_a_link_is_not_followed(tmp_path):
    """A planted link in the lock's place makes us touch nothing."""
    path = abandoned(tmp_path)
    (path / LOCK_NAME).unlink()
    (path / LOCK_NAME).symlink_to(tmp_path / "elsewhere")

    assert sweep([tmp_path]) == []
    assert path.exists()


def test_absent_places_are_passed_over(tmp_path):
    """A place that is not there hides no other."""
    path = abandoned(tmp_path)

    assert sweep([tmp_path / "absent", tmp_path]) == [path]


def test_one_that_cannot_be_removed_hides_no_other(tmp_path):
    """A directory with somebody else's folder in it stays; the others go."""
    stuck, other = abandoned(tmp_path, "a"), abandoned(tmp_path, "b")
    (stuck / "of somebody").mkdir()

    assert sweep([tmp_path]) == [other]
    assert stuck.exists()


def test_places_are_those_of_the_options(tmp_path, monkeypatch):
    """Where runs put their directories, each once."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    places = likely_places(tmp_path, tmp_path / "out" / "video.ts")

    assert places == [tmp_path, tmp_path / "out", Path("/tmp"), Path("/var/tmp")]
    assert likely_places(None, None) == [tmp_path, Path("/tmp"), Path("/var/tmp")]


def test_directory_that_is_kept_at_that_very_moment(tmp_path, monkeypatch):
    """Given to the user between the sweep's open and its lock, it is the user's."""
    directory = TempDirectory(tmp_path)
    directory.segment_path(0, 0).write_bytes(b"x")
    lock = fcntl.flock

    def keep_first(descriptor, how):
        monkeypatch.setattr(fcntl, "flock", lock)
        directory.keep()
        lock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", keep_first)

    assert sweep([tmp_path]) == []
    assert directory.segment_path(0, 0).exists()
