"""What is on the disk when it is said to be: the order of writes, syncs and renames."""

import re
import shutil
from pathlib import Path

import pytest

from tests.e2e.bench import KB, Bench
from tests.support.traces import Call, Trace

pytestmark = pytest.mark.processes


@pytest.fixture
def trace(tmp_path: Path) -> Trace:
    """A log of the run's system calls."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    return Trace(tmp_path / "trace")


def step(call: Call) -> tuple[str, str]:
    """What a call does, and to which file (the first that it names)."""
    found = re.search(r'[<"](/[^>"]+)', call.arguments)
    assert found is not None, call.arguments
    return re.sub(r"at2?$", "", call.name), Path(found[1]).name


def steps(trace: Trace) -> list[tuple[str, str]]:
    """Syncs and renames, in order."""
    return [step(call) for call in trace.calls("fsync", "rename", "renameat", "renameat2")]


@pytest.mark.parametrize(
    "way",
    [(), ("--memory-threshold", "100KB"), ("--memory-threshold", "100KB", "--merge", "end")],
    ids=["memory", "stream", "end"],
)
def test_fsync(way: tuple[str, ...], bench: Bench, trace: Trace) -> None:
    """The bytes are on the disk before they have the output's name, and the name is after that."""
    bench.serve([100 * KB] * 8)

    run = bench.fetch("--fsync", *way, prefix=trace.prefix)

    bench.check_right(run)
    assert steps(trace) == [
        ("fsync", "video.ts.part"),
        ("rename", "video.ts.part"),
        ("fsync", bench.output.parent.name),
    ]


def test_without(bench: Bench, trace: Trace) -> None:
    """Nothing waits for the disk that was not asked to."""
    bench.serve([100 * KB] * 8)

    run = bench.fetch(prefix=trace.prefix)

    bench.check_right(run)
    assert steps(trace) == [("rename", "video.ts.part")]
