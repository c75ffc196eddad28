import io
import json
import os
import pkgutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.hls.inspection import inspect_dict
from pipeline.hls.playlist import parse
from pipeline.options import FetchOptions, HttpOptions
from tests.cli.conftest import Cli
from tests.cli.playlists import SEGMENTS, VARIANTS, media, text
from tests.support.origin import Origin

ROOT = Path(__file__).parents[2]


@pytest.fixture
def show(tmp_path: Path) -> str:
    """A multivariant playlist in the current directory."""
    (tmp_path / "show.m3u8").write_text(text(*VARIANTS))
    return "show.m3u8"


@pytest.fixture
def video(tmp_path: Path) -> str:
    """A media playlist in the current directory."""
    (tmp_path / "video.m3u8").write_text(text(*SEGMENTS))
    return "video.m3u8"


def stdin_is(monkeypatch: pytest.MonkeyPatch, content: str) -> None:
    """Give the command something to read."""
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(content.encode())))


def expected(path: str) -> dict[str, Any]:
    """What `--json` has to say about a file."""
    file = Path(path).absolute()
    found = json.loads(json.dumps(inspect_dict(parse(file.read_bytes(), file.as_uri()))))
    assert isinstance(found, dict)
    return found


def test_a_media_playlist_is_told_in_facts(cli: Cli, video: str) -> None:
    """Name first, then a line for each fact."""
    result = cli("inspect", video)
    lines = result.stdout.splitlines()

    assert result.exit_code == 0
    assert result.stderr == ""
    assert lines[0] == video
    assert "Kind             media playlist, version not given" in lines
    assert "Segments         2 (media sequence numbers 0 to 1)" in lines


def test_a_multivariant_playlist_is_told_with_its_tables(cli: Cli, show: str) -> None:
    """Variants and renditions are listed below the facts."""
    shown = cli("inspect", show).stdout

    assert "multivariant playlist" in shown
    assert "\n\nVariants:\nid  resolution" in shown
    assert "\n\nRenditions:\ntype " in shown


def test_json_is_one_object(cli: Cli, video: str) -> None:
    """The form is that of `hls.inspection`, whole and unchanged."""
    result = cli("inspect", video, "--json")

    assert result.stdout.count("\n") == 1
    assert json.loads(result.stdout) == expected(video)


def test_json_has_a_line_for_each_source(cli: Cli, show: str, video: str) -> None:
    """A line that fails keeps its place, and the exit code is that of the first failure."""
    Path("broken.m3u8").write_text("<html>")
    result = cli("inspect", "--json", show, "missing.m3u8", video, "broken.m3u8")
    first, missing, second, broken = map(json.loads, result.stdout.splitlines())

    assert result.exit_code == 7
    assert [first, second] == [expected(show), expected(video)]
    assert missing["source"] == "missing.m3u8"
    assert missing["exit_code"] == 7
    assert "No such file" in missing["error"]
    assert broken["exit_code"] == 4
    assert result.stderr.count("\n") == 2
    assert missing["error"] in result.stderr
    assert broken["error"] in result.stderr


def test_one_failure_does_not_stop_the_others(cli: Cli, video: str) -> None:
    """People read of each source on its own, and errors say which they are about."""
    Path("broken.m3u8").write_text("<html>")
    result = cli("inspect", "broken.m3u8", video, "missing.m3u8")

    assert result.exit_code == 4
    assert f"\n{video}\nKind " in result.stdout
    assert [line.count("m3u8") for line in result.stderr.splitlines()] == [1, 1]
    assert result.stderr.startswith("hlspipe: broken.m3u8: Not a playlist")


