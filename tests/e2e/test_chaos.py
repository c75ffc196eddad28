"""A server that does everything at random: a run is right, or an honest error."""

import random

import pytest

from tests.e2e.bench import KB, Bench
from tests.support.behaviours import (
    Chaos,
    Cut,
    Garbage,
    OtherRange,
    Page,
    Reset,
    Right,
    Stall,
    Status,
)
from tests.support.exchange import Behaviour
from tests.support.invariants import check_i2_exit_matches_bytes, check_i5_requests_bounded
from tests.support.runs import Run
from tests.support.streams import Aes

pytestmark = pytest.mark.processes

#: Exit codes that such a server may lead to: network, decryption, missing segments.
HONEST = {0, 3, 5, 6}

#: What must be in nothing that a run says.
SECRETS = ("t0ken", "Sesame", "hush")


def wickedness(random_: random.Random) -> list[Behaviour]:
    """What one request may meet."""
    cut = random_.randrange(1, 200 * KB)
    return [
        Reset(after=cut),
        Stall(after=cut),
        Cut(after=cut),
        Status(500),
        Status(429, retry_after=1),
        OtherRange(),
        Garbage(),
        Page(),
        *[Right(etag='"one"')] * 12,
    ]


def options(random_: random.Random) -> list[str]:
    """Some way of running."""
    found = ["-N", str(random_.choice([1, 2, 4, 8, 16])), "--retry-sleep", "0.01"]
    found += ["--timeout", "0.5", "--retries", str(random_.choice([2, 4, 8]))]
    found += ["--memory-threshold", random_.choice(["50MB", "300KB"])]
    found += random_.choice([[], ["--merge", "end"], ["-c"], ["--checksum", "sha256"]])
    return [*found, "-H", "X-Api-Key: Sesame", "-v"]


def serve(bench: Bench, random_: random.Random) -> None:
    """Some stream."""
    sizes = [random_.randrange(1000, 300 * KB) for _ in range(12)]
    recipe = random_.choice(
        [
            {"aes": Aes()},
            {"aes": Aes(rotate_every=3)},
            {"aes": Aes(iv="explicit"), "byte_ranges": "explicit"},
            {"container": "fmp4", "maps_every": 4},
            {"container": "fmp4", "aes": Aes(encrypt_map=True)},
        ]
    )
    bench.serve(sizes, **recipe)
    bench.url += "?t0ken=hush"


def check_honest(bench: Bench, run: Run, retries: int) -> None:
    """Right, or an honest error; nothing left, nothing told, and not asked too often."""
    assert run.exit_code in HONEST, run.stderr
    check_i2_exit_matches_bytes(run, bench.output, bench.stream.sha256)
    if run.exit_code == 0:
        bench.check_nothing_left()
    check_i5_requests_bounded(bench.origin, bench.stream, retries=retries)
    assert not any(secret in run.stderr + run.stdout for secret in SECRETS)


def bad_day(bench: Bench, seed: int) -> tuple[Run, int]:
    """One run against a server that is made of `seed`, and the retries it was allowed."""
    random_ = random.Random(seed)
    serve(bench, random_)
    chosen = options(random_)
    bench.origin.behave("/*.ts", Chaos(wickedness(random_), seed))
    bench.origin.behave("/*.m4s", Chaos(wickedness(random_), seed))

    run = bench.fetch(*chosen)

    return run, int(chosen[chosen.index("--retries") + 1])


@pytest.mark.parametrize("seed", range(3))
def test_a_bad_day(seed: int, bench: Bench) -> None:
    """Every exit 0 has the right bytes."""
    check_honest(bench, *bad_day(bench, seed))


@pytest.mark.stress
@pytest.mark.parametrize("seed", range(100, 300))
def test_many_bad_days(seed: int, bench: Bench) -> None:
    """Two hundred of them."""
    check_honest(bench, *bad_day(bench, seed))
