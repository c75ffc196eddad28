"""`-o -`: whole segments leave in order, a slow reader is waited for, and a reader may go away."""

import fcntl
import hashlib
import os
import signal
import subprocess
import termios
import threading
from array import array
from pathlib import Path

import pytest

from tests.e2e.bench import KB, MB, Bench, message
from tests.support import proc
from tests.support.behaviours import Held
from tests.support.streams import Aes

pytestmark = pytest.mark.processes

SMALL = ("--memory-threshold", "1MB", "--progress", "json")


@pytest.fixture
def piped(bench: Bench) -> list[str]:
    """The command line that fetches the bench's stream (6 MB) to standard output."""
    bench.serve([100 * KB] * 60, aes=Aes())
    return ["fetch", bench.url, "-o", "-", *SMALL]


def read_to_end(descriptor: int, size: int = 1 << 16) -> str:
    """The hash of what comes out of a pipe until its end."""
    digest = hashlib.sha256()
    while data := os.read(descriptor, size):
        digest.update(data)
    os.close(descriptor)
    return digest.hexdigest()


def wait_until_full(descriptor: int) -> None:
    """Return once a pipe holds all that it can, or all that there is: nothing more comes."""
    held, before = array("i", [0]), -1
    for _ in proc.polled(30, 0.2):
        fcntl.ioctl(descriptor, termios.FIONREAD, held)
        if held[0] == before > 0:
            return
        before = held[0]
    raise AssertionError(f"{before} bytes in the pipe")


def test_to_a_file(bench: Bench, piped: list[str]) -> None:
    """A shell's `>` gets the bytes, and nothing else."""
    with bench.output.open("wb") as file:
        run = bench.workspace.run(*piped, stdout=file)

    bench.check_right(run)


@pytest.mark.parametrize("merge", ["stream", "end"])
def test_to_a_pipe(merge: str, bench: Bench, piped: list[str]) -> None:
    """A pipe gets the bytes, whether they are written as they come or at the end."""
    reading, writing = os.pipe()
    with bench.workspace.start(*piped, "--merge", merge, stdout=writing) as running:
        os.close(writing)
        sha256 = read_to_end(reading)
        run = running.wait()

    assert run.exit_code == 0, run.stderr
    assert sha256 == bench.stream.sha256
    bench.check_nothing_left()


def test_to_a_pipe_that_is_read_late(bench: Bench, piped: list[str]) -> None:
    """While nobody reads the run waits, and when somebody does nothing is lost."""
    reading, writing = os.pipe()
    with bench.workspace.start(*piped, stdout=writing) as running:
        os.close(writing)
        wait_until_full(reading)
        sha256 = read_to_end(reading, 999)
        run = running.wait()

    assert run.exit_code == 0, run.stderr
    assert sha256 == bench.stream.sha256
    bench.check_nothing_left()


def test_nothing_leaves_before_its_turn(bench: Bench, piped: list[str]) -> None:
    """With the first segment held back, what came is spilled, and not one byte is sent."""
    gate = threading.Event()
    bench.origin.behave("/segment00000.ts", Held(gate))
    with (
        bench.output.open("wb") as file,
        bench.workspace.start(*piped, stdout=file) as running,
    ):
        bench.origin.wait_for("/segment*", 60)
        running.wait_until(bench.spilled, "segment files")
        early = bench.output.stat().st_size
        gate.set()
        run = running.wait()

    assert early == 0
    bench.check_right(run)


def test_a_segment_leaves_when_it_is_whole(bench: Bench) -> None:
    """The first segment is out before the second has come; half a segment is not sent."""
    bench.serve([MB] * 2, aes=Aes())
    gate = threading.Event()
    bench.origin.behave("/segment00001.ts", Held(gate, after=700 * KB))
    reading, writing = os.pipe()
    arguments = ["fetch", bench.url, "-o", "-", "--progress", "none"]
    with bench.workspace.start(*arguments, stdout=writing) as running:
        os.close(writing)
        first = b""
        while len(first) < MB:
            first += os.read(reading, MB - len(first))
        os.set_blocking(reading, False)
        with pytest.raises(BlockingIOError):
            os.read(reading, 1)
        os.set_blocking(reading, True)
        gate.set()
        sha256 = read_to_end(reading)
        run = running.wait()

    assert run.exit_code == 0, run.stderr
    assert first == bench.stream.payload(0)
    assert sha256 == hashlib.sha256(bench.stream.payload(1)).hexdigest()


def test_to_a_closed_pipe(bench: Bench, piped: list[str]) -> None:
    """A reader that is gone ends the run with exit 141, one sentence and no traceback."""
    reading, writing = os.pipe()
    os.close(reading)
    with bench.workspace.start(*piped, stdout=writing) as running:
        os.close(writing)
        run = running.wait()

    bench.check_failed(run, 141)


@pytest.mark.parametrize("merge", ["stream", "end"])
def test_to_a_reader_that_goes_away(merge: str, bench: Bench, piped: list[str]) -> None:
    """`| head -c 300000` ends the run with exit 141, and nothing is left behind."""
    reading, writing = os.pipe()
    with bench.workspace.start(*piped, "--merge", merge, stdout=writing) as running:
        os.close(writing)
        data = b""
        while len(data) < 300_000:
            data += os.read(reading, 300_000 - len(data))
        os.close(reading)
        run = running.wait()

    assert data == b"".join(map(bench.stream.payload, range(3)))[:300_000]
    bench.check_failed(run, 141)


def test_an_interrupt_while_nobody_reads(bench: Bench, piped: list[str]) -> None:
    """A run that waits for its reader can be interrupted."""
    reading, writing = os.pipe()
    with bench.workspace.start(*piped, stdout=writing) as running:
        os.close(writing)
        wait_until_full(reading)
        running.interrupt(signal.SIGINT)
        run = running.wait()
    os.close(reading)

    bench.check_failed(run, 130)


def test_to_a_full_disk(bench: Bench, piped: list[str]) -> None:
    """A file on a disk without room is exit 7, as for any output."""
    with Path("/dev/full").open("wb") as file:
        run = bench.workspace.run(*piped, stdout=file)

    bench.check_failed(run, 7)
    assert "No space left" in message(run)


def test_standard_output_closed_from_the_start(bench: Bench, piped: list[str]) -> None:
    """`>&-` is refused with exit 141 before anything is asked for."""
    shell = ["sh", "-c", 'exec "$@" >&-', "sh"]

    run = bench.workspace.run(*piped, prefix=shell)

    assert run.exit_code == 141, run.stderr
    assert "Traceback" not in run.stderr
    assert bench.origin.count() == 0


def test_into_another_program(bench: Bench, piped: list[str]) -> None:
    """In a shell's pipeline the next program sees the bytes and the end."""
    command = [*bench.workspace.program, *piped]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=bench.workspace.environment(),
    ) as hlspipe:
        done = subprocess.run(["sha256sum"], stdin=hlspipe.stdout, capture_output=True, check=True)

    assert hlspipe.returncode == 0
    assert done.stdout.split()[0].decode() == bench.stream.sha256
