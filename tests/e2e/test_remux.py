"""An output named .mp4 is one: whole, playable, and there only when it is.

The streams are made by ffmpeg, and judged by it.
"""

import json
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support import proc
from tests.support.disks import NotAllowed, SmallDisk
from tests.support.runs import Workspace

pytestmark = pytest.mark.processes

FFMPEG = ["ffmpeg", "-v", "error", "-y", "-nostdin"]
PICTURE = ["-f", "lavfi", "-i", "testsrc=s=320x180:d=6"]
SOUND = ["-f", "lavfi", "-i", "sine=d=6"]
VIDEO = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-bf", "2"]
HLS = ["-f", "hls", "-hls_time", "2", "-hls_playlist_type", "vod"]

#: Imported before anything else: PyAV cannot be found, or the remuxer stops at its first look at
#: what was fetched, for as long as it is wanted.
NO_PYAV = """
import importlib.util, os
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "av" else found(name, *rest)
"""
SLOW = """
import os, sys, time
if "remuxer" in sys.argv:
    def stop(event, arguments):
        if event == "open" and ".work/" in str(arguments[0]) and str(arguments[0]).endswith(".ts"):
            open(os.environ["SLOW_MARK"], "w").close()
            time.sleep(120)
    sys.addaudithook(stop)
"""


