"""The REST API, over a real connection."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import NetworkError, NotThereError
from pipeline.events import Progress
from tests.service.harness import URL, Harness, until


def test_a_job_is_taken_in_and_shown(daemon: Harness) -> None:
    """It begins at once, and nothing secret of it is shown."""
    answer = daemon.ask(
        "POST",
        "/api/v1/jobs",
        {
            "url": URL,
            "dir": "shows",
            "priority": 3,
            "id": "mine",
            "format": "worst",
            "headers": {"Authorization": "s3cret"},
            "key": "5e" * 16,
        },
    )

    assert answer.status == 201
    job = answer.json
    assert (job["client_id"], job["priority"], job["output"]) == ("mine", 3, "shows/show.{ext}")
    assert job["url"] == "http://origin.test/show.m3u8?…"
    assert job["options"] == {"format": "worst", "headers": {"Authorization": "…"}, "key": "…"}
    assert "s3cret" not in str(answer.headers) + answer.body.decode()
    assert daemon.job(job["id"])["state"] == "running"


def test_the_engine_gets_what_was_asked_for(daemon: Harness) -> None:
    """The whole URL, the place below the root, and the daemon's options with the job's on top."""
    daemon.submit("a/b.ts", priority=3, format="worst")

    ((key, url, output, options, priority),) = daemon.engine.submitted
    assert (key, url, output, priority) == (1, URL, f"{daemon.root.path}/a/b.ts", 3)
    assert options.selection.format == "worst"
    assert options.http.block_private
    assert options.resume
    assert (daemon.root.path / "a").is_dir()


def test_several_are_taken_in_together(daemon: Harness) -> None:
    """Or, if one of them is wrong, none."""
    good = {"url": URL}
    answer = daemon.ask("POST", "/api/v1/jobs", {"jobs": [good, good]})
    refused = daemon.ask("POST", "/api/v1/jobs", {"jobs": [good, {"url": URL, "retrise": 1}]})

    assert answer.status == 201
    assert [job["output"] for job in answer.json["jobs"]] == ["show.{ext}", "show-2.{ext}"]
    assert refused.status == 422
    assert refused.error.startswith("Job 2 of 2: retrise is no option of a job")
    assert len(daemon.ask("GET", "/api/v1/jobs").json["jobs"]) == 2


def test_the_same_id_is_the_same_job(daemon: Harness) -> None:
    """The second time it is not created, and says so by its status."""
    number = daemon.submit(id="mine")

    again = daemon.ask("POST", "/api/v1/jobs", {"url": URL, "id": "mine"})
    assert (again.status, again.json["id"]) == (200, number)
    other = daemon.ask("POST", "/api/v1/jobs", {"url": URL + "x", "id": "mine"})
    assert other.status == 409


def test_jobs_are_listed_in_pages(daemon: Harness) -> None:
    """By state, with how many there are of each."""
    for n in range(5):
        daemon.submit(f"{n}.ts")

    first = daemon.ask("GET", "/api/v1/jobs?state=queued,paused&limit=2").json
    second = daemon.ask("GET", f"/api/v1/jobs?state=queued&limit=2&after={first['next']}").json

    assert [job["id"] for job in first["jobs"]] == [3, 4]
    assert [job["id"] for job in second["jobs"]] == [5]
    assert second["next"] is None
    assert (first["counts"]["queued"], first["counts"]["running"]) == (3, 2)


def test_progress_is_shown_while_a_job_runs(daemon: Harness) -> None:
    """And its receipt when it is done."""
    number = daemon.submit()
    daemon.engine.tell(number, Progress(3, 10, 3000, "memory", 0, 1.25))
    assert daemon.job(number)["progress"] == {
        "segments_done": 3, "segments": 10, "bytes": 3000, "elapsed_seconds": 1.2,
    }  # fmt: skip
    daemon.engine.end(number, bytes=10_000)

    until(lambda: daemon.job(number)["state"] == "done")
    job = daemon.job(number)
    assert job["progress"] is None
    assert job["receipt"]["bytes"] == 10_000
    assert (job["exit_code"], job["error"]) == (0, None)


def test_a_job_that_fails_says_why(daemon: Harness) -> None:
    """The next one takes its place."""
    for n in range(3):
        daemon.submit(f"{n}.ts")
    daemon.engine.end(1, NotThereError("The playlist is not there"))

    until(lambda: daemon.job(3)["state"] == "running")
    job = daemon.job(1)
    assert (job["state"], job["exit_code"], job["error"]) == (
        "failed", 3, "The playlist is not there",
    )  # fmt: skip


def test_a_job_waits_before_its_next_attempt(daemon: Harness) -> None:
    """With the reason of the last one."""
    number = daemon.submit()
    daemon.engine.end(number, NetworkError("It is away"))

    until(lambda: daemon.job(number)["state"] == "queued")
    job = daemon.job(number)
    assert (job["attempts"], job["error"]) == (1, "It is away")
    assert job["not_before"] > job["started"]


def test_orders(daemon: Harness) -> None:
    """To a waiting job and to a running one."""
    for n in range(3):
        daemon.submit(f"{n}.ts")

    def tell(number: int, order: str) -> Any:
        return daemon.ask("POST", f"/api/v1/jobs/{number}/{order}").json["state"]

    assert [tell(3, order) for order in ("pause", "resume", "cancel", "retry")] == [
        "paused", "queued", "cancelled", "queued",
    ]  # fmt: skip
    assert tell(1, "pause") == "running"
    until(lambda: daemon.job(1)["state"] == "paused")
    assert tell(2, "cancel") == "running"
    until(lambda: daemon.job(2)["state"] == "cancelled")
    assert daemon.engine.cancelled == [(1, True), (2, False)]
    assert daemon.job(1)["attempts"] == 0


def test_an_output_that_another_has_made_meanwhile(daemon: Harness) -> None:
    """A job that is tried again does not take it for its own."""
    number = daemon.submit("show.ts")
    daemon.engine.end(number, NotThereError("It is not there"))
    until(lambda: daemon.job(number)["state"] == "failed")
    (daemon.root.path / "show.ts").write_bytes(b"another one's")

    daemon.ask("POST", f"/api/v1/jobs/{number}/retry")

    until(lambda: daemon.job(number)["state"] == "failed")
    assert "exists already" in daemon.job(number)["error"]


def test_a_cancelled_job_leaves_nothing(daemon: Harness) -> None:
    """Neither its output's beginning nor that of a rendition; what others want stays."""
    number = daemon.submit("show.{ext}")
    daemon.submit("show.b.ts")
    daemon.ask("POST", f"/api/v1/jobs/{number}/pause")
    until(lambda: daemon.job(number)["state"] == "paused")
    root = daemon.root.path
    for name in ("show.ts.part", "show.ts.part.journal", "show.en.m4a.part", "show.b.ts.part"):
        (root / name).touch()

    daemon.ask("POST", f"/api/v1/jobs/{number}/cancel")

    assert [path.name for path in root.iterdir()] == ["show.b.ts.part"]


