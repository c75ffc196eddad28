"""A downloader that dies with its work done but not yet taken in, and other unlucky moments.

`test_kills` has the moments that come up by themselves; here they are brought about by stopping
a process while another one goes on.
"""

import os
import signal
import threading
import time

import pytest

from tests.e2e.bench import KB, Bench, message
from tests.support import proc
from tests.support.behaviours import Held, Late, Right
from tests.support.invariants import check_i1_output_whole, check_i4_rerun_succeeds
from tests.support.runs import Running
from tests.support.streams import Aes

pytestmark = pytest.mark.processes

#: One connection: a place that is lost in the books is missed at once.
SINGLE = ("-N", "1", "--processes", "1")


@pytest.fixture
def served(bench: Bench) -> Bench:
    """600 KB in 12 encrypted segments."""
    bench.serve([50 * KB] * 12, aes=Aes())
    return bench


def pause() -> None:
    """Half a second in which nothing is asked for."""
    time.sleep(0.5)


def kill_all_downloaders(running: Running) -> None:
    """SIGKILL for each, and wait until the supervisor has noticed: it reaps them."""
    old = set(running.role("downloader"))
    for pid in old:
        os.kill(pid, signal.SIGKILL)
    running.wait_until(lambda: not old & set(proc.descendants(running.pid)), "their end")
    pause()


@pytest.mark.parametrize(
    "connections", [SINGLE, ("-N", "4", "--processes", "2")], ids=["one connection", "four"]
)
def test_death_between_handing_over_and_taking_in(
    connections: tuple[str, ...], served: Bench
) -> None:
    """What a downloader had handed over when it died counts, and its place is free again."""
    served.origin.behave("/segment*", Late(0.05))
    with served.start(*connections) as running:
        running.wait_until(lambda: served.origin.count("/segment*") >= 1, "a first segment")
        storage = running.kill("storage", signal.SIGSTOP)
        served.origin.wait_idle()
        pause()
        kill_all_downloaders(running)
        os.kill(storage, signal.SIGCONT)
        run = running.wait(30)

    served.check_right(run)


@pytest.mark.parametrize("attempt", range(3))
def test_the_blocks_of_the_dead(attempt: int, bench: Bench) -> None:
    """Blocks that were lent to the dead are not lent twice: no segment overwrites another.

    The first segment is held back, so that all others wait in the arena where they would be seen
    to be overwritten; nothing is encrypted, so that nothing but the hash would tell.
    """
    bench.serve([600 * KB] * 30)
    gate = threading.Event()
    bench.origin.behave("/segment*", Late(0.05))
    bench.origin.behave("/segment00000.ts", Held(gate))
    with bench.start("--memory-threshold", "1KB", "--processes", "2") as running:
        running.wait_until(lambda: bench.origin.count("/segment*") >= 1, "a first segment")
        storage = running.kill("storage", signal.SIGSTOP)
        pause()
        kill_all_downloaders(running)
        os.kill(storage, signal.SIGCONT)
        pause()
        gate.set()
        run = running.wait(30)

    bench.check_right(run)


@pytest.mark.stress
@pytest.mark.parametrize("attempt", range(100))
def test_the_blocks_of_the_dead_without_help(attempt: int, bench: Bench) -> None:
    """The same with a plain kill at some moment: one in forty runs had wrong bytes and exit 0."""
    bench.serve([2048 * KB] * 60)
    bench.origin.behave("/segment*", Late(0.02))
    with bench.start("-N", "16", "--processes", "2", "--memory-threshold", "1MB") as running:
        running.wait_until(lambda: bench.origin.count("/segment*") >= 1, "a first segment")
        time.sleep(attempt * 0.008)
        for pid in running.role("downloader")[:1]:
            os.kill(pid, signal.SIGKILL)
        run = running.wait(60)

    bench.check_right(run)


@pytest.mark.parametrize("kills", [1, 4], ids="{} times".format)
def test_one_downloader_that_dies_again_and_again(kills: int, served: Bench) -> None:
    """Deaths that are spread over different segments do not end the run."""
    served.origin.behave("/segment*", Late(0.15))
    with served.start(*SINGLE) as running:
        for number in range(kills):
            served.origin.wait_for("/segment*", 2 * number + 1)
            kill_all_downloaders(running)
            running.wait_role("downloader")
        run = running.wait(60)

    served.check_right(run)


def test_a_segment_that_kills(served: Bench) -> None:
    """Three deaths on one segment are exit 8, and the sentence names the segment."""
    served.origin.behave("/segment00004.ts", Late(60))
    with served.start(*SINGLE) as running:
        for number in range(3):
            served.origin.wait_for("/segment00004.ts", number + 1)
            running.kill("downloader", signal.SIGKILL)
        run = running.wait(60)

    served.check_failed(run, 8)
    assert "Segment 4" in message(run)


def test_the_supervisor_dies_during_the_merge(bench: Bench) -> None:
    """Whatever storage makes of it, nothing is left and the same command succeeds afterwards."""
    bench.serve([4096 * KB] * 60)
    gate = threading.Event()
    bench.origin.behave("/segment00000.ts", [Held(gate), Right()])
    staged = ("--memory-threshold", "1MB", "--merge", "end")
    with bench.start(*staged) as running:
        running.wait_until(lambda: len(bench.spilled()) >= 59, "segment files")
        gate.set()
        running.wait_until(lambda: "merge_started" in running.stderr, "the merge")
        running.kill("supervisor", signal.SIGKILL)
        running.wait()

    check_i1_output_whole(bench.output, bench.stream.sha256)
    bench.check_nothing_left()
    check_i4_rerun_succeeds(
        bench.workspace, bench.arguments(*staged), bench.output, bench.stream.sha256
    )


def test_storage_dies_while_the_supervisor_is_stopped(served: Bench) -> None:
    """A death that is seen late is a death all the same: exit 8, nothing left."""
    served.origin.behave("/segment*", Late(0.2))
    with served.start("--memory-threshold", "10KB", "--merge", "end") as running:
        running.wait_until(served.spilled, "segment files")
        os.kill(running.pid, signal.SIGSTOP)
        running.kill("storage", signal.SIGKILL)
        os.kill(running.pid, signal.SIGCONT)
        run = running.wait()

    served.check_failed(run, 8)


def test_everything_is_stopped_for_a_while(served: Bench) -> None:
    """Ctrl-Z and `fg`: the run goes on."""
    served.origin.behave("/segment*", Late(0.1))
    with served.start() as running:
        running.wait_until(lambda: served.origin.count("/segment*") > 3, "segments")
        running.interrupt(signal.SIGSTOP)
        pause()
        running.interrupt(signal.SIGCONT)
        run = running.wait()

    served.check_right(run)