@pytest.fixture(scope="session")
def stream(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A playlist with segments of H.264 and AAC beside it."""
    folder = tmp_path_factory.mktemp("stream")
    made = [*PICTURE, *SOUND, *VIDEO, "-c:a", "aac", *HLS, folder / "a.m3u8"]
    subprocess.run([*FFMPEG, *made], check=True)
    return folder / "a.m3u8"


@pytest.fixture(scope="session")
def encrypted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, encrypted with AES-128."""
    folder = tmp_path_factory.mktemp("encrypted")
    (folder / "k").write_bytes(b"0123456789abcdef")
    (folder / "info").write_text(f"k\n{folder / 'k'}\n")
    made = [*PICTURE, *SOUND, *VIDEO, "-c:a", "aac", *HLS]
    made += ["-hls_key_info_file", folder / "info", folder / "a.m3u8"]
    subprocess.run([*FFMPEG, *made], check=True)
    return folder / "a.m3u8"


@pytest.fixture
def space(tmp_path: Path) -> Workspace:
    """A workspace."""
    return Workspace(tmp_path / "space")


def inject(space: Workspace, tmp_path: Path, code: str) -> Path:
    """Have every process of the workspace run `code` first; returns the mark of SLOW."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(code)
    mark = tmp_path / "mark"
    space.env |= {"PYTHONPATH": f"{tmp_path / 'site'}:{Path.cwd()}", "SLOW_MARK": str(mark)}
    return mark


def names(space: Workspace) -> set[str]:
    return {path.name for path in space.cwd.iterdir()}


def seconds(path: Path) -> float:
    command = ["ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", path]
    return float(subprocess.run(command, check=True, capture_output=True).stdout)


def check_plays(path: Path, kinds: list[str], seconds: float = 6.0) -> None:
    probe = ["ffprobe", "-v", "error", "-show_streams", "-show_format", "-of", "json", str(path)]
    found = json.loads(subprocess.run(probe, check=True, capture_output=True).stdout)
    decode = ["ffmpeg", "-v", "error", "-i", str(path), "-f", "null", "-"]
    heard = subprocess.run(decode, check=True, capture_output=True)

    assert heard.stderr == b""
    assert [each["codec_type"] for each in found["streams"]] == kinds
    assert abs(float(found["format"]["duration"]) - seconds) < 0.1


def wait_until(happens: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not happens():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def wait_for(mark: Path) -> None:
    wait_until(mark.exists)


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_the_name_decides(ending: str, stream: Path, space: Workspace) -> None:
    """`-o video.mp4` and `-o video.mkv` give such files, and nothing beside them."""
    run = space.run("fetch", stream, "-o", f"video.{ending}", "--json", "--checksum", "sha256")

    assert run.exit_code == 0, run.stderr
    assert (run.receipt["container"], run.receipt["remuxed_by"]) == (ending, "pyav")
    assert run.receipt["bytes"] == (space.cwd / f"video.{ending}").stat().st_size
    assert names(space) == {f"video.{ending}"}
    check_plays(space.cwd / f"video.{ending}", ["video", "audio"])


def test_an_encrypted_stream(encrypted: Path, space: Workspace) -> None:
    """What was encrypted is an MP4 file as well."""
    run = space.run("fetch", encrypted, "-o", "video.mp4", "--progress", "json")

    assert run.exit_code == 0, run.stderr
    told = [(each["event"], each["output"]) for each in run.events if each.get("output")]
    assert ("remux_progress", "video.mp4") in told
    assert [event for event, _ in told].count("output_published") == 1
    assert {output for _, output in told} == {"video.mp4"}
    check_plays(space.cwd / "video.mp4", ["video", "audio"])


def piece(folder: Path, name: str, offset: str, kind: str, *more: str) -> list[str]:
    """Lines of a playlist for six seconds whose clock begins at `offset` seconds."""
    made = [*PICTURE, *SOUND, *VIDEO, "-c:a", "aac", *more, "-output_ts_offset", offset, *HLS]
    made += ["-hls_segment_type", kind, "-hls_fmp4_init_filename", f"{name}.init.mp4"]
    made += ["-hls_segment_filename", folder / f"{name}%d.seg", folder / f"{name}.m3u8"]
    subprocess.run([*FFMPEG, *made], check=True)
    skipped = (
        "#EXTM3U",
        "#EXT-X-VER",
        "#EXT-X-TARGET",
        "#EXT-X-MEDIA-S",
        "#EXT-X-PL",
        "#EXT-X-END",
    )
    lines = (folder / f"{name}.m3u8").read_text().splitlines()
    return [line for line in lines if not line.startswith(skipped)]


def write_playlist(path: Path, parts: list[list[str]], between: str) -> None:
    """A playlist of `parts`, with a line between them."""
    text = f"\n{between}\n".join("\n".join(part) for part in parts)
    head = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:3\n"
    path.write_text(f"{head}{text}\n#EXT-X-ENDLIST\n")


def packets_of(path: Path) -> int:
    """How many pictures there are."""
    count = ["-count_packets", "-select_streams", "v", "-show_entries", "stream=nb_read_packets"]
    command = ["ffprobe", "-v", "error", *count, "-of", "csv=p=0", path]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.parametrize(("ending", "kind"), [("mp4", "mpegts"), ("mkv", "fmp4")])
def test_timelines_in_a_row(ending: str, kind: str, space: Workspace, tmp_path: Path) -> None:
    """Clocks that jump at EXT-X-DISCONTINUITY, back or ahead: as long as the parts together."""
    tmp_path = tmp_path / "parts"
    tmp_path.mkdir()
    parts = [
        piece(tmp_path, name, at, kind) for name, at in [("a", "0"), ("b", "5000"), ("c", "70")]
    ]
    write_playlist(tmp_path / "all.m3u8", parts, "#EXT-X-DISCONTINUITY")

    run = space.run("fetch", tmp_path / "all.m3u8", "-o", f"video.{ending}")

    assert run.exit_code == 0, run.stderr
    # Sound is some frames longer than the picture in each part: it decides, as in one part alone.
    assert space.run("fetch", tmp_path / "a.m3u8", "-o", f"one.{ending}").exit_code == 0
    one = seconds(space.cwd / f"one.{ending}")
    check_plays(space.cwd / f"video.{ending}", ["video", "audio"], 3 * one)
    assert packets_of(space.cwd / f"video.{ending}") == 450


@pytest.mark.parametrize("between", ["#EXT-X-DISCONTINUITY", "## nothing is said"])
def test_another_encoder(between: str, space: Workspace, tmp_path: Path) -> None:
    """Behind another initialization section every picture is there, discontinuity or not."""
    parts = [
        piece(tmp_path, "a", "0", "fmp4"),
        piece(tmp_path, "b", "6.08", "fmp4", "-s", "160x90"),
    ]
    write_playlist(tmp_path / "all.m3u8", parts, between)

    run = space.run("fetch", tmp_path / "all.m3u8", "-o", "video.mp4")

    assert run.exit_code == 0, run.stderr
    check_plays(space.cwd / "video.mp4", ["video", "audio"], 12.1)
    assert packets_of(space.cwd / "video.mp4") == 300


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_chapters(ending: str, stream: Path, space: Workspace) -> None:
    """Those that date ranges tell are the file's, with their titles."""
    tags = [
        '#EXT-X-DATERANGE:ID="1",CLASS="my.chapter",START-DATE="2026-01-01T00:00:00Z",X-TITLE="One"',
        '#EXT-X-DATERANGE:ID="2",CLASS="my.chapter",START-DATE="2026-01-01T00:00:02.5Z"',
        "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00Z",
    ]
    head, *rest = stream.read_text().splitlines()
    dated = stream.with_name("dated.m3u8")
    dated.write_text("\n".join([head, *tags, *rest]))

    run = space.run("fetch", dated, "-o", f"video.{ending}")

    assert run.exit_code == 0, run.stderr
    show = ["ffprobe", "-v", "error", "-show_chapters", "-of", "json"]
    found = subprocess.run([*show, space.cwd / f"video.{ending}"], check=True, capture_output=True)
    told = [
        (float(one["start_time"]), float(one["end_time"]), one["tags"]["title"])
        for one in json.loads(found.stdout)["chapters"]
    ]
    assert told == [(0.0, 2.5, "One"), (2.5, pytest.approx(6.0, abs=0.1), "2")]


@pytest.fixture
def tight(stream: Path, tmp_path: Path) -> Iterator[SmallDisk]:
    """A disk that holds the streams, and not the file that is made of them as well."""
    size = sum(path.stat().st_size for path in stream.parent.glob("*.ts"))
    try:
        with SmallDisk(tmp_path / "disk", size + size // 2) as disk:
            yield disk
    except NotAllowed as error:
        pytest.skip(f"nothing can be mounted here: {error}")


def test_a_disk_that_is_full(stream: Path, space: Workspace, tight: SmallDisk) -> None:
    """The streams are kept beside, and the run says so."""
    run = space.run("fetch", stream, "-o", tight.path / "video.mp4")

    assert run.exit_code == 7
    assert "No space left" in run.stderr
    assert f"what was fetched is in {tight.path / 'video.ts'}" in run.stderr
    assert [path.name for path in tight.path.iterdir()] == ["video.ts"]


def test_a_disk_that_is_full_with_continue(
    stream: Path, space: Workspace, tight: SmallDisk
) -> None:
    """Once there is room the same command makes the file, of what was fetched before."""
    run = space.run("fetch", stream, "-o", tight.path / "video.mp4", "-c")
    assert run.exit_code == 7
    assert "the same command goes on" in run.stderr
    tight.grow(4 * tight.size)

    again = space.run("fetch", stream, "-o", tight.path / "video.mp4", "-c", "--json")

    assert again.exit_code == 0, again.stderr
    assert again.receipt["resumed_bytes"] > 0
    assert [path.name for path in tight.path.iterdir()] == ["video.mp4"]
    check_plays(tight.path / "video.mp4", ["video", "audio"])


def test_none_joins_the_bytes(stream: Path, space: Workspace) -> None:
    """`--remux none` leaves the bytes as they are, whatever the name says."""
    run = space.run("fetch", stream, "-o", "video.mp4", "--remux", "none")

    parts = b"".join(path.read_bytes() for path in sorted(stream.parent.glob("*.ts")))
    assert run.exit_code == 0
    assert (space.cwd / "video.mp4").read_bytes() == parts


def test_what_was_being_used_up_is_not_taken_up(
    stream: Path, space: Workspace, tmp_path: Path
) -> None:
    """A run without `-c` that is killed whole has perhaps released some of its sources."""
    mark = inject(space, tmp_path, SLOW)
    with space.start("fetch", stream, "-o", "video.mp4") as running:
        wait_for(mark)
        running.kill_group()
    (source,) = (space.cwd / ".video.mp4.work").glob("*.ts")
    source.write_bytes(bytes(source.stat().st_size))
    del space.env["PYTHONPATH"]

    run = space.run("fetch", stream, "-o", "video.mp4", "-c", "--json")

    assert run.exit_code == 0, run.stderr
    assert run.receipt["resumed_bytes"] == 0
    assert names(space) == {"video.mp4"}
    check_plays(space.cwd / "video.mp4", ["video", "audio"])


@pytest.fixture
def listed(stream: Path, encrypted: Path, tmp_path: Path) -> Path:
    """A batch: three that can be remuxed, one that is taken as it is, and garbage."""
    (tmp_path / "0.ts").write_bytes((b"\x47\x1f\xff\x10" + b"\xff" * 184) * 1000)
    text = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n0.ts\n#EXT-X-ENDLIST\n"
    (tmp_path / "garbage.m3u8").write_text(text)
    wanted = [(stream, "a.mp4"), (encrypted, "b.mkv"), (stream, "c.mp4"), (stream, "d")]
    wanted.append((tmp_path / "garbage.m3u8", "e.mp4"))
    lines = [f"{source}\n  out={name}\n" for source, name in wanted]
    (tmp_path / "list.txt").write_text("".join(lines))
    return tmp_path / "list.txt"


def test_a_batch(listed: Path, space: Workspace) -> None:
    """Each by its name, each for itself; what fails for good is not tried again."""
    run = space.run("batch", listed, "-j", "3", "--json", "--retry-failed", "2")

    receipts = {each["output"]: each for each in map(json.loads, run.stdout.splitlines())}
    assert run.exit_code == 6, run.stderr
    assert names(space) == {"a.mp4", "b.mkv", "c.mp4", "d.ts", "e.ts"}
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
        check_plays(space.cwd / name, ["video", "audio"])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["SIGINT", "SIGKILL"])
def test_a_batch_that_is_stopped(
    number: signal.Signals, listed: Path, space: Workspace, tmp_path: Path
) -> None:
    """In the middle of a remux: nothing unfinished stays."""
    mark = inject(space, tmp_path, SLOW)

    with space.start("batch", listed, "-j", "2") as running:
        wait_for(mark)
        running.process.send_signal(number)
        running.wait()
        wait_until(lambda: not proc.marked(space.marker))

    assert names(space) <= {"d.ts", "e.ts"}


def test_garbage_is_kept_as_it_is(space: Workspace, tmp_path: Path) -> None:
    """What no MP4 file can be made of stays under its own ending, and the run has failed."""
    (tmp_path / "0.ts").write_bytes((b"\x47\x1f\xff\x10" + b"\xff" * 184) * 1000)
    text = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n0.ts\n#EXT-X-ENDLIST\n"
    (tmp_path / "a.m3u8").write_text(text)

    run = space.run("fetch", tmp_path / "a.m3u8", "-o", "video.mp4")

    assert run.exit_code == 1
    assert "video.ts" in run.stderr
    assert names(space) == {"video.ts"}
    assert (space.cwd / "video.ts").read_bytes() == (tmp_path / "0.ts").read_bytes()


def test_nothing_to_remux_with(stream: Path, space: Workspace, tmp_path: Path) -> None:
    """Without PyAV and ffmpeg the merged stream is kept, and the run says what is missing."""
    inject(space, tmp_path, NO_PYAV)
    space.env["PATH"] = str(tmp_path)

    run = space.run("fetch", stream, "-o", "video.mp4")

    assert run.exit_code == 1
    assert "pip install 'hlspipe[mp4]'" in run.stderr
    assert names(space) == {"video.ts"}


def test_ffmpeg_instead(stream: Path, space: Workspace, tmp_path: Path) -> None:
    """Without PyAV an ffmpeg does it, as well as it can: what it does not mend is told."""
    inject(space, tmp_path, NO_PYAV)

    run = space.run("fetch", stream, "-o", "video.mp4", "--json")

    assert run.exit_code == 0, run.stderr
    assert run.receipt["remuxed_by"] == "ffmpeg"
    assert "discontinuity" not in run.stdout
    assert names(space) == {"video.mp4"}
    check_plays(space.cwd / "video.mp4", ["video", "audio"])


def test_what_ffmpeg_does_not_mend(space: Workspace, tmp_path: Path) -> None:
    """Two timelines with a chapter: what is left as it is, is said."""
    inject(space, tmp_path, NO_PYAV)
    parts = [piece(tmp_path, name, "0", "mpegts") for name in "ab"]
    chapter = '#EXT-X-DATERANGE:ID="1",CLASS="chapter",START-DATE="2026-01-01T00:00:00Z",DURATION=9'
    parts[0][:0] = ["#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00Z", chapter]
    write_playlist(tmp_path / "all.m3u8", parts, "#EXT-X-DISCONTINUITY")

    run = space.run("fetch", tmp_path / "all.m3u8", "-o", "video.mp4")

    assert run.exit_code == 0, run.stderr
    assert "behind a discontinuity, expect faults" in run.stderr
    assert "no chapters" in run.stderr


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_leaves_nothing(
    number: signal.Signals, code: int, stream: Path, space: Workspace, tmp_path: Path
) -> None:
    """Ctrl-C and SIGTERM during the remux end the run, and nothing is left."""
    mark = inject(space, tmp_path, SLOW)

    with space.start("fetch", stream, "-o", "video.mp4") as running:
        wait_for(mark)
        running.process.send_signal(number)
        run = running.wait()

    assert run.exit_code == code
    assert names(space) == set()


def remuxer_of(pid: int) -> int:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return next(
        int(child)
        for child in children
        if b"\0remuxer\0" in Path(f"/proc/{child}/cmdline").read_bytes()
    )


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_remuxer_that_dies(
    number: signal.Signals, stream: Path, space: Workspace, tmp_path: Path
) -> None:
    """Whatever kills the remuxer, the run fails with the reason and keeps what was fetched."""
    mark = inject(space, tmp_path, SLOW)

    with space.start("fetch", stream, "-o", "video.mp4") as running:
        wait_for(mark)
        proc.os.kill(remuxer_of(running.process.pid), number)
        run = running.wait()

    assert run.exit_code == 1
    assert number.name in run.stderr
    assert names(space) == {"video.ts"}


def check_killed(space: Workspace, stream: Path, seed: int) -> None:
    """SIGKILL for the supervisor alone, at some moment of its second."""
    with space.start("fetch", stream, "-o", "video.mp4") as running:
        time.sleep(random.Random(seed).uniform(0.1, 1.0))
        running.process.kill()
        running.wait()
        wait_until(lambda: not proc.marked(space.marker))

    assert names(space) <= {"video.mp4"}


@pytest.mark.parametrize("seed", range(4))
def test_a_supervisor_that_is_killed(seed: int, stream: Path, space: Workspace) -> None:
    """From the first file on there is a process that removes all of them."""
    check_killed(space, stream, seed)


@pytest.mark.stress
@pytest.mark.parametrize("seed", range(100, 200))
def test_supervisors_that_are_killed(seed: int, stream: Path, space: Workspace) -> None:
    """At a hundred moments."""
    check_killed(space, stream, seed)


def test_a_supervisor_that_dies(stream: Path, space: Workspace, tmp_path: Path) -> None:
    """When the supervisor is killed the remuxer removes everything."""
    mark = inject(space, tmp_path, SLOW)

    with space.start("fetch", stream, "-o", "video.mp4") as running:
        wait_for(mark)
        running.process.kill()
        running.wait()
        deadline = time.monotonic() + 5
        while names(space) and time.monotonic() < deadline:
            time.sleep(0.05)

    assert names(space) == set()


def test_continued_after_a_kill_of_all(stream: Path, space: Workspace, tmp_path: Path) -> None:
    """With -c, what was in when all processes were killed is not fetched again."""
    served = tmp_path / "served"
    shutil.copytree(stream.parent, served)
    mark = inject(space, tmp_path, SLOW)
    with space.start("fetch", served / "a.m3u8", "-o", "video.mp4", "-c") as running:
        wait_for(mark)
        proc.os.killpg(running.process.pid, signal.SIGKILL)
        running.wait()
    for segment in served.glob("*.ts"):
        segment.unlink()
    (tmp_path / "site" / "sitecustomize.py").write_text("")

    run = space.run("fetch", served / "a.m3u8", "-o", "video.mp4", "-c")

    assert run.exit_code == 0, run.stderr
    assert names(space) == {"video.mp4"}
    check_plays(space.cwd / "video.mp4", ["video", "audio"])


def test_separate_audio(space: Workspace, tmp_path: Path) -> None:
    """Video, audio with a language and subtitles of their own become one file."""
    subprocess.run([*FFMPEG, *PICTURE, *VIDEO, *HLS, tmp_path / "v.m3u8"], check=True)
    subprocess.run([*FFMPEG, *SOUND, "-c:a", "aac", *HLS, tmp_path / "a.m3u8"], check=True)
    (tmp_path / "m.m3u8").write_text(
        "#EXTM3U\n"
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="Deutsch",LANGUAGE="de",DEFAULT=YES,'
        'URI="a.m3u8"\n'
        '#EXT-X-STREAM-INF:BANDWIDTH=100000,AUDIO="a"\nv.m3u8\n'
    )

    run = space.run("fetch", tmp_path / "m.m3u8", "-o", "video.mp4", "--audio", "all")

    assert run.exit_code == 0, run.stderr
    assert names(space) == {"video.mp4"}
    check_plays(space.cwd / "video.mp4", ["video", "audio"])
