"""Ctrl-C and its relatives: at any moment, one line at the most, nothing left, the right code."""

import os
import random
import signal
import threading
import time
from collections.abc import Callable

import pytest

from tests.e2e.bench import KB, MB, Bench
from tests.support.behaviours import Held, Late
from tests.support.invariants import check_i1_output_whole, check_i4_rerun_succeeds
from tests.support.runs import SOON, Run, Running
from tests.support.streams import Aes, sha256_of

pytestmark = pytest.mark.processes

#: Goes to disk early.
EARLY = ("--memory-threshold", "1MB")
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}

Moment = Callable[[Bench, Running], None]


def at_once(bench: Bench, running: Running) -> None:
    """Python has not even begun."""


def at_start(bench: Bench, running: Running) -> None:
    """The first child is there."""
    running.wait_until(running.children, "a child")


def at_the_playlist(bench: Bench, running: Running) -> None:
    """The playlist has been asked for."""
    running.wait_until(lambda: bench.origin.count("/video.m3u8"), "a request for the playlist")


def in_memory(bench: Bench, running: Running) -> None:
    """Some segments are in."""
    running.wait_until(lambda: bench.origin.count("/segment*") > 8, "requests for segments")


def on_disk(bench: Bench, running: Running) -> None:
    """The threshold has been reached, and segments have been spilled."""
    running.wait_until(bench.spilled, "segment files")


MOMENTS = [at_once, at_start, at_the_playlist, in_memory, on_disk]


@pytest.fixture
def slow(bench: Bench) -> Bench:
    """12 MB in 60 segments that take more than a second, the first of them much longer."""
    bench.serve([200 * KB] * 60, aes=Aes())
    bench.origin.behave("/segment*", Late(0.1))
    bench.origin.behave("/segment00000.ts", Late(30))
    return bench


def lines_after(run: Run, before: str) -> list[str]:
    """What was said on standard error after a moment at which it read `before`.

    What another thread was saying at that very moment is not an answer to the signal: progress.
    """
    said = run.stderr.removeprefix(before).splitlines()
    return [line for line in said if '"event": "failed"' in line or not line.startswith("{")]


def check_stopped(bench: Bench, run: Run, exit_code: int, before: str = "") -> None:
    """This exit code, one line at the most, no traceback, no output, nothing left."""
    assert run.exit_code == exit_code, run.stderr
    assert "Traceback" not in run.stderr
    assert len(lines_after(run, before)) <= 1, run.stderr
    assert not bench.output.exists()
    bench.check_nothing_left()


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda moment: moment.__name__.replace("_", " "))
def test_control_c(moment: Moment, slow: Bench) -> None:
    """A SIGINT to the whole group, as a terminal sends it, ends the run with exit 130."""
    with slow.start(*EARLY) as running:
        moment(slow, running)
        before = running.stderr
        running.interrupt(signal.SIGINT)
        run = running.wait(SOON)

    if moment is at_once:
        # Before the interpreter has got as far as to ask, the signal's default is in force.
        assert run.exit_code in {130, -signal.SIGINT, 1}, run.stderr
        slow.check_nothing_left()
        return
    check_stopped(slow, run, 130, before)


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
@pytest.mark.parametrize("moment", [at_start, in_memory, on_disk], ids=lambda each: each.__name__)
@pytest.mark.parametrize("group", [True, False], ids=["to all", "to the main process"])
def test_other_signals(group: bool, moment: Moment, signum: int, slow: Bench) -> None:
    """SIGTERM ends the run with 143 and SIGHUP with 129, whether children get them too or not."""
    with slow.start(*EARLY) as running:
        moment(slow, running)
        before = running.stderr
        if group:
            running.interrupt(signum)
        else:
            os.kill(running.pid, signum)
        run = running.wait(SOON)

    check_stopped(slow, run, CODES[signal.Signals(signum)], before)


@pytest.mark.parametrize("signum", CODES, ids=lambda number: number.name)
def test_the_receipt_of_an_interrupted_run(signum: int, slow: Bench) -> None:
    """`--json` prints a receipt all the same: failed, with the exit code and what was stored."""
    with slow.start(*EARLY) as running:
        on_disk(slow, running)
        running.interrupt(signum)
        run = running.wait(SOON)

    receipt = run.receipt
    assert receipt["status"] == "failed"
    assert receipt["exit_code"] == run.exit_code == CODES[signal.Signals(signum)]
    assert receipt["segments"]["expected"] == 60
    assert receipt["storage"]["mode"] == "disk"
    assert receipt["error"]


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT], ids=int)
def test_a_signal_to_the_children_alone(signum: int, slow: Bench) -> None:
    """What children are sent they ignore: the supervisor alone decides."""
    slow.origin.behave("/segment00000.ts", Late(0.5))
    with slow.start(*EARLY) as running:
        in_memory(slow, running)
        for pid in running.children():
            os.kill(pid, signum)
        run = running.wait(SOON)

    slow.check_right(run)


