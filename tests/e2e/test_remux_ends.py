"""How a remux ends that does not get through: full disks, signals, kills; what `-c` takes up."""

import random
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.bench import Bench
from tests.e2e.movies import SLOW, check_plays, inject, names, wait_for, wait_until
from tests.support import proc
from tests.support.behaviours import Late, Right, Status
from tests.support.disks import NotAllowed, SmallDisk
from tests.support.runs import Workspace

pytestmark = pytest.mark.processes


@pytest.fixture
def tight(movie: Path, tmp_path: Path) -> Iterator[SmallDisk]:
    """A disk that holds the streams, and not the file that is made of them as well."""
    size = sum(path.stat().st_size for path in movie.parent.glob("*.ts"))
    try:
        with SmallDisk(tmp_path / "disk", size + size // 2) as disk:
            yield disk
    except NotAllowed as error:
        pytest.skip(f"nothing can be mounted here: {error}")


def test_a_disk_that_is_full(movie: Path, workspace: Workspace, tight: SmallDisk) -> None:
    """The streams are kept beside, and the run says so."""
    run = workspace.run("fetch", movie, "-o", tight.path / "video.mp4")

    assert run.exit_code == 7
    assert "No space left" in run.stderr
    assert f"what was fetched is in {tight.path / 'video.ts'}" in run.stderr
    assert [path.name for path in tight.path.iterdir()] == ["video.ts"]


def test_a_disk_that_is_full_with_continue(
    movie: Path, workspace: Workspace, tight: SmallDisk
) -> None:
    """Once there is room the same command makes the file, of what was fetched before."""
    run = workspace.run("fetch", movie, "-o", tight.path / "video.mp4", "-c")
    assert run.exit_code == 7
    assert "the same command goes on" in run.stderr
    tight.grow(4 * tight.size)

    again = workspace.run("fetch", movie, "-o", tight.path / "video.mp4", "-c", "--json")

    assert again.exit_code == 0, again.stderr
    assert again.receipt["resumed_bytes"] > 0
    assert [path.name for path in tight.path.iterdir()] == ["video.mp4"]
    check_plays(tight.path / "video.mp4", ["video", "audio"])


def test_what_was_being_used_up_is_not_taken_up(
    movie: Path, workspace: Workspace, tmp_path: Path
) -> None:
    """A run without `-c` that is killed whole has perhaps released some of its sources."""
    mark = inject(workspace, tmp_path, SLOW)
    with workspace.start("fetch", movie, "-o", "video.mp4") as running:
        wait_for(mark)
        running.kill_group()
    (source,) = (workspace.cwd / ".video.mp4.work").glob("*.ts")
    source.write_bytes(bytes(source.stat().st_size))
    del workspace.env["PYTHONPATH"]

    run = workspace.run("fetch", movie, "-o", "video.mp4", "-c", "--json")

    assert run.exit_code == 0, run.stderr
    assert run.receipt["resumed_bytes"] == 0
    assert names(workspace) == {"video.mp4"}
    check_plays(workspace.cwd / "video.mp4", ["video", "audio"])


def test_continued_after_a_kill_of_all(movie: Path, workspace: Workspace, tmp_path: Path) -> None:
    """With -c, what was in when all processes were killed is not fetched again."""
    served = tmp_path / "served"
    shutil.copytree(movie.parent, served)
    mark = inject(workspace, tmp_path, SLOW)
    with workspace.start("fetch", served / "a.m3u8", "-o", "video.mp4", "-c") as running:
        wait_for(mark)
        proc.os.killpg(running.process.pid, signal.SIGKILL)
        running.wait()
    for segment in served.glob("*.ts"):
        segment.unlink()
    (tmp_path / "site" / "sitecustomize.py").write_text("")

    run = workspace.run("fetch", served / "a.m3u8", "-o", "video.mp4", "-c")

    assert run.exit_code == 0, run.stderr
    assert names(workspace) == {"video.mp4"}
    check_plays(workspace.cwd / "video.mp4", ["video", "audio"])


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_nothing(
    number: signal.Signals, code: int, movie: Path, workspace: Workspace, tmp_path: Path
) -> None:
    """Ctrl-C and SIGTERM during the remux end the run, and nothing is left."""
    mark = inject(workspace, tmp_path, SLOW)

    with workspace.start("fetch", movie, "-o", "video.mp4") as running:
        wait_for(mark)
        running.process.send_signal(number)
        run = running.wait()

    assert run.exit_code == code
    assert names(workspace) == set()


def remuxer_of(pid: int) -> int:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return next(
        int(child)
        for child in children
        if b"\0remuxer\0" in Path(f"/proc/{child}/cmdline").read_bytes()
    )


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_remuxer_that_dies(
    number: signal.Signals, movie: Path, workspace: Workspace, tmp_path: Path
) -> None:
    """Whatever kills the remuxer, the run fails with the reason and keeps what was fetched."""
    mark = inject(workspace, tmp_path, SLOW)

    with workspace.start("fetch", movie, "-o", "video.mp4") as running:
        wait_for(mark)
        proc.os.kill(remuxer_of(running.process.pid), number)
        run = running.wait()

    assert run.exit_code == 1
    assert number.name in run.stderr
    assert names(workspace) == {"video.ts"}


def check_killed(workspace: Workspace, movie: Path, seed: int) -> None:
    """SIGKILL for the supervisor alone, at some moment of its second."""
    with workspace.start("fetch", movie, "-o", "video.mp4") as running:
        time.sleep(random.Random(seed).uniform(0.1, 1.0))
        running.process.kill()
        running.wait()
        wait_until(lambda: not proc.marked(workspace.marker))

    assert names(workspace) <= {"video.mp4"}


@pytest.mark.parametrize("seed", range(4))
def test_a_supervisor_that_is_killed(seed: int, movie: Path, workspace: Workspace) -> None:
    """From the first file on there is a process that removes all of them."""
    check_killed(workspace, movie, seed)


@pytest.mark.stress
@pytest.mark.parametrize("seed", range(100, 200))
def test_supervisors_that_are_killed(seed: int, movie: Path, workspace: Workspace) -> None:
    """At a hundred moments."""
    check_killed(workspace, movie, seed)


def test_a_supervisor_that_dies(movie: Path, workspace: Workspace, tmp_path: Path) -> None:
    """When the supervisor is killed the remuxer removes everything."""
    mark = inject(workspace, tmp_path, SLOW)

    with workspace.start("fetch", movie, "-o", "video.mp4") as running:
        wait_for(mark)
        running.process.kill()
        running.wait()
        deadline = time.monotonic() + 5
        while names(workspace) and time.monotonic() < deadline:
            time.sleep(0.05)

    assert names(workspace) == set()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["SIGINT", "SIGKILL"])
