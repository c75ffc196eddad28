"""Where segments rest on their way: memory below the threshold, a temp directory beyond it."""

import resource
import shutil
import threading

import pytest

from tests.e2e.bench import KB, MB, Bench, message
from tests.support.behaviours import Held
from tests.support.runs import Running, limited
from tests.support.streams import Aes
from tests.support.traces import Trace

pytestmark = pytest.mark.processes

UNSHARE = ("unshare", "--mount", "sh", "-c")


@pytest.fixture
def gate(bench: Bench) -> threading.Event:
    """Serves 5 MB whose first segment is held back until this is set."""
    bench.serve([100 * KB] * 50, aes=Aes())
    gate = threading.Event()
    bench.origin.behave("/segment00000.ts", Held(gate))
    return gate


def wait_for_all_but_the_first(bench: Bench, running: Running) -> None:
    """Everything that can be had has come, and some of it is in files."""
    running.wait_until(
        lambda: bench.origin.count("/segment*") == 50 and bench.spilled(), "segment files"
    )


#: Goes to disk at once, and spills what is out of turn.
EARLY = ("--memory-threshold", "200KB")


class TestMemory:
    """Below the threshold."""

    def test_nothing_is_written_but_the_output(self, bench: Bench, trace: Trace) -> None:
        """No directory is made and no file opened for writing but the `.part`."""
        bench.serve([100 * KB] * 30, aes=Aes())
        bench.workspace.env["PYTHONDONTWRITEBYTECODE"] = "1"

        run = bench.fetch(prefix=trace.prefix)

        bench.check_right(run)
        assert trace.directories() == []
        assert trace.written() == {bench.output.with_name("video.ts.part")}

    def test_the_receipt_says_so(self, bench: Bench) -> None:
        """Mode "memory", and zeros for all that concerns the disk."""
        bench.serve([100 * KB] * 3)

        run = bench.fetch()

        assert run.receipt["storage"] == {
            "mode": "memory",
            "threshold_bytes": 50 * MB,
            "switched_at_bytes": None,
            "spilled_bytes": 0,
            "peak_temp_bytes": 0,
            "temp_dir": None,
        }

    def test_without_a_threshold(self, bench: Bench) -> None:
        """`none` keeps everything in memory, and warns of that."""
        bench.serve([MB] * 4)

        run = bench.fetch("--memory-threshold", "none")

        bench.check_right(run)
        assert run.receipt["storage"]["mode"] == "memory"
        assert run.receipt["storage"]["threshold_bytes"] is None
        (warning,) = (event for event in run.events if event["event"] == "warned")
        assert "memory" in warning["message"]

    def test_an_automatic_threshold(self, bench: Bench) -> None:
        """`auto` takes one of the three sizes that go with a machine's memory."""
        bench.serve([KB])

        run = bench.fetch("--memory-threshold", "auto")

        bench.check_right(run)
        assert run.receipt["storage"]["threshold_bytes"] in {25 * MB, 50 * MB, 200 * MB}

    def test_a_threshold_from_the_environment(self, bench: Bench) -> None:
        """HLSPIPE_MEMORY_THRESHOLD is a default that the command line goes before."""
        bench.serve([100 * KB])
        bench.workspace.env["HLSPIPE_MEMORY_THRESHOLD"] = "1MB"

        by_environment = bench.fetch().receipt
        by_option = bench.fetch("--force", "--memory-threshold", "2MB").receipt

        assert by_environment["storage"]["threshold_bytes"] == MB
        assert by_option["storage"]["threshold_bytes"] == 2 * MB


