"""Jobs from JSON."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.options import FetchOptions
from pipeline.service.downloadroot import DownloadRoot
from pipeline.service.intake import MOST_JOBS, Intake
from pipeline.service.refusals import UnacceptableError

URL = "https://origin.test/show/index.m3u8"


@pytest.fixture
def intake(tmp_path: Path) -> Intake:
    """Takes jobs for a root."""
    return Intake(DownloadRoot.at(tmp_path), FetchOptions())


def test_all_that_a_job_may_say(intake: Intake) -> None:
    """Options stay as they were given: they are read again when the job begins."""
    job = intake.job(
        {"url": URL, "dir": "a/", "output": "b.ts", "priority": 5, "id": "x", "format": "worst"}
    )

    assert job.url == URL
    assert job.output == f"{intake.root.path}/a/b.ts"
    assert (job.priority, job.client_id, job.options) == (5, "x", {"format": "worst"})


@pytest.mark.parametrize(
    ("fields", "name"),
    [({}, "show.{ext}"), ({"dir": "a"}, "a/show.{ext}"), ({"output": "x.mp4"}, "x.mp4")],
    ids=["nothing", "directory", "output"],
)
def test_without_an_output_the_name_comes_from_the_url(
    intake: Intake, fields: dict[str, Any], name: str
) -> None:
    """With the ending that fits what is inside."""
    assert intake.job({"url": URL} | fields).output == f"{intake.root.path}/{name}"


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("http://h/x.m3u8", "a JSON object"),
        ({}, "url: "),
        ({"url": 5}, "url: "),
        ({"url": "/etc/passwd"}, "url: only http and https"),
        ({"url": "file:///etc/passwd"}, "url: only http and https"),
        ({"url": "ftp://h/x.m3u8"}, "url: "),
        ({"url": "http://[/x"}, "url: "),
        ({"url": "http://h/\nx"}, "url: "),
        ({"url": "http://h/" + "x" * 9000}, "url: "),
        ({"url": URL, "output": "../x.ts"}, "below the download root"),
        ({"url": URL, "output": "/etc/cron.d/x"}, "below the download root"),
        ({"url": URL, "dir": "..", "output": "x.ts"}, "below the download root"),
        ({"url": URL, "output": 5}, "output: "),
        ({"url": URL, "dir": ["a"]}, "dir: "),
        ({"url": URL, "priority": "high"}, "priority: "),
        ({"url": URL, "priority": 10**30}, "priority: "),
        ({"url": URL, "priority": True}, "priority: "),
        ({"url": URL, "id": ""}, "id: "),
        ({"url": URL, "id": "a\nb"}, "id: "),
        ({"url": URL, "id": "x" * 201}, "id: "),
        ({"url": URL, "outptu": "x.ts"}, "outptu is no option"),
        ({"url": URL, "retries": "x"}, "retries: "),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_cannot_be_is_refused(intake: Intake, entry: object, words: str) -> None:
    """With a sentence that says what it is about."""
    with pytest.raises(UnacceptableError, match=words):
        intake.job(entry)


def test_of_several_the_bad_one_is_named(intake: Intake) -> None:
    """By its place."""
    with pytest.raises(UnacceptableError, match=r"^Job 2 of 2: url: "):
        intake.jobs([{"url": URL}, {"url": 5}])
    with pytest.raises(UnacceptableError, match="More than"):
        intake.jobs([{"url": URL}] * (MOST_JOBS + 1))


def test_secrets_are_not_quoted(intake: Intake) -> None:
    """Neither a query nor a header."""
    for entry in (
        {"url": "s3cret://u:s3cret@h/?s3cret"},
        {"url": URL, "headers": {"Authorization": "s3cret\nx"}},
        {"url": URL, "key_url": "ftp://u:s3cret@h/?s3cret"},
    ):
        with pytest.raises(UnacceptableError) as caught:
            intake.job(entry)
        assert "s3cret@" not in str(caught.value)
        assert "?s3cret" not in str(caught.value)
        assert "Authorization" not in str(caught.value)