def test_a_batch_that_is_stopped(
    number: signal.Signals, listed: Path, workspace: Workspace, tmp_path: Path
) -> None:
    """In the middle of a remux: nothing unfinished stays."""
    mark = inject(workspace, tmp_path, SLOW)

    with workspace.start("batch", listed, "-j", "2") as running:
        wait_for(mark)
        running.process.send_signal(number)
        running.wait()
        wait_until(lambda: not proc.marked(workspace.marker))

    assert names(workspace) <= {"d.ts", "e.ts"}


def test_continued_under_another_token(movie: Path, bench: Bench) -> None:
    """A link that has run out is given anew, with another query: what was fetched still counts."""
    shutil.copytree(movie.parent, bench.workspace.root / "served")
    bench.origin.serve_directory(bench.workspace.root / "served")
    # Late: what comes behind the one that fails may be in, and not in turn.
    bench.origin.behave("/a2.ts", [Late(0.5, Status(403)), Right()])
    wanted = ["fetch", "-o", "video.mp4", "-c", "--json", "--retries", "0"]
    first = bench.workspace.run(*wanted, bench.origin.url("/a.m3u8?token=1"))
    assert first.exit_code == 6, first.stderr

    run = bench.workspace.run(*wanted, bench.origin.url("/a.m3u8?token=2"))

    assert run.exit_code == 0, run.stderr
    assert run.receipt["resumed_bytes"] == sum(
        movie.with_name(f"a{number}.ts").stat().st_size for number in range(2)
    )
    assert names(bench.workspace) == {"video.mp4"}
    check_plays(bench.workspace.cwd / "video.mp4", ["video", "audio"])
