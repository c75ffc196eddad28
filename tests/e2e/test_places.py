"""Where files go, and what is said when they cannot: temp directories and outputs."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.bench import KB, MB, Bench, message
from tests.support.behaviours import Late
from tests.support.disks import SmallDisk
from tests.support.streams import Aes, sha256_of

pytestmark = pytest.mark.processes

MakeDisk = Callable[[int], SmallDisk]

#: Goes to disk at once.
EARLY = ("--memory-threshold", "200KB")
#: Every segment goes through a file.
STAGED = (*EARLY, "--merge", "end")


@pytest.fixture
def served(bench: Bench) -> Bench:
    """3 MB in 30 segments."""
    bench.serve([100 * KB] * 30, aes=Aes())
    return bench


def directory_of(bench: Bench, *arguments: str | Path) -> tuple[Path, str | None]:
    """Where a run put its temp directory, and why not where it was first thought of."""
    run = bench.fetch(*STAGED, *arguments)
    bench.check_right(run)
    (event,) = (event for event in run.events if event["event"] == "temp_directory_created")
    assert re.fullmatch(r"m3u8-segments-\w+", Path(event["path"]).name)
    return Path(event["path"]).parent, event["reason"]


class TestTempDirectories:
    """Where segment files go."""

    def test_an_asked_place(self, served: Bench, tmp_path: Path) -> None:
        """`--temp-dir` is where the temp directory is made, whatever $TMPDIR says."""
        place = tmp_path / "place"
        place.mkdir()

        assert directory_of(served, "--temp-dir", place) == (place, None)

    def test_a_relative_place(self, served: Bench) -> None:
        """A relative `--temp-dir` is seen from the working directory."""
        place = served.workspace.cwd / "place"
        place.mkdir()

        assert directory_of(served, "--temp-dir", "place") == (place, None)

    def test_the_environments_place(self, served: Bench) -> None:
        """$TMPDIR is where it is made otherwise."""
        assert directory_of(served) == (served.workspace.tmp, None)

    def test_a_place_in_memory(self, served: Bench, small_disk: MakeDisk) -> None:
        """A $TMPDIR that is held in memory is passed over, and the reason is said."""
        disk = small_disk(200 * MB)
        served.workspace.env["TMPDIR"] = str(disk.path)

        place, reason = directory_of(served)

        assert place == served.workspace.cwd
        assert reason is not None
        assert str(disk.path) in reason

    @pytest.mark.parametrize("leave", [0, 4 * KB, MB], ids=["full", "one page left", "1 MB left"])
    def test_a_place_without_room(self, leave: int, served: Bench, small_disk: MakeDisk) -> None:
        """With a $TMPDIR of 8 MB that is full, the output's directory is taken, with the reason."""
        disk = small_disk(8 * MB)
        disk.fill(leave)
        served.workspace.env["TMPDIR"] = str(disk.path)

        place, reason = directory_of(served)

        assert place == served.workspace.cwd
        assert reason is not None
        assert str(disk.path) in reason

    def test_an_asked_place_in_memory(self, served: Bench, small_disk: MakeDisk) -> None:
        """`--temp-dir` is taken at its word, memory or not."""
        disk = small_disk(100 * MB)

        assert directory_of(served, "--temp-dir", disk.path) == (disk.path, None)

    def test_an_asked_place_that_is_missing(self, served: Bench) -> None:
        """A `--temp-dir` that is not there is exit 7 and named, before it is too late."""
        run = served.fetch(*EARLY, "--temp-dir", "absent")

        served.check_failed(run, 7)
        assert "absent" in message(run)


