"""submit, jobs, cancel, pause, resume, retry and drain, against a daemon that downloads nothing."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.errors import NotThereError
from pipeline.events import Progress
from tests.cli.conftest import Cli, Result
from tests.service.harness import URL, Harness, until


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Harness]:
    """A daemon that runs one job at a time."""
    with Harness(tmp_path, jobs=1) as harness:
        yield harness


@pytest.fixture
def at(cli: Cli, daemon: Harness) -> Cli:
    """Runs a command line that names the daemon's socket."""
    return lambda *arguments: cli(*arguments, "--socket", daemon.options.socket)


def submit(at: Cli, *arguments: object) -> Result:
    """`hlspipe submit`, which has to succeed."""
    result = at("submit", *arguments)
    assert result.exit_code == 0, result.stderr
    return result


def test_submit_prints_numbers_and_names(at: Cli) -> None:
    """One line for each URL, fit for `cut`."""
    assert submit(at, URL, URL).stdout == "1\tshow.{ext}\n2\tshow-2.{ext}\n"


def test_submit_sends_what_was_given(at: Cli, daemon: Harness) -> None:
    """And nothing else: the rest is as the daemon has it."""
    submit(
        at, URL, "-o", "a.ts", "--dir", "d", "--priority", "-3", "--id", "mine", "-f", "worst",
        "-H", "X-A: 1", "-H", "X-B: 2", "--key", "5e" * 16, "--max-size", "1MB", "--force",
        "--checksum", "sha256", "--retries", "8",
    )  # fmt: skip

    job = daemon.in_queue(lambda queue: queue.job(1))
    assert (job.output, job.priority, job.client_id) == (f"{daemon.root.path}/d/a.ts", -3, "mine")
    assert job.options == {
        "format": "worst", "headers": {"X-A": "1", "X-B": "2"}, "key": "5e" * 16,
        "max_size": 1 << 20, "force": True, "checksum": "sha256", "retries": 8,
    }  # fmt: skip


def test_submit_reads_the_environment(
    at: Cli, daemon: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As every command does."""
    monkeypatch.setenv("HLSPIPE_SUBMIT_FORMAT", "720p")
    submit(at, URL)

    assert daemon.in_queue(lambda queue: queue.job(1)).options == {"format": "720p"}


@pytest.mark.parametrize("option", ["--output", "--id"])
def test_submit_refuses_one_name_for_several(at: Cli, option: str) -> None:
    """Before anything is sent."""
    result = at("submit", URL, URL, option, "x")

    assert result.exit_code == 2
    assert "is for one URL: there are 2" in result.stderr


def test_submit_says_what_the_daemon_refuses(at: Cli) -> None:
    """In its words."""
    result = at("submit", URL, "-o", "../x.ts")

    assert result.exit_code == 2
    assert "below the download root" in result.stderr


def test_jobs_are_a_table(at: Cli, daemon: Harness) -> None:
    """With how far they are, and why they failed."""
    for name in ("a.ts", "b.ts", "c.ts"):
        submit(at, URL, "-o", name)
    daemon.engine.end(1, NotThereError("It is not there"))
    until(lambda: daemon.job(2)["state"] == "running")
    daemon.engine.tell(2, Progress(1, 4, 3 << 20, "memory", 0, 1.0))

    assert at("jobs").stdout == (
        "id  state    progress    size  output  reason\n"
        " 1  failed                     a.ts    It is not there\n"
        " 2  running       25%  3.0 MB  b.ts\n"
        " 3  queued                     c.ts\n"
    )
    assert at("jobs", "--state", "queued,paused").stdout.splitlines()[1:] == [" 3  queued  c.ts"]
    assert at("jobs", "2", "3").stdout.count("\n") == 3
    assert at("jobs", "--state", "asleep").exit_code == 2


def test_no_jobs_is_said(at: Cli) -> None:
    """An empty table would look like a mistake."""
    assert at("jobs") == Result(0, "No jobs\n", "")


def test_jobs_as_json(at: Cli) -> None:
    """An object a line."""
    submit(at, URL, URL)

    found = [json.loads(line) for line in at("jobs", "--json").stdout.splitlines()]
    assert [(job["id"], job["state"]) for job in found] == [(1, "running"), (2, "queued")]


def test_jobs_watch_ends_with_the_last_job(
    at: Cli, daemon: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a pipe, a line for each change."""
    submit(at, URL, "-o", "a.ts")
    monkeypatch.setattr("pipeline.cli.jobs.time.sleep", lambda _: daemon.engine.end(1))

    result = at("jobs", "--watch")
    assert [line.split()[1] for line in result.stdout.splitlines()] == ["running", "done"]


def test_orders_say_what_became_of_a_job(at: Cli, daemon: Harness) -> None:
    """One line each, on stderr."""
    submit(at, URL, URL)

    assert at("pause", "2").stderr == "Job 2 is paused\n"
    assert at("resume", "2").stderr == "Job 2 is queued\n"
    assert at("cancel", "2", "1").stderr == (
        "Job 2 is cancelled\nJob 1 is running (to cancel when its download has stopped)\n"
    )
    until(lambda: daemon.job(1)["state"] == "cancelled")
    assert at("retry", "1").stderr == "Job 1 is queued\n"


def test_an_order_that_fails_does_not_stop_the_others(at: Cli, daemon: Harness) -> None:
    """The exit code is that of the first failure."""
    submit(at, URL, URL)

    result = at("cancel", "99", "2")
    assert result.exit_code == 2
    assert "There is no job 99" in result.stderr
    assert daemon.job(2)["state"] == "cancelled"


def test_drain_waits_for_what_is_running(
    at: Cli, daemon: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And leaves what is queued where it is; --undo takes it up again."""
    submit(at, URL, URL)
    monkeypatch.setattr("pipeline.cli.orders.time.sleep", lambda _: daemon.engine.end(1))

    assert at("drain").exit_code == 0
    assert [daemon.job(n)["state"] for n in (1, 2)] == ["done", "queued"]
    assert at("submit", URL).exit_code == 3
    assert at("drain", "--undo").exit_code == 0
    assert daemon.job(2)["state"] == "running"


@pytest.mark.parametrize(
    "command", [["submit", URL], ["jobs"], ["cancel", "1"], ["pause", "1"], ["drain"]], ids=str
)
def test_without_a_daemon_that_is_said(cli: Cli, tmp_path: Path, command: list[str]) -> None:
    """In one sentence, with what to do."""
    result = cli(*command, "--socket", tmp_path / "nobody")

    assert result.exit_code == 3
    assert result.stderr.startswith("hlspipe: No daemon listens on ")
    assert "hlspipe serve" in result.stderr
    assert result.stderr.count("\n") == 1
