"""Short clips of many kinds, made by ffmpeg."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.media import programs

VIDEO = ("-f", "lavfi", "-i", "testsrc2=s=160x120:r=25:d=1")
AUDIO = ("-f", "lavfi", "-i", "sine=d=1")
RICH = ("-f", "lavfi", "-i", "testsrc2=s=640x480:r=25:d=8,noise=alls=60:allf=t")
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-threads", "1")
H265 = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none:pools=1")
FRAGMENTS = ("-movflags", "frag_keyframe+empty_moov+default_base_moof", "-f", "mp4")
CLIPS = {
    "plain.ts": (*VIDEO, *AUDIO, *H264, "-c:a", "aac"),
    "h265.ts": (*VIDEO, *AUDIO, *H265, "-c:a", "aac"),
    "mp3.ts": (*VIDEO, *AUDIO, *H264, "-c:a", "libmp3lame"),
    "ac3.ts": (*VIDEO, *AUDIO, *H264, "-c:a", "ac3"),
    "wrap.ts": (*VIDEO, *AUDIO, *H264, "-c:a", "aac", "-output_ts_offset", "95441.7"),
    "sound first.ts": (*AUDIO, *VIDEO, *H264, "-map", "0", "-map", "1", "-c:a", "aac"),
    "rich.ts": (*RICH, "-f", "lavfi", "-i", "sine=d=8", *H264, "-qp", "26", "-c:a", "aac"),
    "late sound.ts": (
        *RICH,
        *("-itsoffset", "4", "-f", "lavfi", "-i", "sine=d=4"),
        *(*H264, "-qp", "20", "-c:a", "aac"),
    ),
    "sound.ts": (*AUDIO, "-c:a", "aac"),
    "sound.aac": (*AUDIO, "-c:a", "aac", "-f", "adts"),
    "sound.mp3": (*AUDIO, "-c:a", "libmp3lame"),
    "fragments.mp4": (*VIDEO, *AUDIO, *H264, "-c:a", "aac", *FRAGMENTS),
    "picture.mp4": (*VIDEO, *H264, *FRAGMENTS),
    "sound.mp4": (*AUDIO, "-c:a", "aac", *FRAGMENTS),
}

Clip = Callable[[str], Path]


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    """Makes each of `CLIPS` once."""
    directory = tmp_path_factory.mktemp("clips")

    def make(name: str) -> Path:
        path = directory / name
        if not path.exists():
            programs.ffmpeg(*CLIPS[name], path)
        return path

    return make