class TestOutputs:
    """An output that cannot be, or is there already."""

    @pytest.mark.parametrize(
        "output",
        ["absent/video.ts", "x" * 300 + ".ts", "file/video.ts", "folder", "sub/../absent/video.ts"],
        ids=["missing folder", "long name", "below a file", "a folder", "missing, by a detour"],
    )
    def test_an_output_that_cannot_be(self, output: str, served: Bench) -> None:
        """A place that no file can have is exit 7, named, before the first segment request."""
        (served.workspace.cwd / "file").touch()
        (served.workspace.cwd / "folder").mkdir()

        run = served.fetch("-o", output)

        served.check_failed(run, 7)
        assert output.partition("/")[0] in message(run)
        assert served.origin.count("/segment*") == 0

    def test_the_longest_name(self, served: Bench) -> None:
        """A name as long as the file system allows is an output like any other."""
        output = served.workspace.cwd / ("x" * 252 + ".ts")

        run = served.fetch("-o", output)

        assert run.exit_code == 0, run.stderr
        assert sha256_of(output) == served.stream.sha256

    def test_a_directory_that_is_read_only(self, served: Bench, small_disk: MakeDisk) -> None:
        """A directory that cannot be written to is exit 7 before the first segment request."""
        disk = small_disk(8 * MB)
        subprocess.run(["mount", "-o", "remount,ro", disk.path], check=True)

        run = served.fetch("-o", disk.path / "video.ts")

        served.check_failed(run, 7)
        assert str(disk.path) in message(run)
        assert served.origin.count("/segment*") == 0

    @pytest.mark.parametrize("link", [False, True], ids=["a file", "a link to nothing"])
    def test_an_output_that_exists(self, link: bool, served: Bench) -> None:
        """It stays as it is: exit 9 before the first segment request."""
        if link:
            served.output.symlink_to("nothing")
        else:
            served.output.write_text("precious")
        before = served.output.lstat()

        run = served.fetch()

        assert run.exit_code == 9
        assert "--force" in message(run)
        assert served.output.lstat().st_ino == before.st_ino
        assert served.output.lstat().st_mtime_ns == before.st_mtime_ns
        assert served.origin.count("/segment*") == 0
        served.check_nothing_left()

    def test_force(self, served: Bench) -> None:
        """`--force` replaces the output in one step, when it is whole."""
        served.output.write_text("old")

        with served.start("--force") as running:
            running.wait_role("storage")
            early = served.output.read_text()
            run = running.wait()

        assert early == "old"
        served.check_right(run)

    def test_force_keeps_the_old_output_of_a_failed_run(self, served: Bench) -> None:
        """A run that fails leaves the output that it was to replace."""
        served.output.write_text("old")
        served.origin.remove("/segment00007.ts")
        (served.stream.directory / "segment00007.ts").unlink()

        run = served.fetch("--force", "--retry-sleep", "0")

        assert run.exit_code == 6
        assert served.output.read_text() == "old"
        served.check_nothing_left()

    def test_force_does_not_replace_a_directory(self, served: Bench) -> None:
        """A directory is no output, even with `--force`."""
        served.output.mkdir()

        run = served.fetch("--force")

        assert run.exit_code == 7
        assert served.output.is_dir()

    def test_skip_existing(self, served: Bench) -> None:
        """`--skip-existing` is content with what is there, and asks the server for nothing."""
        served.output.write_text("precious")

        run = served.fetch("--skip-existing")

        assert run.exit_code == 0, run.stderr
        assert served.output.read_text() == "precious"
        assert run.receipt["status"] == "complete"
        assert served.origin.count("/segment*") == 0

    def test_skip_existing_is_no_leak(self, served: Bench) -> None:
        """The receipt of a skipped download hides the URL's query, as all others do."""
        served.output.write_text("precious")
        served.url += "?token=hush-hush"

        run = served.fetch("--skip-existing")

        assert "hush-hush" not in run.stdout + run.stderr

    def test_skip_existing_does_not_take_a_directory_for_a_video(self, served: Bench) -> None:
        """A directory in the output's place is an error, not a download that is done."""
        served.output.mkdir()

        run = served.fetch("--skip-existing")

        assert run.exit_code == 7

    def test_an_output_that_appears_meanwhile(self, served: Bench) -> None:
        """A file that somebody puts in the output's place during the run is not replaced."""
        served.origin.behave("/segment00020.ts", Late(0.5))
        with served.start(*EARLY) as running:
            served.origin.wait_for("/segment00020.ts")
            served.output.write_text("precious")
            run = running.wait()

        assert run.exit_code == 9
        assert served.output.read_text() == "precious"
        served.check_nothing_left()

    def test_a_part_that_leads_elsewhere(self, served: Bench) -> None:
        """A `.part` that is a link does not make the run write to another file."""
        victim = served.workspace.cwd / "victim"
        victim.write_text("precious")
        served.output.with_name("video.ts.part").symlink_to(victim)

        run = served.fetch()

        assert run.exit_code in {0, 7}
        assert victim.read_text() == "precious"

    def test_two_runs_on_one_output(self, served: Bench) -> None:
        """The first has it, the second ends at once with exit 9, and the first is not disturbed."""
        served.origin.behave("/segment*", Late(0.5))
        with served.start("--force", *EARLY) as first:
            first.wait_until(served.output.with_name("video.ts.part").exists, "a .part")
            second = served.fetch("--force", *EARLY)
            busy = first.process.poll() is None
            run = first.wait()

        assert busy
        assert second.exit_code == 9
        assert "video.ts" in message(second)
        served.check_right(run)

    @pytest.mark.stress
    @pytest.mark.parametrize("_", range(20))
    def test_a_race_for_one_output(self, _: int, served: Bench) -> None:
        """Of several runs that start together at least one wins; the others exit 9."""
        runs = [served.start() for _ in range(4)]
        codes = sorted(running.wait().exit_code for running in runs)

        assert codes[0] == 0
        assert set(codes[1:]) <= {0, 9}
        assert sha256_of(served.output) == served.stream.sha256
        served.check_nothing_left()


@pytest.mark.parametrize("name", [".", "./", "/", "..", "new/", "a/.."])
def test_an_output_without_a_name(name: str, bench: Bench) -> None:
    """A directory is no output: that is bad usage, and nothing is asked for or made."""
    bench.serve([20 * KB] * 2)

    run = bench.workspace.run("fetch", bench.url, "-o", name)

    assert run.exit_code == 2, run.stderr
    assert "is no name of a file" in run.stderr
    assert bench.origin.count() == 0
    assert list(bench.workspace.cwd.iterdir()) == []


def test_an_output_of_a_batch_without_a_name(bench: Bench) -> None:
    """The line fails, and no other one."""
    bench.serve([20 * KB] * 2)
    (bench.workspace.cwd / "list").write_text(f"{bench.url}\n  out=new/\n{bench.url}?2\n")

    run = bench.workspace.run("batch", "list")

    assert run.exit_code == 6, run.stderr
    assert "is no name of a file" in run.stderr
    assert sorted(path.name for path in bench.workspace.cwd.iterdir()) == ["list", "video.ts"]
