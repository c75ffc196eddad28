"""What is left of a job that nobody wants any more."""

import fcntl
from pathlib import Path

import pytest

from pipeline.service.kept import forget_kept

OURS = ["show.ts.part", "show.ts.part.journal", "show.en.m4a.part", "show.en.m4a.part.journal"]
OTHERS = ["show.ts", "shows.ts.part", "my-show.ts.part", "show.part", "show.a.b.ts.part", "x.part"]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Leftovers of a job, and what looks like them."""
    for name in OURS + OTHERS:
        (tmp_path / name).touch()
    return tmp_path


def names(directory: Path) -> list[str]:
    """What is there."""
    return sorted(path.name for path in directory.iterdir())


@pytest.mark.parametrize("output", ["show.ts", "show.{ext}"])
def test_the_outputs_and_its_renditions_go(directory: Path, output: str) -> None:
    """With their journals, and nothing that merely looks like them."""
    forget_kept(f"{directory}/{output}", lambda _: False)

    assert names(directory) == sorted(OTHERS)


def test_the_sources_of_what_is_remuxed_go(tmp_path: Path) -> None:
    """Unless a run is at them."""
    work = tmp_path / ".show.mp4.work"
    work.mkdir()
    (work / "show.ts").touch()
    with (tmp_path / "show.mp4.part").open("wb") as part:
        fcntl.flock(part, fcntl.LOCK_EX)
        forget_kept(f"{tmp_path}/show.mp4", lambda _: False)
        assert names(tmp_path) == [".show.mp4.work", "show.mp4.part"]

    forget_kept(f"{tmp_path}/show.mp4", lambda _: False)

    assert names(tmp_path) == []


def test_what_others_want_stays(directory: Path) -> None:
    """A job may be called like another's rendition."""
    forget_kept(f"{directory}/show.ts", lambda output: output.endswith("show.en.m4a"))

    assert names(directory) == sorted(OTHERS + OURS[2:])


def test_what_is_being_written_stays(directory: Path) -> None:
    """Its lock is held."""
    with (directory / OURS[0]).open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        forget_kept(f"{directory}/show.ts", lambda _: False)

    assert names(directory) == sorted(OTHERS + OURS[:2])


def test_symbolic_links_are_not_followed(directory: Path) -> None:
    """Nor removed: they are not ours."""
    (directory / OURS[0]).unlink()
    (directory / OURS[0]).symlink_to("x.part")
    forget_kept(f"{directory}/show.ts", lambda _: False)

    assert (directory / "x.part").exists()


def test_a_directory_that_is_gone_has_nothing(tmp_path: Path) -> None:
    """The job may never have begun."""
    forget_kept(f"{tmp_path}/gone/show.ts", lambda _: False)

    assert not (tmp_path / "gone").exists()
