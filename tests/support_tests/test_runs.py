"""Runs and checks, tried on small programs that stand in for hlspipe."""

import os
import resource
import signal
import sys
import textwrap
from pathlib import Path

import pytest

from tests.support import proc
from tests.support.invariants import (
    check_i1_output_whole,
    check_i2_exit_matches_bytes,
    check_i3_nothing_left,
    check_i4_rerun_succeeds,
    check_i5_requests_bounded,
    leftovers,
)
from tests.support.leaks import Descriptors, Snapshot
from tests.support.origin import Origin
from tests.support.runs import Workspace, limited
from tests.support.streams import build, sha256_of

EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

#: Starts a child whose command line carries its role, and waits for it.
FAMILY = """
    import subprocess, sys
    child = "import time; time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", child, "storage"])
    print('{"segments_done": 3}', file=sys.stderr, flush=True)
    sys.exit(process.wait() and 8)
"""


def program(workspace: Workspace, code: str) -> Workspace:
    """Let the workspace run this Python code instead of hlspipe."""
    workspace.program = (sys.executable, "-c", textwrap.dedent(code))
    return workspace


class TestRuns:
    def test_a_run_has_a_place_of_its_own(
        self, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """HOME, TMPDIR and the working directory are the workspace's; our options are not seen."""
        monkeypatch.setenv("HLSPIPE_FETCH_OUTPUT", "elsewhere")
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
        code = """
            import json, os, sys
            names = ["HOME", "TMPDIR", "HLSPIPE_FETCH_OUTPUT", "http_proxy"]
            values = {name: os.environ.get(name) for name in names}
            print(json.dumps(values | {"cwd": os.getcwd(), "arguments": sys.argv[1:]}))
        """

        run = program(workspace, code).run("fetch", Path("x"))

        assert run.exit_code == 0
        assert run.receipt == {
            "HOME": str(workspace.home),
            "TMPDIR": str(workspace.tmp),
            "HLSPIPE_FETCH_OUTPUT": None,
            "http_proxy": None,
            "cwd": str(workspace.cwd),
            "arguments": ["fetch", "x"],
        }

    def test_events_are_the_json_lines_of_stderr(self, workspace: Workspace) -> None:
        """Other lines, and a line that is not yet complete, are no events."""
        code = r"""
            import sys
            sys.stderr.write('{"a": 1}\nwords\n{"b": 2}\n{"c": 3')
        """

        run = program(workspace, code).run()

        assert run.events == [{"a": 1}, {"b": 2}]

    def test_children_are_found_by_their_role(self, workspace: Workspace) -> None:
        """A role's process can be found and killed, and the run's end waited for."""
        with program(workspace, FAMILY).start() as running:
            running.wait_stored(3)
            pid = running.kill("storage", signal.SIGKILL)
            run = running.wait()

        assert run.exit_code == 8
        assert proc.state(pid) in {"", "Z"}
        assert running.role("supervisor") == [running.pid]

    def test_a_run_that_hangs_fails_its_test(self, workspace: Workspace) -> None:
        """A run that outlives the patience is killed, children too, and shown."""
        running = program(workspace, FAMILY).start()
        running.wait_role("storage")

        with pytest.raises(AssertionError, match=r"still running after 0.01 s:(.|\n)*storage"):
            running.wait(timeout=0.01)

        check_i3_nothing_left(workspace)
        running.process.wait()

    def test_a_run_that_ends_early_fails_the_wait(self, workspace: Workspace) -> None:
        """Waiting for something that can no longer happen ends with what was said."""
        code = "import sys; sys.exit('no such thing')"

        with (
            program(workspace, code).start() as running,
            pytest.raises(AssertionError, match="exit 1 before 9 segments stored:\nno such"),
        ):
            running.wait_stored(9)

    def test_leaving_the_block_leaves_no_process(self, workspace: Workspace) -> None:
        """A test that fails in the middle does not leave its run behind."""
        with program(workspace, FAMILY).start() as running:
            running.wait_role("storage")

        check_i3_nothing_left(workspace)

    def test_limits_apply_to_the_run(self, workspace: Workspace) -> None:
        """A run may be given few descriptors."""
        code = "import resource; print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])"

        run = program(workspace, code).run(preexec_fn=limited({resource.RLIMIT_NOFILE: 64}))

        assert run.stdout == "64\n"

    def test_memory_of_the_whole_tree_is_sampled(self, workspace: Workspace) -> None:
        """The peak covers children, and memory that is already given back."""
        code = """
            import subprocess, sys
            child = "import time; block = b'x' * (64 << 20); time.sleep(60)"
            subprocess.run([sys.executable, "-c", child])
        """
        with program(workspace, code).start() as running, running.memory() as memory:
            running.wait_until(lambda: memory.peak > 64 << 20, "peak above the child's memory")
            running.kill_group()
            running.wait()

        assert memory.samples > 0
        assert memory.peak > 64 << 20


class TestInvariants:
    def test_i1_a_half_file_is_found(self, tmp_path: Path) -> None:
        """No output is fine, a whole one is, another is not."""
        output = tmp_path / "video.ts"
        check_i1_output_whole(output, EMPTY)
        output.touch()
        check_i1_output_whole(output, EMPTY)
        output.write_bytes(b"half")

        with pytest.raises(AssertionError, match="is not whole: 4 bytes"):
            check_i1_output_whole(output, EMPTY)

    @pytest.mark.parametrize(
        ("code", "content", "complaint"),
        [
            pytest.param("exit(0)", None, "exit 0 without an output", id="nothing"),
            pytest.param("exit(0)", b"wrong", "exit 0 with wrong bytes", id="wrong bytes"),
            pytest.param("exit(6)", b"", "exit 6 with an output", id="failure with output"),
        ],
    )
    def test_i2_a_wrong_exit_is_found(
        self, workspace: Workspace, code: str, content: bytes | None, complaint: str
    ) -> None:
        """Exit 0 goes with the right bytes and nothing else does."""
        output = workspace.cwd / "video.ts"
        if content is not None:
            output.write_bytes(content)
        run = program(workspace, code).run()

        with pytest.raises(AssertionError, match=complaint):
            check_i2_exit_matches_bytes(run, output, EMPTY)

    def test_i2_the_right_exits_pass(self, workspace: Workspace) -> None:
        """Right bytes with 0, no bytes with 6."""
        output = workspace.cwd / "video.ts"
        failed = program(workspace, "exit(6)").run()
        check_i2_exit_matches_bytes(failed, output, EMPTY)
        output.touch()
        fine = program(workspace, "exit(0)").run()

        check_i2_exit_matches_bytes(fine, output, EMPTY)

    @pytest.mark.parametrize(
        ("path", "line"),
        [
            ("tmp/m3u8-segments-abc/segment_000001.ts", "temp directory: .*/m3u8-segments-abc"),
            ("work/video.ts.part", "partial file: .*/video.ts.part"),
            ("work/video.ts.part.journal", "partial file: .*/video.ts.part.journal"),
            ("tmp/pymp-xyz/listener", "temp directory: .*/pymp-xyz"),
        ],
    )
    def test_i3_files_are_found(self, workspace: Workspace, path: str, line: str) -> None:
        """Temp directories, partial files and journals count as left behind."""
        file = workspace.root / path
        file.parent.mkdir(exist_ok=True)
        file.touch()

        assert len(leftovers(workspace, timeout=0)) == 1
        with pytest.raises(AssertionError, match=line):
            check_i3_nothing_left(workspace, timeout=0)

    def test_i3_what_may_stay_is_not_counted(self, workspace: Workspace, before: Snapshot) -> None:
        """A run with `-c` may leave its partial file."""
        (workspace.cwd / "video.ts.part").touch()

        check_i3_nothing_left(workspace, before=before, allowed=[".part", ".part.journal"])

    def test_i3_an_orphan_is_found(self, workspace: Workspace) -> None:
        """A child that outlives its parent is found, in whatever group it is."""
        code = """
            import subprocess, sys
            child = "import time; time.sleep(60)"
            subprocess.Popen([sys.executable, "-c", child, "downloader"], start_new_session=True)
        """
        with program(workspace, code).start() as running:
            running.wait()
            found = leftovers(workspace, timeout=0.1)
            running.kill_group()

        assert len(found) == 1
        assert found[0].startswith("process: ")
        assert found[0].endswith("downloader")
        check_i3_nothing_left(workspace)

    def test_i3_shared_memory_is_found(self, workspace: Workspace, before: Snapshot) -> None:
        """An entry in /dev/shm that was not there before counts."""
        path = Path(f"/dev/shm/hlspipe-test-{os.getpid()}")
        path.touch()
        try:
            found = leftovers(workspace, before=before, timeout=0)
        finally:
            path.unlink()

        assert f"shared memory: {path}" in found

    def test_i4_the_rerun_must_succeed(self, workspace: Workspace) -> None:
        """The rerun gets the same arguments and has to leave the right bytes."""
        output = workspace.cwd / "video.ts"
        program(workspace, "import sys; open(sys.argv[1], 'w').close()")

        run = check_i4_rerun_succeeds(workspace, ["video.ts"], output, EMPTY)

        assert run.exit_code == 0
        with pytest.raises(AssertionError, match="wrong bytes"):
            check_i4_rerun_succeeds(workspace, ["video.ts"], output, sha256_of(Path(__file__)))

    def test_i5_too_many_requests_are_found(
        self, origin: Origin, workspace: Workspace, stream_dir: Path
    ) -> None:
        """More requests than tries were allowed fail."""
        stream = build(stream_dir, [10])
        code = """
            import sys, urllib.request
            for _ in range(5):
                urllib.request.urlopen(sys.argv[1]).close()
        """
        origin.serve({"/a": b"a"})
        program(workspace, code).run(origin.url("/a"))

        check_i5_requests_bounded(origin, stream, retries=2)
        with pytest.raises(AssertionError, match="5 requests, 4 at the most"):
            check_i5_requests_bounded(origin, stream, retries=1)


class TestDescriptors:
    def test_an_open_file_is_found(self, tmp_path: Path) -> None:
        """A descriptor that a test forgot is named."""
        before = Descriptors.take()
        with (tmp_path / "open").open("w"):
            found = Descriptors.take().since(before)

        assert len(found) == 1
        assert found[0].endswith("/open")
        assert Descriptors.take().since(before) == []
