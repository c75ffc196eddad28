"""The daemon with real downloads: jobs survive whatever ends it, and it survives its jobs."""

import os
import random
import signal
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.e2e.bench import KB, Bench
from tests.e2e.servicebench import ServiceBench
from tests.support.behaviours import Late, Right, Status
from tests.support.invariants import check_i3_nothing_left
from tests.support.streams import Aes, sha256_of

pytestmark = pytest.mark.processes


@pytest.fixture
def slow(bench: Bench) -> Bench:
    """3 MB in 30 encrypted segments that take more than a second to come."""
    bench.serve([100 * KB] * 30, aes=Aes())
    bench.origin.behave("/segment*", Late(0.3))
    return bench


def test_jobs_are_downloaded(service: ServiceBench) -> None:
    """Several at a time, to where they belong, and nothing else is left."""
    service.bench.serve([50 * KB] * 5, aes=Aes())
    with service.running("--jobs", "2") as running:
        numbers = service.submit("a.ts", "b/c.ts", "d.{ext}", checksum="sha256")
        service.wait_for("done", *numbers)

        assert service.jobs()[1]["receipt"]["sha256"] == service.bench.stream.sha256
        assert service.jobs()[3]["output"] == "d.ts"
        service.stop(running)
    service.check_right("a.ts", "b/c.ts", "d.ts")
    assert not service.socket.exists()
    service.bench.check_nothing_left()


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGKILL])
def test_a_job_goes_on_after_the_daemons_end(
    slow: Bench, service: ServiceBench, signum: int
) -> None:
    """In order or not: the next daemon takes it up, and fetches only what is missing."""
    with service.running() as running:
        (number,) = service.submit("a.ts")
        running.wait_until(lambda: slow.origin.count("/segment*") >= 20, "some segments")
        os.kill(running.pid, signum)
        running.wait()
    assert not (service.root / "a.ts").exists()

    with service.running():
        service.wait_for("done", number)
        job = service.jobs()[number]

    assert job["attempts"] == 1
    assert job["receipt"]["resumed_bytes"] > 0
    service.check_right("a.ts")


def test_the_daemon_ends_in_time(slow: Bench, service: ServiceBench) -> None:
    """Downloads that could go on for long are parked; nothing of their processes is left."""
    slow.origin.behave("/segment*", Late(60.0))
    with service.running("--jobs", "2") as running:
        service.submit("a.ts", "b.ts", "c.ts")
        running.wait_until(lambda: slow.origin.count("/segment*") >= 2, "both downloads")
        started = time.monotonic()
        service.stop(running)

    assert time.monotonic() - started < 20.0
    check_i3_nothing_left(
        slow.workspace, allowed=(".part", ".journal", "root", "lock", ".db", "a.ts")
    )


def test_a_second_signal_does_not_wait(slow: Bench, service: ServiceBench) -> None:
    """Nothing is lost by it that a kill would not lose."""
    with service.running() as running:
        (number,) = service.submit("a.ts")
        pid = running.wait_role("storage")
        os.kill(pid, signal.SIGSTOP)
        os.kill(running.pid, signal.SIGTERM)
        running.wait_until(lambda: "Stopping" in running.stderr, "the first one's effect")
        os.kill(running.pid, signal.SIGTERM)
        run = running.wait(timeout=5.0)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
    assert run.exit_code == 143

    with service.running():
        service.wait_for("done", number)


@pytest.mark.parametrize(("role", "attempts"), [("storage", 2), ("downloader", 1)])
def test_a_process_that_dies_never_ends_the_daemon(
    slow: Bench, service: ServiceBench, role: str, attempts: int
) -> None:
    """Without storage the attempt has failed, and the next goes on; a downloader is replaced."""
    with service.running() as running:
        (number,) = service.submit("a.ts")
        running.wait_until(lambda: slow.origin.count("/segment*") >= 20, "some segments")
        running.kill(role, signal.SIGKILL)
        service.wait_for("done", number)

        assert service.jobs()[number]["attempts"] == attempts
        service.stop(running)
    service.check_right("a.ts")


