"""Movies for tests of remuxing: made by ffmpeg, and judged by it.

Also what is done to the process that puts them together.
"""

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from tests.support.runs import Workspace

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


def inject(workspace: Workspace, tmp_path: Path, code: str) -> Path:
    """Have every process of the workspace run `code` first; returns the mark of SLOW."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(code)
    mark = tmp_path / "mark"
    workspace.env |= {"PYTHONPATH": f"{tmp_path / 'site'}:{Path.cwd()}", "SLOW_MARK": str(mark)}
    return mark


def names(workspace: Workspace) -> set[str]:
    """What lies where runs write to."""
    return {path.name for path in workspace.cwd.iterdir()}


def seconds(path: Path) -> float:
    """How long a file plays."""
    command = ["ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", path]
    return float(subprocess.run(command, check=True, capture_output=True).stdout)


def check_plays(path: Path, kinds: list[str], seconds: float = 6.0) -> None:
    """A file has these kinds of streams, that length, and every frame of it can be decoded."""
    probe = ["ffprobe", "-v", "error", "-show_streams", "-show_format", "-of", "json", str(path)]
    found = json.loads(subprocess.run(probe, check=True, capture_output=True).stdout)
    decode = ["ffmpeg", "-v", "error", "-i", str(path), "-f", "null", "-"]
    heard = subprocess.run(decode, check=True, capture_output=True)

    assert heard.stderr == b""
    assert [each["codec_type"] for each in found["streams"]] == kinds
    assert abs(float(found["format"]["duration"]) - seconds) < 0.1


def packets_of(path: Path) -> int:
    """How many pictures there are."""
    count = ["-count_packets", "-select_streams", "v", "-show_entries", "stream=nb_read_packets"]
    command = ["ffprobe", "-v", "error", *count, "-of", "csv=p=0", path]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


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


def wait_until(happens: Callable[[], bool]) -> None:
    """Until something is so, for half a minute at the most."""
    deadline = time.monotonic() + 30
    while not happens():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def wait_for(mark: Path) -> None:
    """Until a process has got to where SLOW stops it."""
    wait_until(mark.exists)


def make_movie(folder: Path, *more: object) -> Path:
    """A playlist with segments of H.264 and AAC beside it."""
    made = [*PICTURE, *SOUND, *VIDEO, "-c:a", "aac", *HLS, *more, folder / "a.m3u8"]
    subprocess.run([*FFMPEG, *made], check=True)
    return folder / "a.m3u8"


def make_encrypted_movie(folder: Path) -> Path:
    """The same, encrypted with AES-128."""
    (folder / "k").write_bytes(b"0123456789abcdef")
    (folder / "info").write_text(f"k\n{folder / 'k'}\n")
    return make_movie(folder, "-hls_key_info_file", folder / "info")


def make_batch(folder: Path, movie: Path, encrypted_movie: Path) -> Path:
    """A batch: three that can be remuxed, one that is taken as it is, and garbage."""
    wanted = [(movie, "a.mp4"), (encrypted_movie, "b.mkv"), (movie, "c.mp4"), (movie, "d")]
    wanted.append((make_garbage(folder), "e.mp4"))
    lines = [f"{source}\n  out={name}\n" for source, name in wanted]
    (folder / "list.txt").write_text("".join(lines))
    return folder / "list.txt"


def make_garbage(folder: Path) -> Path:
    """A playlist of one segment that looks like a transport stream, and nothing can be made of."""
    (folder / "0.ts").write_bytes((b"\x47\x1f\xff\x10" + b"\xff" * 184) * 1000)
    text = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n0.ts\n#EXT-X-ENDLIST\n"
    (folder / "garbage.m3u8").write_text(text)
    return folder / "garbage.m3u8"
