"""Children that are forks: what they have of their parent, and what not."""

import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from pipeline.processes import forking
from tests.support import proc
from tests.support.origin import Origin
from tests.support.runs import Workspace
from tests.support.streams import build, sha256_of

pytestmark = [pytest.mark.processes, pytest.mark.skipif(sys.platform != "linux", reason="Linux")]

KB = 1 << 10


def python(code: str) -> str:
    """What a program prints."""
    command = [sys.executable, "-c", textwrap.dedent(code)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_not_unless_it_is_allowed() -> None:
    """In a program of others nothing is forked."""
    assert not forking.is_safe("storage")


@pytest.mark.parametrize(
    ("role", "safe"), [("downloader", True), ("storage", True), ("remuxer", False)]
)
def test_who_may_be_one(role: str, safe: bool) -> None:
    """What parses hostile input starts with an empty memory."""
    code = f"""
        from pipeline.processes import forking
        forking.allow()
        print(forking.is_safe({role!r}))
    """
    assert python(code) == str(safe)


def test_not_beside_threads() -> None:
    """One of them might hold a lock."""
    code = """
        import threading, time
        from pipeline.processes import forking
        forking.allow()
        end = threading.Event()
        thread = threading.Thread(target=end.wait)
        thread.start()
        print(forking.is_safe("storage"))
        end.set()
        thread.join()
        deadline = time.monotonic() + 10  # for the system it is there a moment longer
        while not forking.is_safe("storage") and time.monotonic() < deadline:
            time.sleep(0.01)
        print(forking.is_safe("storage"))
    """
    assert python(code).split() == ["False", "True"]


def test_what_a_fork_has(tmp_path: Path) -> None:
    """Its own descriptors and standard error, no handler, no signal pending, and its own name."""
    code = f"""
        import os, signal, sys
        from pathlib import Path
        from pipeline.processes import child, forking

        def live(role, setup):
            handlers = [n for n in signal.valid_signals() if callable(signal.getsignal(n))]
            names = os.listdir("/proc/self/fd")  # one of them is the listing itself
            held = sorted(int(n) for n in names if os.path.exists(f"/proc/self/fd/{{n}}"))
            line = Path("/proc/self/cmdline").read_text().split(chr(0))[:2]
            os.write(setup["out"], repr((role, setup["x"], handlers, held, line)).encode())
            os._exit(0)

        child.live = live
        signal.signal(signal.SIGUSR1, lambda *_: None)
        secret = open({str(tmp_path / "secret")!r}, "w")
        reading, writing = os.pipe()
        pid = forking.fork("storage", {{"x": 5, "out": writing}}, [writing])
        os.waitpid(pid, 0)
        role, x, handlers, held, line = eval(os.read(reading, 10_000))
        print(role, x, handlers, held == [0, 1, 2, writing], line)
        print(signal.pthread_sigmask(signal.SIG_BLOCK, []))
    """
    assert python(code).splitlines() == ["storage 5 [] True ['hlspipe', 'storage']", "set()"]


def test_a_child_never_goes_on_in_the_frames_of_its_parent() -> None:
    """Whatever happens in it, it ends."""
    code = """
        import os
        from pipeline.processes import child, forking

        def live(role, setup):
            raise KeyboardInterrupt

        child.live = live
        print(os.waitstatus_to_exitcode(os.waitpid(forking.fork("storage", {}, []), 0)[1]))
        print("once")
    """
    assert python(code).split() == ["1", "once"]


@pytest.fixture
def running_url(origin: Origin, tmp_path: Path) -> str:
    """A stream of ten segments."""
    build(tmp_path / "stream", [100 * KB] * 10)
    origin.serve_directory(tmp_path / "stream")
    return origin.url("/video.m3u8")


def test_the_command_forks(running_url: str, workspace: Workspace, origin: Origin) -> None:
    """All children share its interpreter, and go by their own names."""
    with workspace.start("fetch", running_url, "-o", "video.ts", "--limit-rate", "50k") as running:
        running.wait_role("storage")
        running.wait_role("downloader")
        programs = {Path(f"/proc/{pid}/exe").readlink() for pid in running.children()}
        names = {tuple(filter(None, proc.arguments(pid))) for pid in running.children()}
        running.interrupt(signal.SIGINT)

    assert len(programs) == 1
    assert names == {("hlspipe", "storage"), ("hlspipe", "downloader")}


def test_a_downloader_that_is_replaced(
    running_url: str, workspace: Workspace, tmp_path: Path
) -> None:
    """A display has its thread by then: the successor is spawned, and the bytes are right."""
    command = ("fetch", running_url, "-o", "video.ts", "--limit-rate", "300k")
    with workspace.start(*command, "--progress", "json") as running:
        running.wait_stored(1)
        running.kill("downloader", signal.SIGKILL)
        run = running.wait()

    assert run.exit_code == 0
    expected = b"".join(p.read_bytes() for p in sorted((tmp_path / "stream").glob("segment*")))
    assert (workspace.cwd / "video.ts").read_bytes() == expected
    assert sha256_of(workspace.cwd / "video.ts")
