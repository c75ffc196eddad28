"""One rate for a whole run (`--limit-rate`)."""

import os
import signal

import pytest

from tests.e2e.bench import KB, MB, Bench
from tests.support.behaviours import Throttled
from tests.support.streams import Aes

pytestmark = pytest.mark.processes

#: What a run may be ahead of its rate, in seconds.
BURST = 0.1


@pytest.mark.parametrize(
    "crew", [("-N", "1"), ("-N", "8"), ("-N", "9", "--processes", "3")], ids=" ".join
)
def test_never_faster(crew: tuple[str, ...], bench: Bench) -> None:
    """However many connections and processes there are, the rate is for all of them."""
    bench.serve([100 * KB] * 16, aes=Aes())

    run = bench.fetch("-r", "1MB", *crew)

    bench.check_right(run)
    assert run.receipt["elapsed_seconds"] >= bench.stream.bytes / MB - BURST


def test_connections_that_are_slow_themselves(bench: Bench) -> None:
    """What some do not use is there for the others, and no more than that."""
    bench.serve([20 * KB] * 10 + [100 * KB] * 8)
    bench.origin.behave("/segment0000*.ts", Throttled(20 * KB))

    run = bench.fetch("-r", "1MB")

    bench.check_right(run)
    assert run.receipt["elapsed_seconds"] >= bench.stream.bytes / MB - BURST


def test_from_the_environment(bench: Bench) -> None:
    """The rate may stand in a variable."""
    bench.serve([100 * KB] * 8)
    bench.workspace.env["HLSPIPE_FETCH_LIMIT_RATE"] = "1MB"

    run = bench.fetch()

    bench.check_right(run)
    assert run.receipt["elapsed_seconds"] >= bench.stream.bytes / MB - BURST


def test_a_rate_below_the_floor(bench: Bench) -> None:
    """Connections that wait for their turn are not too slow, however long they wait."""
    bench.serve([376] * 8)

    run = bench.fetch("-r", "1KB", "--timeout", "1s")

    bench.check_right(run)
    assert run.receipt["elapsed_seconds"] >= bench.stream.bytes / KB - BURST
    assert run.receipt["retries"] == 0


def test_a_death(bench: Bench) -> None:
    """A downloader that is killed takes no more than a moment of the rate with it."""
    bench.serve([100 * KB] * 16)
    with bench.start("-r", "1MB", "--retry-sleep", "0.01") as running:
        running.wait_stored(2)
        os.kill(running.wait_role("downloader"), signal.SIGKILL)
        run = running.wait()

    bench.check_right(run)
    assert run.receipt["elapsed_seconds"] >= bench.stream.bytes / MB - BURST
