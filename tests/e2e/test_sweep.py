"""What killed runs left is removed by the next run and by `hlspipe clean`; nothing else ever is."""

import contextlib
import fcntl
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.bench import KB, Bench
from tests.support.behaviours import Held, Late, Right
from tests.support.streams import Aes

pytestmark = pytest.mark.processes

NAME = "m3u8-segments-k3f9x2"
LOCK = ".lock"


@pytest.fixture
def served(bench: Bench) -> Bench:
    """3 MB in 30 segments."""
    bench.serve([100 * KB] * 30, aes=Aes())
    return bench


def leave(place: Path, name: str = NAME, *, lock: bool = True) -> Path:
    """A temp directory as a killed run leaves it (without a lock file: as a user keeps it)."""
    directory = place / name
    directory.mkdir()
    for index in range(3):
        (directory / f"segment_{index:06d}.ts").write_bytes(b"\x47" * 1000)
    if lock:
        (directory / LOCK).touch()
    return directory


@contextlib.contextmanager
def owned(directory: Path) -> Iterator[None]:
    """Hold the directory's lock, as a living run does."""
    descriptor = os.open(directory / LOCK, os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    yield
    os.close(descriptor)


@pytest.mark.parametrize("place", ["tmp", "work", "asked"])
def test_a_run_removes_what_is_stale(place: str, served: Bench) -> None:
    """In $TMPDIR, beside the output and in `--temp-dir`, even if the run needs no disk itself."""
    folder = served.workspace.root / place
    folder.mkdir(exist_ok=True)
    stale = leave(folder)

    run = served.fetch(*(["--temp-dir", folder] if place == "asked" else []))

    assert not stale.exists()
    served.check_right(run)


def test_a_run_leaves_what_is_not_stale(served: Bench) -> None:
    """Directories that are owned or kept, and whatever only looks like one, stay."""
    tmp = served.workspace.tmp
    living = leave(tmp, "m3u8-segments-living")
    kept = leave(tmp, "m3u8-segments-kept", lock=False)
    other = leave(tmp, "segments-of-somebody")
    deeper = tmp / "deeper"
    deeper.mkdir()
    below = leave(deeper)
    file = tmp / "m3u8-segments-file"
    file.touch()
    link = tmp / "m3u8-segments-link"
    link.symlink_to(other)

    with owned(living):
        run = served.fetch("--memory-threshold", "200KB")

    assert run.exit_code == 0, run.stderr
    for path in (living, kept, other, below, file, link):
        assert path.exists(), path
    assert len(list(other.iterdir())) == 4


def test_two_runs_at_a_time(served: Bench) -> None:
    """A run that starts beside a living one leaves its temp directory alone."""
    gate = threading.Event()
    served.origin.behave("/segment00000.ts", [Held(gate), Right()])
    early = ("--memory-threshold", "200KB", "--merge", "end")
    with served.start(*early) as first:
        first.wait_until(lambda: len(served.spilled()) == 29, "segment files")
        second = served.workspace.run("fetch", served.url, "-o", "other.ts", *early)
        files = len(served.spilled())
        gate.set()
        run = first.wait()

    assert files == 29
    assert second.exit_code == 0, second.stderr
    served.check_right(run)


def test_what_a_killed_run_left(served: Bench) -> None:
    """Everything of a run that was killed whole is gone after the next one, which succeeds."""
    served.origin.behave("/segment*", Late(0.1))
    early = ("--memory-threshold", "200KB", "--merge", "end")
    with served.start(*early) as running:
        running.wait_until(lambda: len(served.spilled()) > 5, "segment files")
        running.kill_group()
        running.wait()
    left = served.temp_directories()

    run = served.fetch(*early)

    assert left
    served.check_right(run)


class TestClean:
    """`hlspipe clean`."""

    def test_removes_and_names_what_is_stale(self, served: Bench) -> None:
        """Each directory that it removed is a line on standard output."""
        stale = [leave(served.workspace.tmp), leave(served.workspace.cwd)]

        run = served.workspace.run("clean")

        assert run.exit_code == 0
        assert set(run.stdout.split()) >= {str(path) for path in stale}
        assert not any(path.exists() for path in stale)

    def test_leaves_what_is_not_stale(self, served: Bench) -> None:
        """Directories that are owned or kept stay, and nothing is said of them."""
        living = leave(served.workspace.tmp, "m3u8-segments-living")
        kept = leave(served.workspace.tmp, "m3u8-segments-kept", lock=False)

        with owned(living):
            run = served.workspace.run("clean")

        assert run.exit_code == 0
        assert living.exists()
        assert kept.exists()
        assert str(served.workspace.tmp) not in run.stdout

    def test_a_dry_run(self, served: Bench) -> None:
        """`--dry-run` names what is stale and removes nothing."""
        stale = leave(served.workspace.tmp)

        run = served.workspace.run("clean", "--dry-run")

        assert run.exit_code == 0
        assert str(stale) in run.stdout
        assert len(list(stale.iterdir())) == 4

    def test_an_asked_place(self, served: Bench) -> None:
        """`--temp-dir` is one more place to look in."""
        place = served.workspace.root / "asked"
        place.mkdir()
        stale = leave(place)

        run = served.workspace.run("clean", "--temp-dir", place)

        assert run.exit_code == 0
        assert not stale.exists()

    def test_beside_a_living_run(self, served: Bench) -> None:
        """`clean` during a download does the download no harm."""
        served.origin.behave("/segment*", Late(0.1))
        with served.start("--memory-threshold", "200KB", "--merge", "end") as running:
            running.wait_until(lambda: len(served.spilled()) > 5, "segment files")
            cleaned = served.workspace.run("clean")
            run = running.wait()

        assert cleaned.exit_code == 0
        served.check_right(run)

    def test_a_second_time(self, served: Bench) -> None:
        """When there is nothing to remove it says so on standard error, and that is no failure."""
        leave(served.workspace.tmp)
        served.workspace.run("clean")

        run = served.workspace.run("clean")

        assert run.exit_code == 0
        assert str(served.workspace.root) not in run.stdout


@pytest.mark.stress
@pytest.mark.parametrize("_", range(20))
def test_many_runs_start_at_once(_: int, served: Bench) -> None:
    """Runs that make their temp directories at the same moment do not sweep each other's."""
    names = [f"video{number}.ts" for number in range(4)]
    early = ("--memory-threshold", "1", "--merge", "end", "--progress", "json")
    runs = [served.workspace.start("fetch", served.url, "-o", name, *early) for name in names]
    done = [running.wait() for running in runs]

    assert [run.exit_code for run in done] == [0] * 4, [run.stderr for run in done]
    served.check_nothing_left()


def test_a_stopped_owner_is_an_owner(served: Bench) -> None:
    """A run that is stopped (Ctrl-Z) still owns its directory, and goes on when continued."""
    served.origin.behave("/segment*", Late(0.1))
    with served.start("--memory-threshold", "200KB", "--merge", "end") as running:
        running.wait_until(lambda: len(served.spilled()) > 5, "segment files")
        running.interrupt(signal.SIGSTOP)
        served.workspace.run("clean")
        running.interrupt(signal.SIGCONT)
        run = running.wait()

    served.check_right(run)
