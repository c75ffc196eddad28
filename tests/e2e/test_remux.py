"""An output named .mp4 is one: whole, playable, and there only when it is.

The streams are made by ffmpeg, and judged by it.
"""

import json
import subprocess
from pathlib import Path

import pytest

from tests.e2e.movies import (
    FFMPEG,
    HLS,
    NO_PYAV,
    PICTURE,
    SOUND,
    VIDEO,
    check_plays,
    inject,
    names,
    packets_of,
    piece,
    seconds,
    write_playlist,
)
from tests.support.runs import Workspace

pytestmark = pytest.mark.processes


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_the_name_decides(ending: str, movie: Path, workspace: Workspace) -> None:
    """`-o video.mp4` and `-o video.mkv` give such files, and nothing beside them."""
    run = workspace.run("fetch", movie, "-o", f"video.{ending}", "--json", "--checksum", "sha256")

    assert run.exit_code == 0, run.stderr
    assert (run.receipt["container"], run.receipt["remuxed_by"]) == (ending, "pyav")
    assert run.receipt["bytes"] == (workspace.cwd / f"video.{ending}").stat().st_size
    assert names(workspace) == {f"video.{ending}"}
    check_plays(workspace.cwd / f"video.{ending}", ["video", "audio"])


def test_an_encrypted_stream(encrypted_movie: Path, workspace: Workspace) -> None:
    """What was encrypted is an MP4 file as well."""
    run = workspace.run("fetch", encrypted_movie, "-o", "video.mp4", "--progress", "json")

    assert run.exit_code == 0, run.stderr
    told = [(each["event"], each["output"]) for each in run.events if each.get("output")]
    assert ("remux_progress", "video.mp4") in told
    assert [event for event, _ in told].count("output_published") == 1
    assert {output for _, output in told} == {"video.mp4"}
    check_plays(workspace.cwd / "video.mp4", ["video", "audio"])


@pytest.mark.parametrize(("ending", "kind"), [("mp4", "mpegts"), ("mkv", "fmp4")])
def test_timelines_in_a_row(ending: str, kind: str, workspace: Workspace, tmp_path: Path) -> None:
    """Clocks that jump at EXT-X-DISCONTINUITY, back or ahead: as long as the parts together."""
    tmp_path = tmp_path / "parts"
    tmp_path.mkdir()
    parts = [
        piece(tmp_path, name, at, kind) for name, at in [("a", "0"), ("b", "5000"), ("c", "70")]
    ]
    write_playlist(tmp_path / "all.m3u8", parts, "#EXT-X-DISCONTINUITY")

    run = workspace.run("fetch", tmp_path / "all.m3u8", "-o", f"video.{ending}")

    assert run.exit_code == 0, run.stderr
    # Sound is some frames longer than the picture in each part: it decides, as in one part alone.
    assert workspace.run("fetch", tmp_path / "a.m3u8", "-o", f"one.{ending}").exit_code == 0
    one = seconds(workspace.cwd / f"one.{ending}")
    check_plays(workspace.cwd / f"video.{ending}", ["video", "audio"], 3 * one)
    assert packets_of(workspace.cwd / f"video.{ending}") == 450


@pytest.mark.parametrize("between", ["#EXT-X-DISCONTINUITY", "## nothing is said"])
def test_another_encoder(between: str, workspace: Workspace, tmp_path: Path) -> None:
    """Behind another initialization section every picture is there, discontinuity or not."""
    parts = [
        piece(tmp_path, "a", "0", "fmp4"),
        piece(tmp_path, "b", "6.08", "fmp4", "-s", "160x90"),
    ]
    write_playlist(tmp_path / "all.m3u8", parts, between)

    run = workspace.run("fetch", tmp_path / "all.m3u8", "-o", "video.mp4")

    assert run.exit_code == 0, run.stderr
    check_plays(workspace.cwd / "video.mp4", ["video", "audio"], 12.1)
    assert packets_of(workspace.cwd / "video.mp4") == 300


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_chapters(ending: str, movie: Path, workspace: Workspace) -> None:
    """Those that date ranges tell are the file's, with their titles."""
    tags = [
        '#EXT-X-DATERANGE:ID="1",CLASS="my.chapter",START-DATE="2026-01-01T00:00:00Z",X-TITLE="One"',
        '#EXT-X-DATERANGE:ID="2",CLASS="my.chapter",START-DATE="2026-01-01T00:00:02.5Z"',
        "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00Z",
    ]
    head, *rest = movie.read_text().splitlines()
    dated = movie.with_name("dated.m3u8")
    dated.write_text("\n".join([head, *tags, *rest]))

    run = workspace.run("fetch", dated, "-o", f"video.{ending}")

    assert run.exit_code == 0, run.stderr
    show = ["ffprobe", "-v", "error", "-show_chapters", "-of", "json"]
    found = subprocess.run(
        [*show, workspace.cwd / f"video.{ending}"], check=True, capture_output=True
    )
    told = [
        (float(one["start_time"]), float(one["end_time"]), one["tags"]["title"])
        for one in json.loads(found.stdout)["chapters"]
    ]
    assert told == [(0.0, 2.5, "One"), (2.5, pytest.approx(6.0, abs=0.1), "2")]