def test_an_output_that_appeared_is_not_taken_for_the_jobs(daemon: Harness) -> None:
    """Between submission and beginning somebody else has made it."""
    for n in range(3):
        daemon.submit(f"{n}.ts")
    (daemon.root.path / "2.ts").touch()
    daemon.engine.end(1)

    until(lambda: daemon.job(3)["state"] == "failed")
    assert daemon.job(3)["exit_code"] == 9


def test_a_drained_service_takes_nothing_in(daemon: Harness) -> None:
    """What runs is finished, what waits stays there, until somebody thinks better of it."""
    for n in range(3):
        daemon.submit(f"{n}.ts")
    drained = daemon.ask("POST", "/api/v1/service/drain").json
    refused = daemon.ask("POST", "/api/v1/jobs", {"url": URL})
    daemon.engine.end(1)
    until(lambda: daemon.job(1)["state"] == "done")

    assert drained["draining"]
    assert refused.status == 503
    assert daemon.job(3)["state"] == "queued"
    assert not daemon.ask("POST", "/api/v1/service/fill").json["draining"]
    assert daemon.job(3)["state"] == "running"


def test_health_is_that_of_queue_and_engine(daemon: Harness, monkeypatch: Any) -> None:
    """A part that hangs makes it 503."""
    assert daemon.ask("GET", "/healthz").json == {"status": "ok"}

    monkeypatch.setattr("pipeline.service.service._ANSWER_SECONDS", 0.1)
    daemon.engine.answers = False
    answer = daemon.ask("GET", "/healthz")
    assert (answer.status, answer.error) == (503, "A part of the daemon does not answer")


