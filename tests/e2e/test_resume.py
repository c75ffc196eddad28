"""`--continue`: what was written before a failure, a signal or a kill is not fetched again."""

import random
import signal
import time
from pathlib import Path

import pytest

from tests.e2e.bench import KB, Bench, message
from tests.support.behaviours import Late, Status
from tests.support.runs import Run, Running
from tests.support.streams import Aes, sha256_of

pytestmark = pytest.mark.processes

KEPT = (".part", ".part.journal")


@pytest.fixture
def slow(bench: Bench) -> Bench:
    """6 MB in 60 encrypted segments that take a second to come."""
    bench.serve([100 * KB] * 60, aes=Aes())
    bench.origin.behave("/segment*", Late(0.12))
    return bench


def part(bench: Bench) -> Path:
    """Where the unfinished output is."""
    return bench.output.with_name("video.ts.part")


def interrupted(bench: Bench, running: Running, signum: int) -> Run:
    """The run, ended by a signal to all of its processes once half of it is there."""
    running.wait_until(lambda: bench.origin.count("/segment*") >= 30, "half of the segments")
    running.interrupt(signum)
    return running.wait()


def check_taken_up(bench: Bench, run: Run) -> None:
    """The second run is right, and has not fetched what the first one had."""
    bench.check_right(run)
    assert run.receipt["resumed_bytes"] > 0
    fetched = bench.stream.bytes - run.receipt["resumed_bytes"]
    assert run.receipt["requests"] <= fetched // (100 * KB) + 2


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_download_goes_on(slow: Bench, signum: int) -> None:
    """Whatever ended the first run, the second begins where it was."""
    with slow.start("--continue") as running:
        run = interrupted(slow, running, signum)
    assert run.exit_code != 0
    assert part(slow).stat().st_size > 0
    if signum != signal.SIGKILL:
        assert "are kept" in message(run)
        assert run.receipt["kept_bytes"] == part(slow).stat().st_size

    check_taken_up(slow, slow.fetch("-c"))


def test_a_failed_download_goes_on(slow: Bench) -> None:
    """A segment that could not be had today may be there tomorrow."""
    slow.origin.behave("/segment00040.ts", Status(404))
    run = slow.fetch("-c", "--retry-sleep", "0.01")
    assert run.exit_code == 6

    slow.origin.behave("/segment00040.ts", Late(0.0))
    check_taken_up(slow, slow.fetch("-c"))


def test_a_flipped_byte_is_found(slow: Bench) -> None:
    """What is there is believed only as far as its checksums agree."""
    with slow.start("-c") as running:
        interrupted(slow, running, signal.SIGKILL)
    data = bytearray(part(slow).read_bytes())
    data[250 * KB] ^= 1
    part(slow).write_bytes(data)

    run = slow.fetch("-c")

    slow.check_right(run)
    assert run.receipt["resumed_bytes"] == 200 * KB
    assert "is not what its journal says" in run.stderr


def test_another_video_starts_over(slow: Bench) -> None:
    """What is left of one playlist is not taken for the beginning of another."""
    with slow.start("-c") as running:
        interrupted(slow, running, signal.SIGKILL)
    slow.serve([90 * KB] * 20, aes=Aes(), seed=7)

    run = slow.fetch("-c")

    slow.check_right(run)
    assert run.receipt["resumed_bytes"] == 0
    assert "is of another playlist, variant or key: starting over" in run.stderr


def test_a_lost_journal(slow: Bench) -> None:
    """Without it nobody knows what the bytes are: the run starts over, and says so."""
    with slow.start("-c") as running:
        interrupted(slow, running, signal.SIGKILL)
    part(slow).with_name("video.ts.part.journal").unlink()

    run = slow.fetch("-c")

    slow.check_right(run)
    assert "has no journal: starting over" in run.stderr


def test_the_checksum_covers_what_was_there(slow: Bench) -> None:
    """`--checksum` is that of the whole file, not of what this run fetched."""
    with slow.start("-c") as running:
        interrupted(slow, running, signal.SIGTERM)

    run = slow.fetch("-c", "--checksum", "sha256")

    assert run.receipt["resumed_bytes"] > 0
    assert run.receipt["sha256"] == slow.stream.sha256


def test_without_the_option_nothing_stays(slow: Bench) -> None:
    """An interrupted run leaves nothing, and one without -c does not take up what is there."""
    with slow.start("-c") as running:
        interrupted(slow, running, signal.SIGKILL)
    slow.origin.forget()
    with slow.start() as running:
        run = interrupted(slow, running, signal.SIGINT)

    assert "with -c it would be" in message(run)
    slow.check_nothing_left()


@pytest.mark.parametrize("options", [["-o", "-"], ["--merge", "end"], ["--keep-segments"]])
def test_what_cannot_be_taken_up_is_refused(slow: Bench, options: list[str]) -> None:
    """Neither a stream nor segment files can be gone on with."""
    run = slow.workspace.run("fetch", slow.url, "-c", *options)

    assert run.exit_code == 2
    assert slow.origin.count("/segment*") == 0


@pytest.mark.stress
@pytest.mark.parametrize("seed", range(100))
def test_kills_at_random_moments(seed: int, slow: Bench) -> None:
    """Killed three times at any moment, the fourth run ends with the right bytes.

    What a kill costs is what was under way or waited for its turn, and nothing that was written.
    """
    chance = random.Random(seed)
    for _ in range(3):
        with slow.start("-c") as running:
            time.sleep(chance.uniform(0.1, 1.0))
            running.kill_group()
            running.wait()

    run = slow.fetch("-c")

    assert run.exit_code == 0, run.stderr
    assert sha256_of(slow.output) == slow.stream.sha256
    slow.check_nothing_left()
    window = 3 * 16 * 100 * KB  # in flight on 16 connections, in hand, and out of turn
    assert slow.origin.bytes_sent <= 1.15 * slow.stream.bytes + 3 * window