def test_none_joins_the_bytes(movie: Path, workspace: Workspace) -> None:
    """`--remux none` leaves the bytes as they are, whatever the name says."""
    run = workspace.run("fetch", movie, "-o", "video.mp4", "--remux", "none")

    parts = b"".join(path.read_bytes() for path in sorted(movie.parent.glob("*.ts")))
    assert run.exit_code == 0
    assert (workspace.cwd / "video.mp4").read_bytes() == parts


def test_a_batch(listed: Path, workspace: Workspace) -> None:
    """Each by its name, each for itself; what fails for good is not tried again."""
    run = workspace.run("batch", listed, "-j", "3", "--json", "--retry-failed", "2")

    receipts = {each["output"]: each for each in map(json.loads, run.stdout.splitlines())}
    assert run.exit_code == 6, run.stderr
    assert names(workspace) == {"a.mp4", "b.mkv", "c.mp4", "d.ts", "e.ts"}
    assert {name: each["exit_code"] for name, each in receipts.items()} == {
        "a.mp4": 0,
        "b.mkv": 0,
        "c.mp4": 0,
        "d.ts": 0,
        "e.mp4": 1,
    }
    assert receipts["b.mkv"]["container"] == "mkv"
    assert "what was fetched is in e.ts" in receipts["e.mp4"]["error"]
    for name in ("a.mp4", "b.mkv", "c.mp4"):
        check_plays(workspace.cwd / name, ["video", "audio"])


def test_garbage_is_kept_as_it_is(workspace: Workspace, tmp_path: Path) -> None:
    """What no MP4 file can be made of stays under its own ending, and the run has failed."""
    (tmp_path / "0.ts").write_bytes((b"\x47\x1f\xff\x10" + b"\xff" * 184) * 1000)
    text = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n0.ts\n#EXT-X-ENDLIST\n"
    (tmp_path / "a.m3u8").write_text(text)

    run = workspace.run("fetch", tmp_path / "a.m3u8", "-o", "video.mp4")

    assert run.exit_code == 1
    assert "video.ts" in run.stderr
    assert names(workspace) == {"video.ts"}
    assert (workspace.cwd / "video.ts").read_bytes() == (tmp_path / "0.ts").read_bytes()


def test_nothing_to_remux_with(movie: Path, workspace: Workspace, tmp_path: Path) -> None:
    """Without PyAV and ffmpeg the merged stream is kept, and the run says what is missing."""
    inject(workspace, tmp_path, NO_PYAV)
    workspace.env["PATH"] = str(tmp_path)

    run = workspace.run("fetch", movie, "-o", "video.mp4")

    assert run.exit_code == 1
    assert "pip install 'hlspipe[mp4]'" in run.stderr
    assert names(workspace) == {"video.ts"}


def test_ffmpeg_instead(movie: Path, workspace: Workspace, tmp_path: Path) -> None:
    """Without PyAV an ffmpeg does it, as well as it can: what it does not mend is told."""
    inject(workspace, tmp_path, NO_PYAV)

    run = workspace.run("fetch", movie, "-o", "video.mp4", "--json")

    assert run.exit_code == 0, run.stderr
    assert run.receipt["remuxed_by"] == "ffmpeg"
    assert "discontinuity" not in run.stdout
    assert names(workspace) == {"video.mp4"}
    check_plays(workspace.cwd / "video.mp4", ["video", "audio"])


def test_what_ffmpeg_does_not_mend(workspace: Workspace, tmp_path: Path) -> None:
    """Two timelines with a chapter: what is left as it is, is said."""
    inject(workspace, tmp_path, NO_PYAV)
    parts = [piece(tmp_path, name, "0", "mpegts") for name in "ab"]
    chapter = '#EXT-X-DATERANGE:ID="1",CLASS="chapter",START-DATE="2026-01-01T00:00:00Z",DURATION=9'
    parts[0][:0] = ["#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00Z", chapter]
    write_playlist(tmp_path / "all.m3u8", parts, "#EXT-X-DISCONTINUITY")

    run = workspace.run("fetch", tmp_path / "all.m3u8", "-o", "video.mp4")

    assert run.exit_code == 0, run.stderr
    assert "behind a discontinuity, expect faults" in run.stderr
    assert "no chapters" in run.stderr


def test_separate_audio(workspace: Workspace, tmp_path: Path) -> None:
    """Video, audio with a language and subtitles of their own become one file."""
    subprocess.run([*FFMPEG, *PICTURE, *VIDEO, *HLS, tmp_path / "v.m3u8"], check=True)
    subprocess.run([*FFMPEG, *SOUND, "-c:a", "aac", *HLS, tmp_path / "a.m3u8"], check=True)
    (tmp_path / "m.m3u8").write_text(
        "#EXTM3U\n"
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="Deutsch",LANGUAGE="de",DEFAULT=YES,'
        'URI="a.m3u8"\n'
        '#EXT-X-STREAM-INF:BANDWIDTH=100000,AUDIO="a"\nv.m3u8\n'
    )

    run = workspace.run("fetch", tmp_path / "m.m3u8", "-o", "video.mp4", "--audio", "all")

    assert run.exit_code == 0, run.stderr
    assert names(workspace) == {"video.mp4"}
    check_plays(workspace.cwd / "video.mp4", ["video", "audio"])
