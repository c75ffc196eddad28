"""Small clips made by ffmpeg, and what ffmpeg makes of a stream."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

VIDEO = "testsrc2=size=96x64:rate=25:duration=1"
# Lossless noise is full of zeros, and so of emulation prevention.
NOISE = f"{VIDEO},noise=alls=100:allf=t"
TONE = "sine=frequency=440:sample_rate=48000:duration=1"
X264 = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-preset", "ultrafast", "-threads", "1"]

Clip = Callable[..., Path]


def ffmpeg(*arguments: str | Path, level: str = "warning") -> str:
    """ffmpeg's standard output; any complaint of that level, survived or not, fails the test."""
    command = ["ffmpeg", "-nostdin", "-v", level, "-y", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def frame_hashes(*source: str | Path, level: str = "warning") -> str:
    """The hashes of all decoded frames, with their times."""
    return ffmpeg(*source, "-map", "0", "-f", "framemd5", "-", level=level)


@pytest.fixture(scope="session")
def clip(tmp_path_factory) -> Clip:
    """Makes a clip with this ending, audio codec and further options; the same one only once."""
    folder = tmp_path_factory.mktemp("clips")
    made: dict[tuple[str, ...], Path] = {}

    def make(ending: str, *options: str, video: str = VIDEO, audio: str = "aac") -> Path:
        wanted = (ending, *options, video, audio)
        if wanted not in made:
            made[wanted] = folder / f"{len(made)}.{ending}"
            inputs = ["-f", "lavfi", "-i", video] if video else []
            inputs += ["-f", "lavfi", "-i", TONE] if audio else []
            codecs = [*(X264 if video else []), *(["-c:a", audio, "-b:a", "192k"] if audio else [])]
            ffmpeg(*inputs, *codecs, *options, made[wanted], level="error")
        return made[wanted]

    return make
