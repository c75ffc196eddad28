"""How many connections a run settles on, when nobody has said how many."""

import pytest

from tests.e2e.bench import KB, Bench
from tests.support.behaviours import Status, Throttled
from tests.support.streams import Aes

pytestmark = pytest.mark.processes


def refused(bench: Bench) -> int:
    """Requests that the server had no connection for."""
    return sum(request.status == 429 for request in bench.origin.requests)


def test_slow_connections(bench: Bench) -> None:
    """A server that gives each of them little is asked on as many as are ever tried."""
    bench.serve([100 * KB] * 120, aes=Aes())
    bench.origin.behave("/segment*", Throttled(400 * KB))

    run = bench.fetch()

    bench.check_right(run)
    assert run.receipt["connections"] == 16
    assert bench.origin.peak_in_flight <= 16


def test_server_that_allows_few(bench: Bench) -> None:
    """What it bears is found with a few refusals, and not gone beyond any more."""
    allowed = 4
    bench.serve([100 * KB] * 100, aes=Aes())
    bench.origin.behave("/segment*", Throttled(800 * KB))
    bench.origin.limit(allowed, Status(429))

    run = bench.fetch("--retry-sleep", "0.05")

    bench.check_right(run)
    assert run.receipt["connections"] in (allowed, allowed + 1)  # one more is tried now and then
    assert refused(bench) <= 20


def test_as_many_as_asked_for(bench: Bench) -> None:
    """With `-N` nothing is tried."""
    bench.serve([50 * KB] * 40)
    bench.origin.behave("/segment*", Throttled(500 * KB))

    run = bench.fetch("-N", "3")

    bench.check_right(run)
    assert run.receipt["connections"] == 3
    assert bench.origin.peak_in_flight == 3
