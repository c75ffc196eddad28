"""Disks without room, real ones: small tmpfs mounts, and a limit on the size of files.

Whatever is full, the run ends with exit 7 and names the directory, leaves nothing (with `-c`: what
it has got), and the same command succeeds once there is room. Errors that a tmpfs does not have are
injected: `test_fault_injection`.
"""

import resource
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.bench import KB, MB, Bench, message
from tests.support.behaviours import Held, Late, Right, Status
from tests.support.disks import SmallDisk
from tests.support.invariants import check_i2_exit_matches_bytes
from tests.support.playlists import Entry, media_playlist
from tests.support.runs import Run, limited
from tests.support.streams import Aes

pytestmark = pytest.mark.processes

MakeDisk = Callable[[int], SmallDisk]

#: Goes to disk at once.
EARLY = ("--memory-threshold", "200KB")
#: Every segment goes through a file.
STAGED = (*EARLY, "--merge", "end")
WAYS = {
    "memory": (),
    "stream": EARLY,
    "end": STAGED,
    "fsync": ("--fsync",),
    "keep": ("--keep-segments",),
}


@pytest.fixture
def served(bench: Bench) -> Bench:
    """3 MB in 30 segments."""
    bench.serve([100 * KB] * 30, aes=Aes())
    return bench


def check_full(bench: Bench, run: Run, disk: SmallDisk, *stays: Path) -> None:
    """The run has failed for want of room on the disk, and has left it as it was."""
    bench.check_failed(run, 7)
    assert str(disk.path) in message(run)
    assert "No space left" in message(run)
    assert set(disk.path.iterdir()) == set(stays)


def check_succeeds(bench: Bench, output: Path, *arguments: str | Path) -> None:
    """The same command, with room."""
    run = bench.fetch("-o", output, *arguments)

    assert run.exit_code == 0, run.stderr
    check_i2_exit_matches_bytes(run, output, bench.stream.sha256)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_an_output_that_does_not_fit(
    way: tuple[str, ...], served: Bench, small_disk: MakeDisk
) -> None:
    """The output's disk runs full: while segments come, or at the end."""
    disk = small_disk(4 * MB)
    ballast = disk.fill(leave=MB)
    output = disk.path / "video.ts"

    run = served.fetch("-o", output, *way)

    check_full(served, run, disk, ballast)
    ballast.unlink()
    check_succeeds(served, output, *way)


def test_an_output_that_does_not_fit_and_goes_on(served: Bench, small_disk: MakeDisk) -> None:
    """With `-c` what did fit is kept, and not fetched again."""
    disk = small_disk(4 * MB)
    ballast = disk.fill(leave=MB)
    output = disk.path / "video.ts"

    run = served.fetch("-o", output, "-c")

    served.check_failed(run, 7)
    assert str(disk.path) in message(run)
    kept = {"video.ts.part", "video.ts.part.journal"}
    assert {path.name for path in disk.path.iterdir()} == {"ballast", *kept}
    ballast.unlink()
    again = served.fetch("-o", output, "-c")
    check_i2_exit_matches_bytes(again, output, served.stream.sha256)
    assert again.receipt["resumed_bytes"] >= 8 * 100 * KB
    assert [path.name for path in disk.path.iterdir()] == ["video.ts"]


