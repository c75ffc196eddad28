"""Memory, descriptors and processes that the system does not give: limits on the whole tree.

A run does with less, or ends with one sentence; it never hangs, never loops, and leaves nothing.
Which call meets the limit is chance here; one by one they fail in `test_fault_injection`.
"""

import contextlib
import os
import resource
import signal
import threading
from typing import Self

import pytest

from tests.e2e.bench import KB, MB, Bench
from tests.support import proc
from tests.support.invariants import (
    check_i2_exit_matches_bytes,
    check_i4_rerun_succeeds,
    check_i5_requests_bounded,
)
from tests.support.runs import Run, Running, limited

pytestmark = pytest.mark.processes

ARGUMENTS = ("-N", "4", "--processes", "2", "--retries", "2", "--retry-sleep", "0.01")


@pytest.fixture
def served(bench: Bench) -> Bench:
    """6 MB in 24 segments."""
    bench.serve([256 * KB] * 24)
    return bench


def check_clean(bench: Bench, run: Run, codes: set[int]) -> None:
    """Right bytes, or one of these exit codes, one sentence and nothing left; then a rerun."""
    assert run.exit_code in {0, *codes}, run.stderr
    check_i2_exit_matches_bytes(run, bench.output, bench.stream.sha256)
    assert "Traceback" not in run.stderr
    assert len(list(Bench.failures(run))) == (1 if run.exit_code else 0), run.stderr
    bench.check_nothing_left()
    check_bounded(bench)
    check_rerun(bench)


def check_bounded(bench: Bench) -> None:
    """Three deaths of a downloader for each segment are the most."""
    deaths = 3 * len(bench.stream.segments)
    check_i5_requests_bounded(bench.origin, bench.stream, retries=2, deaths=deaths)


def check_rerun(bench: Bench) -> None:
    """The next run is right, and nothing of this one is left after it."""
    arguments = bench.arguments(*ARGUMENTS, "--force")
    check_i4_rerun_succeeds(bench.workspace, arguments, bench.output, bench.stream.sha256)
    bench.check_nothing_left()


def check_address_space(bench: Bench, limit: int) -> None:
    """Exit 8 is for libraries that do not survive a refusal: the C library's own threads, say."""
    run = bench.fetch(*ARGUMENTS, preexec_fn=limited({resource.RLIMIT_AS: limit}))

    check_clean(bench, run, {7, 8})


@pytest.mark.parametrize("limit", [60, 100, 150, 200, 400], ids=lambda limit: f"{limit} MB")
def test_address_space(limit: int, served: Bench) -> None:
    """With `ulimit -v` a run is right, or says that there is no memory."""
    check_address_space(served, limit * MB)


@pytest.mark.stress
@pytest.mark.parametrize("limit", range(60, 420, 6), ids=lambda limit: f"{limit} MB")
def test_any_address_space(limit: int, served: Bench) -> None:
    """The same in small steps: another call meets the limit each time."""
    check_address_space(served, limit * MB)


@pytest.mark.parametrize("descriptors", [8, 12, 16, 24, 32])
def test_descriptors(descriptors: int, served: Bench) -> None:
    """With very few descriptors too, a run is right or says what is lacking."""
    run = served.fetch(*ARGUMENTS, preexec_fn=limited({resource.RLIMIT_NOFILE: descriptors}))

    check_clean(served, run, {7})
    assert run.exit_code == 0 or "Too many open files" in next(Bench.failures(run))


class MemoryGuard:
    """Kills the largest process of a run for as long as all of them are too large together.

    That is what the kernel does to a container with such a limit.
    """

    def __init__(self, running: Running, limit: int) -> None:
        self._marker = running.workspace.marker
        self._limit = limit
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="guard", daemon=True)
        self.kills = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(0.01):
            sizes = {pid: proc.pss(pid) for pid in proc.marked(self._marker)}
            if sizes and sum(sizes.values()) > self._limit:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(max(sizes, key=lambda pid: sizes[pid]), signal.SIGKILL)
                    self.kills += 1


@pytest.mark.parametrize("limit", [10, 20, 30], ids=lambda limit: f"{limit} MB")
def test_a_container_that_is_too_small(limit: int, served: Bench) -> None:
    """Processes are killed, replaced, and killed again: that has an end, and leaves nothing."""
    with (
        served.start(*ARGUMENTS, "--memory-threshold", "1MB", "--merge", "end") as running,
        MemoryGuard(running, limit * MB) as guard,
    ):
        run = running.wait(30)

    assert guard.kills
    if run.exit_code != -signal.SIGKILL:
        check_clean(served, run, {8})
    else:  # the supervisor was the largest
        assert not served.output.exists()
        check_bounded(served)
        check_rerun(served)
