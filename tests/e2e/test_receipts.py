"""`--json`: one object on standard output, complete in every case."""

import signal
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.bench import KB, Bench, segments
from tests.support.behaviours import Late, Status
from tests.support.runs import Run
from tests.support.streams import Aes

pytestmark = pytest.mark.processes

#: Keys at every level, and the types of what is not null.
SHAPE = {
    "url": str,
    "output": str,
    "status": str,
    "exit_code": int,
    "error": str,
    "segments": {"expected": int, "stored": int, "missing": list, "unverified_lengths": int},
    "bytes": int,
    "sha256": str,
    "resumed_bytes": int,
    "gaps": list,
    "discontinuities": int,
    "renditions": list,
    "storage": {
        "mode": str,
        "threshold_bytes": int,
        "switched_at_bytes": int,
        "spilled_bytes": int,
        "peak_temp_bytes": int,
        "temp_dir": str,
    },
    "memory": {"peak_pss_bytes": int},
    "processes": int,
    "connections": int,
    "requests": int,
    "retries": int,
    "elapsed_seconds": float,
}


def check_shape(value: dict[str, Any], shape: dict[str, Any]) -> None:
    """Every key that was promised, with a value of its type or null; there may be more."""
    assert set(value) >= set(shape)
    for key, expected in shape.items():
        if isinstance(expected, dict):
            check_shape(value[key], expected)
        else:
            assert value[key] is None or isinstance(value[key], expected), key


def complete(bench: Bench) -> Run:
    """A run without a fault."""
    return bench.fetch("--memory-threshold", "200KB")


def with_gaps(bench: Bench) -> Run:
    """A run with an allowed gap."""
    bench.origin.behave("/segment00003.ts", Status(404))
    return bench.fetch("--allow-gaps", "--retries", "0")


def without_a_segment(bench: Bench) -> Run:
    """A run that ends for want of a segment."""
    bench.origin.behave("/segment00003.ts", Status(404))
    return bench.fetch("--retries", "0")


def without_a_playlist(bench: Bench) -> Run:
    """A run that ends before there is a plan."""
    bench.origin.behave("/video.m3u8", Status(404))
    return bench.fetch("--retries", "0")


def with_an_output_in_the_way(bench: Bench) -> Run:
    """A run that ends before any process is started."""
    bench.output.touch()
    return bench.fetch()


def skipped(bench: Bench) -> Run:
    """A run that has nothing to do."""
    bench.output.touch()
    return bench.fetch("--skip-existing")


def interrupted(bench: Bench) -> Run:
    """A run that is interrupted while it fetches."""
    bench.origin.behave("/segment00000.ts", Late(30))
    with bench.start("--memory-threshold", "200KB") as running:
        running.wait_until(bench.spilled, "segment files")
        running.interrupt()
        return running.wait()


def killed(bench: Bench) -> Run:
    """A run whose storage process is killed."""
    bench.origin.behave("/segment00000.ts", Late(30))
    with bench.start() as running:
        running.wait_until(lambda: bench.origin.count("/segment*") > 5, "segments")
        running.kill("storage", signal.SIGKILL)
        return running.wait()


CASES: dict[Callable[[Bench], Run], tuple[str, int]] = {
    complete: ("complete", 0),
    with_gaps: ("incomplete", 0),
    without_a_segment: ("failed", 6),
    without_a_playlist: ("failed", 3),
    with_an_output_in_the_way: ("failed", 9),
    skipped: ("complete", 0),
    interrupted: ("failed", 130),
    killed: ("failed", 8),
}


@pytest.fixture
def served(bench: Bench) -> Bench:
    """2 MB in 20 encrypted segments."""
    bench.serve([100 * KB] * 20, aes=Aes())
    return bench


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__.replace("_", " "))
def test_every_run_has_a_receipt(case: Callable[[Bench], Run], served: Bench) -> None:
    """Whatever becomes of a run, its receipt has every key and tells what the exit code tells."""
    status, exit_code = CASES[case]

    run = case(served)

    assert run.exit_code == exit_code, run.stderr
    receipt = run.receipt
    check_shape(receipt, SHAPE)
    assert run.stdout.count("\n") == 1
    assert receipt["url"] == served.url
    assert receipt["output"] == "video.ts"
    assert (receipt["status"], receipt["exit_code"]) == (status, exit_code)
    assert (receipt["error"] is None) == (exit_code == 0)


def test_the_figures(served: Bench) -> None:
    """What a run without a fault says of itself is what the origin and the disk say of it."""
    served.origin.behave("/segment00004.ts", [Status(500), Late(0)])

    run = served.fetch(
        "--memory-threshold", "1MB", "-N", "4", "--processes", "2", "--retry-sleep", "0.01"
    )

    served.check_right(run)
    receipt = run.receipt
    assert receipt["bytes"] == served.output.stat().st_size
    assert segments(run) == (20, 20, [])
    assert receipt["requests"] == served.origin.count() == 23
    assert receipt["retries"] == 1
    assert (receipt["processes"], receipt["connections"]) == (2, 4)
    assert receipt["storage"]["mode"] == "disk"
    assert receipt["storage"]["threshold_bytes"] == 1 << 20
    assert 1 << 20 <= receipt["storage"]["switched_at_bytes"] <= (1 << 20) + 256 * KB
    assert receipt["memory"]["peak_pss_bytes"] > 10 << 20
    assert 0 < receipt["elapsed_seconds"] <= run.elapsed


def test_the_name_that_was_found(served: Bench) -> None:
    """Without `-o` the receipt says which name the output was given."""
    run = served.workspace.run("fetch", served.url, "--json")

    assert run.exit_code == 0, run.stderr
    assert run.receipt["output"] == "video.ts"
    served.check_right(run)
