"""From the first signal handler to the exit code, in a process of its own."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.conftest import URL
from tests.support.runs import Workspace

ROOT = Path(__file__).parents[2]
HELP = [sys.executable, "-m", "pipeline", "fetch", "--help"]
SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.fixture
def space(tmp_path: Path) -> Workspace:
    """Runs of the whole program, with a download of no bytes."""
    program = [sys.executable, "-m", "tests.cli.program"]
    return Workspace(tmp_path, {"PYTHONPATH": str(ROOT)}, program=program)


@contextmanager
def started(command: list[str] = HELP) -> Iterator[subprocess.Popen[str]]:
    """`command` running, its output on pipes."""
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, cwd=ROOT) as process:
        yield process


def wait_until_guarded(process: subprocess.Popen[str]) -> None:
    """Wait until the process has its early handlers: Python itself never catches SIGHUP."""
    status = Path(f"/proc/{process.pid}/status")
    while process.poll() is None:
        caught = int(status.read_text().partition("SigCgt:")[2].split()[0], 16)
        if caught >> (signal.SIGHUP - 1) & 1:
            return


def check_quiet_end(process: subprocess.Popen[str], exit_code: int) -> None:
    """It ended on its own or by the signal, with nothing to say but one line."""
    stdout, stderr = process.communicate(timeout=30)

    assert "Traceback" not in stderr
    assert stderr in {"", "hlspipe: Interrupted\n"}
    assert process.returncode in {0, exit_code}
    assert process.returncode == exit_code or stdout


@pytest.mark.parametrize("signum", SIGNALS, ids=lambda signum: signum.name)
def test_a_signal_before_the_run_ends_it_quietly(signum: signal.Signals) -> None:
    """From the first handler on, a signal means its exit code and one line."""
    with started() as process:
        wait_until_guarded(process)
        process.send_signal(signum)

        check_quiet_end(process, 128 + signum)


@pytest.mark.stress
def test_no_moment_of_a_start_is_noisy() -> None:
    """Ctrl-C at 60 random moments from the first handler on: never a traceback."""
    for _ in range(60):
        with started() as process:
            wait_until_guarded(process)
            time.sleep(random.uniform(0, 0.06))
            process.send_signal(signal.SIGINT)

            check_quiet_end(process, 130)


@pytest.mark.stress
def test_no_moment_before_the_handlers_shows_our_code() -> None:
    """Ctrl-C at 60 random moments from exec on.

    Until `main` the interpreter is in charge: it dies of the signal, or with exit code 1 while it
    sets itself up, and may print a traceback. What `main` imports is in none.
    """
    for _ in range(60):
        with started() as process:
            time.sleep(random.uniform(0, 0.15))
            process.send_signal(signal.SIGINT)
            _, stderr = process.communicate(timeout=30)

            assert process.returncode in {0, 1, 130, -signal.SIGINT}
            assert "pipeline/cli/app" not in stderr
            assert "Traceback" in stderr or stderr in {"", "hlspipe: Interrupted\n"}


def test_an_ignored_signal_stays_ignored() -> None:
    """Under nohup, a hang-up is nothing to stop for."""
    with started(["sh", "-c", 'trap "" HUP; exec "$@"', "sh", *HELP]) as process:
        time.sleep(0.02)
        process.send_signal(signal.SIGHUP)

        assert "Usage" in process.communicate(timeout=30)[0]
        assert process.returncode == 0


@pytest.mark.parametrize("signum", SIGNALS, ids=lambda signum: signum.name)
def test_a_signal_during_the_run_is_one_line(space: Workspace, signum: signal.Signals) -> None:
    """Whatever events the clean-up sends, what follows a Ctrl-C is one line."""
    space.env["ROUNDS"] = "1000"
    with space.start("fetch", URL, "--progress", "plain") as running:
        running.wait_until(lambda: "Downloading" in running.stderr)
        before = running.stderr
        running.process.send_signal(signum)
        run = running.wait()

    assert run.exit_code == 128 + signum
    assert run.stderr.removeprefix(before) == f"hlspipe: Stopped by {signum.name}\n"


def test_the_receipt_of_an_interrupted_run_is_printed(space: Workspace) -> None:
    """`--json` prints a receipt after a Ctrl-C too."""
    space.env["ROUNDS"] = "1000"
    with space.start("fetch", URL, "--progress", "plain", "--json") as running:
        running.wait_until(lambda: "Downloading" in running.stderr)
        running.interrupt()
        run = running.wait()

    assert run.exit_code == 130
    assert run.receipt["exit_code"] == 130
    assert run.receipt["status"] == "failed"


@pytest.mark.parametrize("style", ["plain", "json", "bar", "auto"])
@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1, 2)], ids=str)
def test_closed_descriptors_do_not_stop_a_run(
    space: Workspace, style: str, closed: tuple[int, ...]
) -> None:
    """A download without stdin, stdout or stderr is a download all the same."""
    run = space.run("fetch", URL, "--progress", style, preexec_fn=closing(*closed))

    assert run.exit_code == 0


def test_a_closed_descriptor_is_not_given_to_a_file(tmp_path: Path) -> None:
    """A file opened while stderr is closed does not become stderr."""
    code = (
        "import os, pipeline.cli as cli; cli._hold_standard_descriptors();"
        f"os._exit(os.open({str(tmp_path / 'file')!r}, os.O_CREAT | os.O_WRONLY))"
    )
    process = subprocess.run(
        [sys.executable, "-c", code], check=False, cwd=ROOT, preexec_fn=closing(0, 1, 2)
    )

    assert process.returncode > 2


def closing(*descriptors: int) -> Callable[[], None]:
    """A `preexec_fn` that closes descriptors."""

    def close() -> None:
        for descriptor in descriptors:
            os.close(descriptor)

    return close


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["--version"], ["fetch", URL, "-q", "--json"]],
    ids=["help", "version", "receipt"],
)
def test_a_reader_that_went_away_is_exit_141(space: Workspace, arguments: list[str]) -> None:
    """Printing to a closed pipe ends as it does for other Unix programs, without a traceback."""
    reading, writing = os.pipe()
    os.close(reading)
    run = space.run(*arguments, stdout=writing)
    os.close(writing)

    assert run.exit_code == 141
    assert "Traceback" not in run.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_under_stdout_is_exit_7(space: Workspace) -> None:
    """Output that cannot be written is an error with its cause."""
    with Path("/dev/full").open("wb") as full:
        run = space.run("--help", stdout=full)

    assert run.exit_code == 7
    assert run.stderr == "hlspipe: Standard output cannot be written: No space left on device\n"


@pytest.mark.parametrize("style", ["plain", "json"])
def test_a_stderr_that_goes_away_does_not_stop_the_download(space: Workspace, style: str) -> None:
    """With nobody to read the progress, the download goes on in silence."""
    reading, writing = os.pipe()
    os.close(reading)
    run = space.run("fetch", URL, "--json", "--progress", style, stderr=writing)
    os.close(writing)

    assert run.exit_code == 0
    assert run.receipt["status"] == "complete"


@pytest.mark.parametrize("style", ["plain", "json"])
def test_a_stderr_that_blocks_does_not_stop_the_download(space: Workspace, style: str) -> None:
    """With a pipe that is full and never read, the download completes, and the program ends."""
    space.env |= {"NOISE": "4000", "ROUNDS": "50"}
    reading, writing = os.pipe()
    run = space.run("fetch", URL, "--json", "--progress", style, stderr=writing)
    os.close(writing)
    os.close(reading)

    assert run.exit_code == 0
    assert run.receipt["status"] == "complete"


def test_what_asked_to_be_called_at_exit_is_called(space: Workspace, tmp_path: Path) -> None:
    """The quick way out leaves no atexit function out."""
    (tmp_path / "sitecustomize.py").write_text("import atexit; atexit.register(print, 'bye')\n")
    space.env["PYTHONPATH"] += f":{tmp_path}"
    space.env["PYTHONUNBUFFERED"] = "1"

    assert space.run("--version").stdout.endswith("bye\n")