def test_room_for_the_rest(bench: Bench, small_disk: MakeDisk) -> None:
    """What is kept needs no more room: with a known size, too, there is enough for the rest."""
    stream = bench.serve([MB], container="ts")
    name, size = stream.segments[0].name, stream.segments[0].stat().st_size
    part = size // 8 // 188 * 188
    entries = [Entry(name, byte_range=f"{part}@{number * part}") for number in range(8)]
    bench.serve_playlist(media_playlist(entries, version=4))
    bench.origin.behave(f"/{name}", [*[Right()] * 6, Status(404)])
    disk = small_disk(2 * MB)
    output = disk.path / "video.ts"
    first = bench.fetch("-o", output, "-c", "-N", "1", "--retries", "0")
    assert first.exit_code == 6, first.stderr
    disk.fill(leave=size // 2)
    bench.origin.behave(f"/{name}", Right())

    again = bench.fetch("-o", output, "-c", "-N", "1")

    assert again.exit_code == 0, again.stderr
    assert output.read_bytes() == stream.segments[0].read_bytes()[: 8 * part]
    assert again.receipt["resumed_bytes"] >= 4 * part


def test_a_disk_that_is_full_before_the_start(served: Bench, small_disk: MakeDisk) -> None:
    """Not one byte fits; with `-c` not even the journal does, and the next run begins anew."""
    disk = small_disk(4 * MB)
    ballast = disk.fill()
    output = disk.path / "video.ts"

    run = served.fetch("-o", output, "-c")

    check_full(served, run, disk, ballast)
    ballast.unlink()
    check_succeeds(served, output, "-c")


def test_segment_files_on_the_output_s_disk(bench: Bench, small_disk: MakeDisk) -> None:
    """It makes no difference whether the byte too many comes from memory or from a file."""
    bench.serve([100 * KB] * 30)
    gate = threading.Event()
    bench.origin.behave("/segment00000.ts", Held(gate))
    disk = small_disk(4 * MB)
    ballast = disk.fill(leave=150 * KB)
    with bench.start("-o", disk.path / "video.ts", "-N", "2", "--processes", "1", *EARLY) as run:
        run.wait_until(lambda: bench.origin.count("/segment*") == 30, "all requests")
        run.wait_until(bench.spilled, "segment files")
        gate.set()
        ended = run.wait()

    check_full(bench, ended, disk, ballast)


def test_a_known_size(bench: Bench, small_disk: MakeDisk) -> None:
    """Where byte ranges tell the size, a disk that is too small is noticed before the start."""
    bench.serve([MB] * 10, byte_ranges="explicit")
    disk = small_disk(4 * MB)

    run = bench.fetch("-o", disk.path / "video.ts")

    bench.check_failed(run, 7)
    assert str(disk.path) in message(run)
    assert bench.origin.count("/video.ts") == 0
    assert list(disk.path.iterdir()) == []


@pytest.mark.parametrize("merge", ["stream", "end"])
def test_a_temp_disk_that_runs_full(merge: str, served: Bench, small_disk: MakeDisk) -> None:
    """Segment files fill their disk while the output's has room: the option that helps is named."""
    disk = small_disk(256 * KB)
    served.origin.behave("/segment00000.ts", Late(1.0))
    way = (*EARLY, "--merge", merge, "--temp-dir", disk.path)

    run = served.fetch(*way)

    if merge == "end" or run.exit_code:  # streaming, the arena may be enough
        check_full(served, run, disk)
        assert "--temp-dir" in message(run)
        check_succeeds(served, served.output, *EARLY, "--merge", merge)
    assert list(disk.path.iterdir()) == []


def test_a_temp_disk_that_is_full(served: Bench, small_disk: MakeDisk) -> None:
    """Not even an empty directory stays where there was no room for a file."""
    disk = small_disk(8 * MB)
    ballast = disk.fill()
    way = (*STAGED, "--temp-dir", disk.path)

    run = served.fetch(*way)

    check_full(served, run, disk, ballast)
    ballast.unlink()
    check_succeeds(served, served.output, *way)


def test_both_disks_full(served: Bench, small_disk: MakeDisk) -> None:
    """One of them is named; with room on both the command succeeds."""
    temp, home = small_disk(MB), small_disk(MB)
    ballast = [temp.fill(), home.fill()]
    output = home.path / "video.ts"
    way = (*EARLY, "--temp-dir", temp.path)

    run = served.fetch("-o", output, *way)

    served.check_failed(run, 7)
    assert str(temp.path) in message(run) or str(home.path) in message(run)
    assert [*temp.path.iterdir(), *home.path.iterdir()] == ballast
    ballast[0].unlink()
    check_succeeds(served, served.output, *way)


@pytest.mark.parametrize("way", [("--merge", "stream"), ("--merge", "end")], ids=["stream", "end"])
def test_a_limit_on_segment_files(way: tuple[str, ...], bench: Bench) -> None:
    """A segment file beyond `ulimit -f` (a quota says the same) is an error that names it."""
    bench.serve([100 * KB, 60 * MB, 100 * KB])
    bench.origin.behave("/segment00000.ts", Late(1.5))
    arguments = (*EARLY, *way, "-N", "3", "--processes", "1")

    run = bench.fetch(*arguments, preexec_fn=limited({resource.RLIMIT_FSIZE: 56 * MB}))

    bench.check_failed(run, 7)
    assert "too large" in message(run)
    assert str(bench.workspace.root) in message(run)
    check_succeeds(bench, bench.output, *arguments)