def test_metrics_are_prometheus_text(daemon: Harness) -> None:
    """With jobs by their state, and no label that a client could fill."""
    number = daemon.submit()
    daemon.engine.end(number, bytes=10_000, requests=7)
    until(lambda: daemon.job(number)["state"] == "done")

    answer = daemon.ask("GET", "/metrics")

    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    found = dict(
        line.rsplit(" ", 1) for line in answer.body.decode().splitlines() if line[0] != "#"
    )
    assert found['hlspipe_jobs{state="done"}'] == "1"
    assert found['hlspipe_jobs_ended_total{state="done"}'] == "1"
    assert found["hlspipe_output_bytes_total"] == "10000"
    assert found["hlspipe_requests_total"] == "7"
    assert "origin.test" not in answer.body.decode()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/api/v1/jobs/99", 404),
        ("GET", "/api/v1/jobs/x", 404),
        ("GET", "/api/v1/jobs/" + "9" * 30, 404),
        ("GET", "/api/v1/jobs/%2e%2e%2f1", 404),
        ("DELETE", "/api/v1/jobs", 405),
        ("GET", "/api/v1/jobs/1/cancel", 405),
        ("POST", "/api/v1/jobs/99/cancel", 404),
        ("GET", "/api/v1/jobs?state=asleep", 422),
        ("GET", "/api/v1/jobs?limit=1001", 422),
        ("GET", "/api/v1/jobs?after=-1", 422),
        ("GET", "/api/v1/jobs?after=9223372036854775808", 422),
        ("GET", "/api/v1/jobs?stat=done", 422),
    ],
)
def test_what_is_not_there_is_said_in_json(
    daemon: Harness, method: str, path: str, status: int
) -> None:
    """A status, and a sentence."""
    answer = daemon.ask(method, path)

    assert answer.status == status
    assert answer.error


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b'{"url": NaN}', 400),
        (b"\xff\xfe", 400),
        (b"[" * 100_000, 400),
        (b'{"url": ' + b"9" * 5000 + b"}", 400),
        (b"5", 422),
        (b"null", 422),
        (b'{"jobs": {}}', 422),
        (b'{"jobs": [], "priority": 1}', 422),
        (b'{"url": "file:///etc/passwd"}', 422),
        (b'{"url": "http://h/x.m3u8", "output": "../../etc/cron.d/x"}', 422),
        (b'{"url": "http://h/x.m3u8", "output": "/etc/cron.d/x"}', 422),
        (b'{"url": "http://h/x.m3u8", "cookies": "/etc/shadow"}', 422),
        (b" " * (1 << 20) + b"{}", 413),
    ],
    ids=lambda value: repr(value[:40]) if isinstance(value, bytes) else str(value),
)
def test_a_body_that_cannot_be_is_refused(daemon: Harness, body: bytes, status: int) -> None:
    """With a sentence; and the daemon serves on."""
    answer = daemon.ask("POST", "/api/v1/jobs", body)

    assert answer.status == status
    assert answer.error
    assert daemon.submit() == 1


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_only_json_is_read(daemon: Harness, kind: str) -> None:
    """What a form of another site could send is not."""
    answer = daemon.ask("POST", "/api/v1/jobs", {"url": URL}, {"Content-Type": kind})

    assert answer.status == 415
    assert daemon.ask("POST", "/api/v1/service/drain", b"x", {"Content-Type": kind}).status == 415


def test_an_output_that_is_taken_is_a_conflict(daemon: Harness, tmp_path: Path) -> None:
    """By another job, or by a file."""
    daemon.submit("a.ts")
    (daemon.root.path / "b.ts").touch()

    taken = [
        daemon.ask("POST", "/api/v1/jobs", {"url": URL, "output": name})
        for name in ("a.ts", "b.ts")
    ]
    assert [answer.status for answer in taken] == [409, 409]
    assert "Job 1 is to write" in taken[0].error
    assert "exists already" in taken[1].error


def test_a_queue_that_cannot_be_written_is_no_internal_error(daemon: Harness) -> None:
    """The disk is full, say: 503, a sentence, and everything else goes on."""
    daemon.in_queue(lambda queue: queue._database.execute("PRAGMA query_only = ON"))
    answer = daemon.ask("POST", "/api/v1/jobs", {"url": URL})
    daemon.in_queue(lambda queue: queue._database.execute("PRAGMA query_only = OFF"))

    assert answer.status == 503
    assert "The queue" in answer.error
    assert daemon.submit() == 1


def test_an_end_that_cannot_be_recorded_is_recorded_later(daemon: Harness) -> None:
    """A download that is complete is not done twice because of a full disk."""
    number = daemon.submit()
    daemon.in_queue(lambda queue: queue._database.execute("PRAGMA query_only = ON"))
    daemon.engine.end(number)
    daemon.in_queue(lambda queue: queue._database.execute("PRAGMA query_only = OFF"))
    assert daemon.job(number)["state"] == "running"

    daemon.in_queue(daemon.dispatcher.tick)
    assert daemon.job(number)["state"] == "done"
    assert len(daemon.engine.submitted) == 1