class TestSwitch:
    """At the threshold."""

    def test_the_promised_lines(self, bench: Bench, gate: threading.Event) -> None:
        """`--progress plain` says what happens in the words that scripts rely on."""
        command = ["fetch", bench.url, "-o", "video.ts", "--progress", "plain"]
        with bench.workspace.start(*command, "--memory-threshold", "1MB") as running:
            wait_for_all_but_the_first(bench, running)
            (directory,) = bench.temp_directories()
            gate.set()
            run = running.wait()

        bench.check_right(run)
        lines = run.stderr.splitlines()
        promised = [
            "⚠ Download size exceeded 1MB, switching to disk storage",
            f"Creating temp directory: {directory}",
            "Downloading segments: 50/50 (100.0%) [4.9 MB]",
            f"✓ Segments stored in temporary directory: {directory}",
            "Merging 50 segments into video.ts...",
            "✓ Temporary files cleaned up",
        ]
        assert [line for line in lines if line in promised] == promised

    def test_the_directory_is_private(self, bench: Bench, gate: threading.Event) -> None:
        """The temp directory is open to its owner alone, and its files have six digits."""
        with bench.start(*EARLY) as running:
            wait_for_all_but_the_first(bench, running)
            (directory,) = bench.temp_directories()
            mode = directory.stat().st_mode & 0o777
            names = {path.name for path in bench.spilled()}
            gate.set()
            run = running.wait()

        bench.check_right(run)
        assert mode == 0o700
        assert names <= {f"segment_{index:06d}.ts" for index in range(1, 50)}

    def test_the_disk_holds_each_byte_once(self, bench: Bench) -> None:
        """What arrives in turn goes straight to the output: hardly anything is spilled."""
        bench.serve([100 * KB] * 100, aes=Aes())

        run = bench.fetch("-N", "1", "--memory-threshold", "1MB")

        bench.check_right(run)
        assert run.receipt["storage"]["mode"] == "disk"
        assert run.receipt["storage"]["spilled_bytes"] <= MB

    def test_staging_holds_everything_at_the_end(self, bench: Bench) -> None:
        """`--merge end` has all segments in files before the output is begun."""
        stream = bench.serve([100 * KB] * 30, aes=Aes())

        run = bench.fetch(*EARLY, "--merge", "end")

        bench.check_right(run)
        assert run.receipt["storage"]["peak_temp_bytes"] == stream.bytes
        assert run.receipt["storage"]["spilled_bytes"] == stream.bytes

    @pytest.mark.parametrize("threshold", ["200KB", "50MB"], ids=["disk", "memory would do"])
    def test_kept_segments(self, threshold: str, bench: Bench) -> None:
        """`--keep-segments` leaves every segment's plaintext in a file, and no lock file."""
        stream = bench.serve([50 * KB] * 12, aes=Aes())

        run = bench.fetch("--keep-segments", "--memory-threshold", threshold)

        assert run.exit_code == 0, run.stderr
        (directory,) = bench.temp_directories()
        assert run.receipt["storage"]["temp_dir"] == str(directory)
        kept = {path.name: path.read_bytes() for path in directory.iterdir()}
        assert kept == {f"segment_{index:06d}.ts": stream.payload(index) for index in range(12)}
        shutil.rmtree(directory)
        bench.check_right(run)

    def test_a_foreign_directory_inside(self, bench: Bench, gate: threading.Event) -> None:
        """What somebody puts into the temp directory does not fail a download that is whole."""
        with bench.start(*EARLY) as running:
            wait_for_all_but_the_first(bench, running)
            (directory,) = bench.temp_directories()
            (directory / "foreign").mkdir()
            (directory / "foreign" / "file").touch()
            gate.set()
            run = running.wait()

        assert run.exit_code == 0, run.stderr
        shutil.rmtree(directory, ignore_errors=True)
        bench.check_right(run)

    def test_a_temp_directory_that_is_taken_away(self, bench: Bench, gate: threading.Event) -> None:
        """Segment files that somebody removed are a storage error, never a hole in the output."""
        with bench.start(*EARLY) as running:
            wait_for_all_but_the_first(bench, running)
            (directory,) = bench.temp_directories()
            shutil.rmtree(directory)
            gate.set()
            run = running.wait()

        bench.check_failed(run, 7)
        assert str(directory) in message(run)

    def test_a_segment_file_that_is_cut(self, bench: Bench, gate: threading.Event) -> None:
        """A segment file that lost bytes is a storage error: no SIGBUS, no wrong output."""
        with bench.start(*EARLY, "--merge", "end") as running:
            running.wait_until(lambda: len(bench.spilled()) == 49, "all other segment files")
            path = bench.spilled()[20]
            with path.open("r+b") as file:
                file.truncate(100)
            gate.set()
            run = running.wait()

        bench.check_failed(run, 7)
        assert path.name in message(run)


class TestScarcity:
    """Machines that have little of something."""

    @pytest.mark.parametrize("merge", ["stream", "end"])
    def test_few_descriptors(self, merge: str, bench: Bench) -> None:
        """64 descriptors are enough for any number of segments."""
        bench.serve([100] * 3000)

        run = bench.fetch(
            "--memory-threshold",
            "10KB",
            "--merge",
            merge,
            preexec_fn=limited({resource.RLIMIT_NOFILE: 64}),
        )

        bench.check_right(run)

    @pytest.mark.parametrize("options", ["ro", "size=4k,nr_inodes=1"], ids=["read-only", "full"])
    def test_no_shared_memory_directory(self, options: str, bench: Bench) -> None:
        """A /dev/shm that nothing can be written to makes no difference."""
        script = f'mount -t tmpfs -o {options} none /dev/shm && exec "$@"'
        bench.serve([100 * KB] * 20, aes=Aes())
        prefix = (*UNSHARE, script, "sh")
        if bench.workspace.run("--version", prefix=prefix).exit_code:
            pytest.skip("another mount namespace needs root")

        run = bench.fetch(*EARLY, prefix=prefix)

        bench.check_right(run)

    @pytest.mark.parametrize(("limit", "size"), [(2 * MB, 4 * MB), (56 * MB, 60 * MB)], ids=str)
    def test_file_size_limit(self, limit: int, size: int, bench: Bench) -> None:
        """An output beyond `ulimit -f` is a storage error, not a signal and not an internal one."""
        bench.serve([MB] * (size // MB))

        run = bench.fetch(*EARLY, preexec_fn=limited({resource.RLIMIT_FSIZE: limit}))

        bench.check_failed(run, 7)
        assert "too large" in message(run)
