"""ffmpeg and ffprobe, which make the tests' streams and judge what became of them."""

import subprocess
from pathlib import Path


def output_of(*command: str | Path) -> bytes:
    """The program's standard output; whatever it complains about fails the test."""
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout


def ffmpeg(*arguments: str | Path) -> bytes:
    """What ffmpeg writes to its standard output."""
    return output_of("ffmpeg", "-v", "error", "-y", *arguments)


def ffprobe(*arguments: str | Path) -> bytes:
    """What ffprobe has to say."""
    return output_of("ffprobe", "-v", "error", *arguments)
