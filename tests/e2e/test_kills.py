"""SIGKILL for each process of the pipeline: nothing wrong, nothing left, and the run goes on.

Death of a downloader costs nothing but time; death of storage or of the supervisor ends the run.
"""

import contextlib
import os
import random
import signal
import time
from pathlib import Path

import pytest

from tests.support.behaviours import Late
from tests.support.invariants import (
    check_i1_output_whole,
    check_i2_exit_matches_bytes,
    check_i3_nothing_left,
    check_i4_rerun_succeeds,
    check_i5_requests_bounded,
)
from tests.support.leaks import Snapshot
from tests.support.origin import Origin
from tests.support.runs import SOON, Running, Workspace
from tests.support.streams import Aes, Stream, build

pytestmark = pytest.mark.processes

KB = 1 << 10


@pytest.fixture
def stream(stream_dir: Path) -> Stream:
    """12 MB in 60 encrypted segments."""
    return build(stream_dir, [200 * KB] * 60, aes=Aes())


@pytest.fixture
def url(origin: Origin, stream: Stream) -> str:
    """The stream, so slow to come that a run has a middle to be hit in (about a second)."""
    origin.serve_directory(stream.directory)
    origin.behave("/segment*", Late(0.1))
    return origin.url(f"/{stream.playlist_path.name}")


def _arguments(url: str) -> list[str]:
    """A run that goes to disk early and spills, and takes its time."""
    how = ["-N", "8", "--memory-threshold", "2MB", "--progress", "json"]
    return ["fetch", url, "-o", "video.ts", *how]


@pytest.mark.parametrize("stored", [0, 5, 30], ids=["at the start", "in memory", "on disk"])
def test_a_dead_downloader_is_replaced(
    stored: int, workspace: Workspace, before: Snapshot, origin: Origin, stream: Stream, url: str
) -> None:
    """A downloader killed at any stage is replaced, and the output is right."""
    with workspace.start(*_arguments(url)) as running:
        running.wait_role("downloader")
        if stored:
            running.wait_stored(stored)
        running.kill("downloader", signal.SIGKILL)
        run = running.wait()

    assert run.exit_code == 0, run.stderr
    check_i2_exit_matches_bytes(run, workspace.cwd / "video.ts", stream.sha256)
    check_i3_nothing_left(workspace, before=before)
    check_i5_requests_bounded(origin, stream, retries=0, deaths=1)


@pytest.mark.parametrize("stored", [0, 5, 30], ids=["at the start", "in memory", "on disk"])
def test_a_dead_storage_process_ends_the_run(
    stored: int, workspace: Workspace, before: Snapshot, stream: Stream, url: str
) -> None:
    """Without storage there is nothing to go on with: exit 8, one sentence, nothing left."""
    with workspace.start(*_arguments(url)) as running:
        running.wait_role("storage")
        if stored:
            running.wait_stored(stored)
        running.kill("storage", signal.SIGKILL)
        run = running.wait(SOON)

    assert run.exit_code == 8
    assert run.stderr.count("The storage process died") == 1
    check_i1_output_whole(workspace.cwd / "video.ts", stream.sha256)
    check_i3_nothing_left(workspace, before=before)
    check_i4_rerun_succeeds(workspace, _arguments(url), workspace.cwd / "video.ts", stream.sha256)


@pytest.mark.parametrize("stored", [0, 5, 30], ids=["at the start", "in memory", "on disk"])
def test_children_end_with_the_supervisor(
    stored: int, workspace: Workspace, before: Snapshot, stream: Stream, url: str
) -> None:
    """When the supervisor is killed its children clean up after it and end."""
    with workspace.start(*_arguments(url)) as running:
        running.wait_role("storage")
        if stored:
            running.wait_stored(stored)
        running.kill("supervisor", signal.SIGKILL)
        running.wait()

    check_i1_output_whole(workspace.cwd / "video.ts", stream.sha256)
    check_i3_nothing_left(workspace, before=before)
    check_i4_rerun_succeeds(workspace, _arguments(url), workspace.cwd / "video.ts", stream.sha256)


@pytest.mark.parametrize("role", ["downloader", "storage"])
def test_even_a_stopped_child_ends_with_the_supervisor(
    role: str, workspace: Workspace, before: Snapshot, stream: Stream, url: str
) -> None:
    """A child that is stopped (SIGSTOP) when its parent is killed does not stay for ever."""
    with workspace.start(*_arguments(url)) as running:
        running.wait_stored(30)
        running.kill(role, signal.SIGSTOP)
        running.kill("supervisor", signal.SIGKILL)
        running.wait()

    check_i1_output_whole(workspace.cwd / "video.ts", stream.sha256)
    check_i3_nothing_left(workspace, before=before)


def test_what_a_kill_of_all_leaves_is_swept_by_the_next_run(
    workspace: Workspace, before: Snapshot, stream: Stream, url: str
) -> None:
    """When every process is killed at once, the next run removes what was left."""
    with workspace.start(*_arguments(url)) as running:
        running.wait_stored(30)
        running.kill_group()
        running.wait()
    output = workspace.cwd / "video.ts"
    check_i1_output_whole(output, stream.sha256)
    assert list(workspace.tmp.glob("m3u8-segments-*"))

    check_i4_rerun_succeeds(workspace, _arguments(url), output, stream.sha256)

    check_i3_nothing_left(workspace, before=before)


@pytest.mark.stress  # it takes the 15 s that a process may be silent
def test_a_downloader_that_falls_silent_is_replaced(
    workspace: Workspace, before: Snapshot, stream: Stream, url: str
) -> None:
    """A downloader that is stopped and never continued is killed, and its segments redone."""
    with workspace.start(*_arguments(url)) as running:
        running.wait_stored(5)
        running.kill("downloader", signal.SIGSTOP)
        run = running.wait()

    assert run.exit_code == 0, run.stderr
    check_i2_exit_matches_bytes(run, workspace.cwd / "video.ts", stream.sha256)
    check_i3_nothing_left(workspace, before=before)


def _kill_at_random(running: Running, chance: random.Random) -> str:
    """SIGKILL for a random process of the run at a random moment; its role."""
    time.sleep(chance.uniform(0.0, 1.6))
    role = chance.choice(["supervisor", "downloader", "storage"])
    pids = running.role(role)
    if not pids or running.process.poll() is not None:
        return "nobody"
    with contextlib.suppress(ProcessLookupError):
        os.kill(chance.choice(pids), signal.SIGKILL)
    return role


@pytest.mark.stress
@pytest.mark.parametrize("seed", range(60))
def test_random_kills(
    seed: int, workspace: Workspace, before: Snapshot, stream: Stream, url: str
) -> None:
    """A kill at any moment breaks no promise, and a downloader's does not even end the run."""
    output = workspace.cwd / "video.ts"
    with workspace.start(*_arguments(url)) as running:
        role = _kill_at_random(running, random.Random(seed))
        run = running.wait()

    if role in {"downloader", "nobody"}:
        assert run.exit_code == 0, run.stderr
    if run.exit_code == -signal.SIGKILL and output.exists():  # in the moment after it was published
        check_i1_output_whole(output, stream.sha256)
    else:
        check_i2_exit_matches_bytes(run, output, stream.sha256)
    check_i3_nothing_left(workspace, before=before)
    if run.exit_code and not output.exists():
        check_i4_rerun_succeeds(workspace, _arguments(url), output, stream.sha256)