def test_what_fails_three_times_has_failed(service: ServiceBench) -> None:
    """With its reason; what is not there at all is asked for once."""
    bench = service.bench
    bench.serve([50 * KB] * 3)
    bench.origin.serve({"/away.m3u8": b""})
    bench.origin.behave("/away.m3u8", Status(503))
    with service.running("--retries", "0") as running:
        away, gone, good = (
            job["id"]
            for job in service.client.submit(
                [
                    {"url": bench.origin.url(f"{path}?token=s3cret"), "output": f"{n}.ts"}
                    for n, path in enumerate(["/away.m3u8", "/gone.m3u8", "/video.m3u8"])
                ]
            )
        )
        service.wait_for("failed", away, gone)
        service.wait_for("done", good)
        jobs = service.jobs()

    assert [(jobs[n]["attempts"], jobs[n]["exit_code"]) for n in (away, gone)] == [(3, 3), (1, 3)]
    assert "HTTP 503" in jobs[away]["error"]
    assert "HTTP 404" in jobs[gone]["error"]
    assert bench.origin.count("/away.m3u8") == 3
    assert "s3cret" not in running.stderr + str(jobs)


def test_orders_reach_a_download(slow: Bench, service: ServiceBench) -> None:
    """A paused one goes on where it was; of a cancelled one nothing is left."""
    with service.running("--jobs", "2") as running:
        paused, cancelled = service.submit("a.ts", "b.ts")
        running.wait_until(lambda: slow.origin.count("/segment*") >= 40, "some segments")
        service.client.order(paused, "pause")
        service.client.order(cancelled, "cancel")
        service.wait_for("paused", paused)
        service.wait_for("cancelled", cancelled)
        assert [path.name for path in service.root.glob("*.part")] == ["a.ts.part"]
        slow.origin.behave("/segment*", Right())
        service.client.order(paused, "resume")
        service.wait_for("done", paused)

        assert service.jobs()[paused]["receipt"]["resumed_bytes"] > 0
    service.check_right("a.ts")


def test_there_is_one_daemon_for_a_state_directory(service: ServiceBench) -> None:
    """The second one says so, and leaves the first one's socket alone."""
    with service.running():
        second = service.bench.workspace.run(
            "serve", "--state-dir", service.state, "--socket", service.socket
        )
        assert second.exit_code == 9
        assert "Another daemon has the state directory" in second.stderr
        assert service.client.service()["draining"] is False


def test_the_configuration_is_read_again(
    slow: Bench, service: ServiceBench, tmp_path: Path
) -> None:
    """On SIGHUP; a mistake in it changes nothing."""
    config = tmp_path / "config.toml"
    config.write_text('[serve]\njobs = 1\nheader = ["X-Config: one"]\n')
    with service.running("--config", config) as running:
        service.submit("a.ts", "b.ts", "c.ts")
        config.write_text("[serve]\njobbs = 3\n")
        os.kill(running.pid, signal.SIGHUP)
        running.wait_until(lambda: "unknown key in [serve]: jobbs" in running.stderr, "the error")
        assert service.client.service()["counts"]["running"] == 1
        config.write_text('[serve]\njobs = 3\nheader = ["X-Config: two"]\n')
        os.kill(running.pid, signal.SIGHUP)
        service.wait_for("running", 1, 2, 3)
        service.wait_for("done", 1, 2, 3)

    sent = {request.header("X-Config") for request in slow.origin.requests_for("/video.m3u8")}
    assert sent == {"one", "two"}


def test_nothing_to_do_costs_nothing(service: ServiceBench) -> None:
    """An idle daemon has no processes, and hardly runs."""
    with service.running() as running:
        before = sum(psutil.Process(running.pid).cpu_times())
        time.sleep(2.0)

        assert running.children() == []
        assert sum(psutil.Process(running.pid).cpu_times()) - before < 0.5


@pytest.mark.stress
@pytest.mark.parametrize("seed", range(3))
def test_kills_at_random_moments(service: ServiceBench, seed: int) -> None:
    """60 jobs, 20 kills of the daemon: 60 right files, each done once, and nothing left."""
    bench, chance = service.bench, random.Random(seed)
    bench.serve([100 * KB] * 10, aes=Aes())
    bench.origin.behave("/segment*", Late(0.05))
    numbers: list[int] = []
    for _ in range(20):
        with service.running("--jobs", "4") as running:
            numbers = numbers or service.submit(*(f"{n}.ts" for n in range(60)))
            time.sleep(chance.uniform(0.0, 2.0))
            os.kill(running.pid, signal.SIGKILL)
            running.wait()
    with service.running("--jobs", "4") as running:
        service.wait_for("done", *numbers)
        service.stop(running)

    service.check_right(*(f"{n}.ts" for n in range(60)))
    assert sha256_of(service.root / "0.ts") == bench.stream.sha256
