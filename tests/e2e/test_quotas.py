"""How much a download may take, where its user sets limits."""

import pytest

from tests.e2e.bench import KB, MB, Bench, message
from tests.support.behaviours import Endless, Late
from tests.support.invariants import check_i4_rerun_succeeds
from tests.support.streams import Aes

pytestmark = pytest.mark.processes


def test_larger_than_allowed(bench: Bench) -> None:
    """It is noticed as the bytes come; nothing of them stays."""
    bench.serve([200 * KB] * 40, aes=Aes())
    bench.origin.behave("/segment*", Late(0.05))

    run = bench.fetch("--max-size", "1MB")

    bench.check_failed(run, 7)
    assert "--max-size allows (1.0 MB)" in message(run)
    assert bench.origin.count("/segment*") < 40
    check_i4_rerun_succeeds(
        bench.workspace, bench.arguments("--max-size", "9MB"), bench.output, bench.stream.sha256
    )


def test_larger_than_allowed_and_it_says_so(bench: Bench) -> None:
    """Where the playlist tells the size, no segment is asked for."""
    bench.serve([200 * KB] * 10, byte_ranges="explicit")

    run = bench.fetch("--max-size", "1MB")

    bench.check_failed(run, 7)
    assert bench.origin.count() == 1


def test_segment_without_an_end(bench: Bench) -> None:
    """One segment alone may be too much."""
    bench.serve([200 * KB] * 3)
    bench.origin.behave("/segment00001.ts", Endless())

    run = bench.fetch("--max-size", "4MB", "--retries", "0")

    bench.check_failed(run, 7)


def test_longer_than_allowed(bench: Bench) -> None:
    """The whole run has a deadline, whatever it is waiting for."""
    bench.serve([200 * KB] * 10)
    bench.origin.behave("/segment00003.ts", Late(30.0))

    run = bench.fetch("--max-time", "1s")

    bench.check_failed(run, 3)
    assert "--max-time allows (1 seconds)" in message(run)
    assert run.elapsed < 20


def test_within_all_limits(bench: Bench) -> None:
    """A download that keeps to them notices nothing."""
    bench.serve([MB] * 3, aes=Aes())

    run = bench.fetch("--max-size", "3MB", "--max-time", "2m")

    bench.check_right(run)