@pytest.mark.parametrize(
    "place", ["pipeline.jobs.inspection.read_playlist", "pipeline.hls.inspection.inspect_dict"]
)
def test_a_bug_does_not_stop_the_others(
    cli: Cli, show: str, video: str, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """What nobody foresaw is exit code 1 for its source, and no more."""
    works = pkgutil.resolve_name(place)
    outcomes = iter([ZeroDivisionError("oh"), None])

    def fail_once(*arguments: object) -> object:
        if error := next(outcomes):
            raise error
        return works(*arguments)

    monkeypatch.setattr(place, fail_once)
    result = cli("inspect", "--json", show, video)
    first, second = map(json.loads, result.stdout.splitlines())

    assert result.exit_code == first["exit_code"] == 1
    assert result.stderr.startswith(f"hlspipe: {show}: Internal error: ZeroDivisionError: oh")
    assert second == expected(video)


@pytest.mark.parametrize("arguments", [[], ["--json"]], ids=["for people", "as JSON"])
def test_standard_input_is_a_source(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    """- reads what is piped in, and --base-url says where it came from."""
    stdin_is(monkeypatch, text(*SEGMENTS))
    result = cli("inspect", "-", "--base-url", "http://h/x/", *arguments)

    assert result.exit_code == 0
    assert ("http://h/x/a.ts" in result.stdout) == bool(arguments)
    assert result.stdout.startswith("standard input\n") != bool(arguments)


def test_nothing_on_standard_input_is_an_error(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty pipe is no playlist."""
    stdin_is(monkeypatch, "")
    result = cli("inspect", "-")

    assert result.exit_code == 4
    assert result.stderr.startswith("hlspipe: standard input: ")


def test_a_url_is_read_with_the_users_headers(cli: Cli, origin: Origin) -> None:
    """inspect asks as fetch would, and shows no secret of the URL."""
    origin.serve({"/v.m3u8": text(*SEGMENTS).encode()})
    result = cli("inspect", origin.url("/v.m3u8?token=hush"), "-H", "X-Key: 1")

    assert result.exit_code == 0
    assert result.stdout.startswith(origin.url("/v.m3u8?…\n"))
    assert "hush" not in result.stdout
    assert origin.requests[0].header("X-Key") == "1"


def test_an_error_keeps_the_secrets_of_the_url(cli: Cli, origin: Origin) -> None:
    """What fails ends up in logs."""
    source = origin.url("/v.m3u8?token=hush").replace("//", "//me:pass@")
    result = cli("inspect", "--json", source, "--retries", "0")

    assert result.exit_code == 3
    assert json.loads(result.stdout)["source"] == origin.url("/v.m3u8?…")
    assert "hush" not in result.stdout + result.stderr
    assert "pass" not in result.stdout + result.stderr


def test_the_options_of_requests_apply(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Each option reaches its field, from the command line, the environment and the file."""
    asked: list[tuple[str, FetchOptions]] = []

    def read(source: str, options: FetchOptions) -> object:
        asked.append((source, options))
        return media(*SEGMENTS)

    monkeypatch.setattr("pipeline.jobs.inspection.read_playlist", read)
    monkeypatch.setenv("HLSPIPE_INSPECT_RETRIES", "3")
    (tmp_path / "own.toml").write_text('[inspect]\ntimeout = "2s"\nretries = 9\n')
    cli("inspect", "a", "--config", "own.toml", "--proxy", "http://p/", "--base-url", "http://b/")

    http = HttpOptions(retries=3, timeout=2.0, proxy="http://p/")
    assert asked == [("a", FetchOptions(http=http, base_url="http://b/"))]


def test_a_source_is_wanted(cli: Cli) -> None:
    """Without a source there is nothing to say."""
    result = cli("inspect")

    assert result.exit_code == 2
    assert "SOURCE" in result.stderr


@pytest.mark.parametrize("arguments", [[], ["--json"]], ids=["for people", "as JSON"])
def test_server_text_is_escaped(cli: Cli, arguments: list[str]) -> None:
    """Neither a name in the playlist nor the name of the file can move the cursor."""
    name = "\x1b]0;owned\x07"
    Path(f"{name}.m3u8").write_text(
        text(f'#EXT-X-STREAM-INF:BANDWIDTH=1,NAME="{name}",CODECS="{name}"', f"{name}.m3u8")
    )
    shown = cli("inspect", f"{name}.m3u8", *arguments).stdout

    assert "\\u001b]0;owned\\u0007" in shown
    assert shown.replace("\n", "").isprintable()


def test_everything_fits_a_terminal_of_80_columns(
    cli: Cli, show: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a terminal no line is broken; in a pipe every line is whole."""
    with Path(show).open("a") as file:
        file.write(f'#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS="{"avc1.64001f," * 7}"\na.m3u8\n')
    piped = cli("inspect", show).stdout.splitlines()
    monkeypatch.setattr("pipeline.cli.terminal.is_terminal", lambda _: True)
    monkeypatch.setenv("COLUMNS", "80")
    shown = cli("inspect", show).stdout.splitlines()

    assert max(map(len, piped)) > 80
    assert max(map(len, shown)) == 80


@pytest.mark.stress
def test_a_very_long_playlist_stays_within_time_and_memory(tmp_path: Path) -> None:
    """200,000 segments: under 10 s and 600 MB."""
    key = '#EXT-X-KEY:METHOD=AES-128,URI="key{}",IV=0x1'
    lines = [f"#EXTINF:6.006,title {i}\nsegment{i:06d}.m4s" for i in range(200_000)]
    for place in range(0, len(lines), 100):
        lines[place] = f"{key.format(place)}\n{lines[place]}"
    path = tmp_path / "long.m3u8"
    path.write_text(text("#EXT-X-TARGETDURATION:6", *lines, "#EXT-X-ENDLIST"))
    command = [sys.executable, "-m", "pipeline", "inspect", "--json", str(path)]
    with (tmp_path / "long.json").open("wb") as output:
        process = subprocess.Popen(command, stdout=output, cwd=ROOT)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)

    assert process.returncode == 0
    assert usage.ru_utime + usage.ru_stime < 10
    assert usage.ru_maxrss < 600 << 10  # KiB
    assert len(json.loads((tmp_path / "long.json").read_bytes())["segments"]) == 200_000
