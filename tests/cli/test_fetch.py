import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import Interrupted, SegmentsMissingError
from pipeline.events import Progress, SegmentsStored, TempFilesRemoved, Warned
from pipeline.jobs.receipt import Receipt, SegmentCounts, Status
from pipeline.options import FetchOptions, HttpOptions, MergeMode, StorageOptions
from tests.cli.conftest import COMPLETE, URL, Cli, Engine

MIB = 1 << 20


def test_without_options_the_defaults_apply(fetch: Cli, engine: Engine) -> None:
    """The command adds nothing to what the library does by itself."""
    assert fetch().exit_code == 0
    assert engine.calls == [(URL, None, FetchOptions(measure_memory=False))]


@pytest.mark.parametrize("option", ["--json", "--verbose"])
def test_memory_is_measured_where_it_is_shown(fetch: Cli, engine: Engine, option: str) -> None:
    """Measuring costs time: it is left out when nobody will see the figure."""
    assert fetch(option).exit_code == 0
    assert engine.options.measure_memory


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--force"], FetchOptions(force=True)),
        (["--skip-existing"], FetchOptions(skip_existing=True)),
        (["--allow-gaps"], FetchOptions(allow_gaps=True)),
        (["--strip-images"], FetchOptions(strip_images=True)),
        (["--skip-unavailable-fragments"], FetchOptions(allow_gaps=True)),
        (["--base-url", "http://b/"], FetchOptions(base_url="http://b/")),
        (["-N", "16"], FetchOptions(concurrent=16)),
        (["--threads", "16"], FetchOptions(concurrent=16)),
        (["--processes", "3"], FetchOptions(processes=3)),
        (["-r", "2MB"], FetchOptions(http=HttpOptions(limit_rate=2 << 20))),
        (["--limit-rate", "500K"], FetchOptions(http=HttpOptions(limit_rate=500 << 10))),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_options_of_the_download(
    fetch: Cli, engine: Engine, arguments: list[str], expected: FetchOptions
) -> None:
    """Each option reaches its field."""
    assert fetch(*arguments).exit_code == 0
    assert engine.options == replace(expected, measure_memory=False)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["-H", "A: 1", "--header", "B: 2"], {"headers": (("A", "1"), ("B", "2"))}),
        (["--header-all-hosts"], {"header_all_hosts": True}),
        (["--cookies", __file__], {"cookies": Path(__file__)}),
        (["--proxy", "http://p:3128"], {"proxy": "http://p:3128"}),
        (["--no-verify"], {"verify": False}),
        (["--timeout", "1.5s"], {"timeout": 1.5}),
        (["--retries", "0"], {"retries": 0}),
        (["--retry-sleep", "2m"], {"retry_sleep": 120.0}),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_options_of_the_requests(
    fetch: Cli, engine: Engine, arguments: list[str], expected: dict[str, Any]
) -> None:
    """Each option reaches its field."""
    assert fetch(*arguments).exit_code == 0
    assert engine.options.http == HttpOptions(**expected)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--memory-threshold", "1MB"], {"memory_threshold": MIB}),
        (["--memory-threshold", "none"], {"memory_threshold": None}),
        (["--merge", "end"], {"merge": MergeMode.END}),
        (["--keep-segments"], {"keep_segments": True}),
        (["--temp-dir", "/tmp"], {"temp_dir": Path("/tmp")}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_options_of_storage(
    fetch: Cli, engine: Engine, arguments: list[str], expected: dict[str, Any]
) -> None:
    """Each option reaches its field."""
    assert fetch(*arguments).exit_code == 0
    assert engine.options.storage == StorageOptions(**expected)


@pytest.mark.parametrize(
    ("variables", "size"),
    [
        ({"HLSPIPE_MEMORY_THRESHOLD": "1MB"}, MIB),
        ({"HLSPIPE_FETCH_MEMORY_THRESHOLD": "2MB"}, 2 * MIB),
        ({"HLSPIPE_MEMORY_THRESHOLD": "1MB", "HLSPIPE_FETCH_MEMORY_THRESHOLD": "2MB"}, 2 * MIB),
        ({"HLSPIPE_MEMORY_THRESHOLD": "1MB", "HLSPIPE_BATCH_MEMORY_THRESHOLD": "2MB"}, MIB),
    ],
    ids=["for all commands", "for fetch", "both", "for another command"],
)
def test_the_threshold_from_the_environment(
    fetch: Cli,
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    size: int,
) -> None:
    """The threshold has a short variable too; the command's own goes first."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    fetch()

    assert engine.options.storage.memory_threshold == size


def test_several_headers_from_the_environment(
    fetch: Cli, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Headers contain spaces, so that a variable holds one a line."""
    monkeypatch.setenv("HLSPIPE_FETCH_HEADER", "Authorization: Bearer x\nReferer: http://a/")
    fetch()

    assert engine.options.http.headers == (
        ("Authorization", "Bearer x"),
        ("Referer", "http://a/"),
    )


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--force", "--skip-existing"], "exclude each other"),
        (["-o", "-", "--json"], "both want standard output"),
        (["--cookies", "missing.txt"], "missing.txt"),
        (["-H", "hush"], "a header is written 'Name: value'"),
        (["--memory-threshold", "lots"], "is not a size"),
        (["--timeout", "0"], "must be more than 0"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_meant_is_refused(
    fetch: Cli, engine: Engine, arguments: list[str], reason: str
) -> None:
    """Contradictions and nonsense are usage errors, before anything is fetched."""
    result = fetch(*arguments)

    assert result.exit_code == 2
    assert reason in result.stderr
    assert "hush" not in result.stderr
    assert engine.calls == []


def test_no_stream_is_poured_into_a_terminal(
    fetch: Cli, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """-o - needs a pipe or a file behind it."""
    monkeypatch.setattr("pipeline.cli.fetch.is_terminal", lambda _: True)
    result = fetch("-o", "-")

    assert result.exit_code == 2
    assert "it is a terminal" in result.stderr
    assert engine.calls == []


def test_no_stream_is_poured_into_nothing(
    fetch: Cli, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """-o - with stdout closed is the same as with a reader that has left."""
    monkeypatch.setattr("sys.stdout", None)

    assert fetch("-o", "-").exit_code == 141
    assert engine.calls == []


def test_the_receipt_is_all_that_goes_to_stdout(fetch: Cli, engine: Engine) -> None:
    """--json prints one object, whatever is said meanwhile."""
    engine.events = [Warned("beware"), Progress(1, 1, MIB, "memory", 0, 0.5)]
    result = fetch("--json")

    assert json.loads(result.stdout) == json.loads(json.dumps(COMPLETE.to_dict()))
    assert "⚠ beware" in result.stderr


def test_without_json_stdout_stays_empty(fetch: Cli) -> None:
    """Words for people go to stderr."""
    assert fetch().stdout == ""


def test_allowed_gaps_are_in_the_receipt_and_exit_0(fetch: Cli, engine: Engine) -> None:
    """A download that is incomplete with permission succeeds."""
    engine.outcome = Receipt(URL, "v.ts", Status.INCOMPLETE, 0, None, SegmentCounts(3, 2, (1,)))
    result = fetch("--allow-gaps", "--json")

    assert result.exit_code == 0
    assert json.loads(result.stdout)["segments"]["missing"] == [1]


@pytest.mark.parametrize(
    "error",
    [SegmentsMissingError("Segment 1 is missing"), Interrupted(2), ValueError("oh")],
    ids=["error", "signal", "bug"],
)
@pytest.mark.parametrize("known", [True, False], ids=["with its receipt", "without one"])
def test_a_failure_has_a_receipt(
    fetch: Cli, engine: Engine, error: BaseException, known: bool
) -> None:
    """--json prints a receipt in any case, with the exit code and the reason."""
    if known and not isinstance(error, ValueError):
        error.receipt = Receipt(URL, "v.ts", segments=SegmentCounts(3, 2, (1,)))  # type: ignore[attr-defined]
    engine.outcome = error
    result = fetch("-o", "v.ts", "--json")
    receipt = json.loads(result.stdout)

    assert receipt["status"] == "failed"
    assert receipt["exit_code"] == result.exit_code != 0
    assert receipt["error"] in result.stderr
    assert receipt["output"] == "v.ts"


def test_a_receipt_has_no_secrets(cli: Cli, engine: Engine) -> None:
    """A receipt ends up in logs."""
    engine.outcome = ValueError("oh")
    result = cli("fetch", "http://me:pass@h/v.m3u8?token=hush", "--json")

    assert json.loads(result.stdout)["url"] == "http://h/v.m3u8?…"


def test_no_threshold_is_warned_of(fetch: Cli) -> None:
    """Who lifts the limit on memory is told what that means."""
    assert fetch("--memory-threshold", "none").stderr == (
        "⚠ Without a memory threshold, the whole download is kept in memory\n"
    )


@pytest.mark.parametrize(
    "arguments", [["-q"], ["--progress", "none"], ["-q", "--progress", "json"]]
)
def test_quiet_says_nothing_but_errors(fetch: Cli, engine: Engine, arguments: list[str]) -> None:
    """Neither progress nor warnings, but the reason of a failure."""
    engine.events = [Warned("beware"), SegmentsStored(MIB, None)]

    assert fetch(*arguments).stderr == ""

    engine.outcome = SegmentsMissingError("Segment 1 is missing")

    assert "Segment 1 is missing" in fetch(*arguments).stderr


def test_verbose_ends_with_figures(fetch: Cli) -> None:
    """-v says what the download cost."""
    assert "0 requests, 0 retries" in fetch("-v").stderr


def test_json_progress_is_json_to_the_last_line(fetch: Cli, engine: Engine) -> None:
    """Who reads JSON Lines can read the error too."""
    engine.events = [Warned("beware")]
    engine.outcome = SegmentsMissingError("Segment 1 is missing")
    lines = fetch("--progress", "json").stderr.splitlines()

    assert [json.loads(line) for line in lines] == [
        {"event": "warned", "message": "beware"},
        {"event": "failed", "exit_code": 6, "message": "Segment 1 is missing"},
    ]


def test_that_things_were_cleaned_up_is_said_last(fetch: Cli, engine: Engine) -> None:
    """The line about temporary files ends a run, also one that failed."""
    engine.events = [TempFilesRemoved("/tmp/x"), SegmentsStored(MIB, None)]

    assert fetch().stderr.splitlines()[-1] == "✓ Temporary files cleaned up"