def test_a_second_control_c(slow: Bench) -> None:
    """Impatience does no harm: still exit 130, no traceback, nothing left."""
    with slow.start(*EARLY) as running:
        on_disk(slow, running)
        for _ in range(5):
            running.interrupt(signal.SIGINT)
            time.sleep(0.005)
        run = running.wait(SOON)

    assert run.exit_code == 130, run.stderr
    assert "Traceback" not in run.stderr
    assert not slow.output.exists()
    slow.check_nothing_left()


@pytest.mark.parametrize("signum", [signal.SIGHUP, signal.SIGINT], ids=lambda number: number.name)
def test_an_ignored_signal_stays_ignored(signum: int, slow: Bench) -> None:
    """Under `nohup` a SIGHUP changes nothing, and in a shell's background a SIGINT does not."""
    slow.origin.behave("/segment00000.ts", Late(0.5))
    with slow.start(*EARLY, preexec_fn=lambda: signal.signal(signum, signal.SIG_IGN)) as running:
        in_memory(slow, running)
        running.interrupt(signum)
        run = running.wait(SOON)

    slow.check_right(run)


def test_a_storage_process_that_cannot_answer(slow: Bench) -> None:
    """A storage process that is stopped does not hold up the end: it is cleaned up after."""
    with slow.start(*EARLY) as running:
        on_disk(slow, running)
        running.kill("storage", signal.SIGSTOP)
        running.interrupt(signal.SIGINT)
        run = running.wait(SOON)

    check_stopped(slow, run, 130)


def test_the_same_command_afterwards(slow: Bench) -> None:
    """After a Ctrl-C the same command succeeds."""
    with slow.start(*EARLY) as running:
        on_disk(slow, running)
        running.interrupt()
        running.wait(SOON)
    slow.origin.behave("/segment00000.ts", Late(0))

    check_i4_rerun_succeeds(slow.workspace, slow.arguments(*EARLY), slow.output, slow.stream.sha256)


class TestDuringTheMerge:
    """A signal while the output is being completed: it is either too late, or in time."""

    @pytest.fixture
    def staged(self, bench: Bench) -> tuple[Bench, threading.Event]:
        """200 MB in segment files but for the first segment, which waits for a gate."""
        bench.serve([4 * MB] * 50)
        gate = threading.Event()
        bench.origin.behave("/segment00000.ts", Held(gate))
        return bench, gate

    @pytest.mark.parametrize("delay", [0.0, 0.05, 0.1], ids=lambda delay: f"after {delay} s")
    def test_the_exit_code_tells_what_became_of_it(
        self, delay: float, staged: tuple[Bench, threading.Event]
    ) -> None:
        """Exit 130 without an output, or exit 0 with a whole one; the next run can do its work."""
        bench, gate = staged
        with bench.start(*EARLY, "--merge", "end") as running:
            running.wait_until(lambda: len(bench.spilled()) >= 49, "segment files")
            gate.set()
            running.wait_until(lambda: "merge_started" in running.stderr, "the merge")
            time.sleep(delay)
            running.interrupt()
            run = running.wait(SOON)

        check_i1_output_whole(bench.output, bench.stream.sha256)
        bench.check_nothing_left()
        assert bench.output.exists() == (run.exit_code == 0), run.stderr
        assert run.exit_code in {0, 130}


def _one_round(slow: Bench, delay: float) -> tuple[Run, float]:
    """Interrupt a run `delay` seconds after its start; the run, and how long it took to end."""
    with slow.start(*EARLY) as running:
        time.sleep(delay)
        running.interrupt()
        start = time.monotonic()
        run = running.wait(30)
        return run, time.monotonic() - start


@pytest.mark.stress
@pytest.mark.parametrize("seed", range(60))
def test_control_c_at_random_moments(seed: int, bench: Bench) -> None:
    """From 0 to 2 s after the start: exit 130 (or 0 for a run that was done), one line, no rest."""
    bench.serve([200 * KB] * 60, aes=Aes())
    bench.origin.behave("/segment*", Late(0.15))
    delay = random.Random(seed).uniform(0, 2)

    run, took = _one_round(bench, delay)

    told = f"interrupted after {delay:.3f} s, ended {took:.3f} s later: {run.stderr}"
    assert run.exit_code in {0, 130} or (delay < 0.1 and run.exit_code in {-2, 1}), told
    assert "Traceback" not in run.stderr or delay < 0.1, told
    assert took < 15, told
    assert bench.output.exists() == (run.exit_code == 0), told
    if run.exit_code == 0:
        assert sha256_of(bench.output) == bench.stream.sha256, told
    bench.check_nothing_left()
