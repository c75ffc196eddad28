"""The tools that are measured: hlspipe in two ways, its peers as far as they are installed, others.

A tool is a command with {url}, {out} and {tmp} (an empty directory) in it. ffmpeg is not among the
peers: the streams are packets with random payloads, in which it finds nothing to copy.
"""

import os
import shlex
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Tool:
    """A command, and what its environment needs."""

    name: str
    command: str
    env: Mapping[str, str] = field(default_factory=dict)

    def arguments(self, url: str, out: Path, tmp: Path) -> list[str]:
        """The command line of one run."""
        values = {"url": url, "out": str(out), "tmp": str(tmp)}
        return [part.format(**values) for part in shlex.split(self.command)]


def own(options: str = "") -> list[Tool]:
    """hlspipe with OpenSSL's cipher, and with the built-in one only."""
    program = f"{sys.executable} -m pipeline fetch -q --force {options} {{url}} -o {{out}}"
    without = str(ROOT / "tests" / "bench" / "without_openssl")
    return [
        Tool("hlspipe", program, env={"PYTHONPATH": str(ROOT)}),
        Tool("hlspipe-pycryptodome", program, env={"PYTHONPATH": f"{without}:{ROOT}"}),
    ]


def peers(programs: Path) -> list[Tool]:
    """The peers that are installed: below `programs` (a virtual environment), or on PATH."""
    found = []
    if yt_dlp := _program("yt-dlp", programs):
        for connections in (8, 16):
            command = f"{yt_dlp} -q --no-part -N {connections} {{url}} -o {{out}}"
            found.append(Tool(f"yt-dlp-N{connections}", command))
    if streamlink := _program("streamlink", programs):
        command = f"{streamlink} --quiet --stream-segment-threads 8 -f -o {{out}} {{url}} best"
        found.append(Tool("streamlink", command))
    if shutil.which("aria2c") and shutil.which("openssl"):
        script = ROOT / "tests" / "bench" / "aria2_openssl.sh"
        found.append(Tool("aria2-openssl", f"bash {script} {{url}} {{out}} {{tmp}}"))
    return found


def _program(name: str, programs: Path) -> str | None:
    return shutil.which(name, path=os.pathsep.join([str(programs / "bin"), os.environ["PATH"]]))


def parse_tool(text: str) -> Tool:
    """The tool of `--tool NAME='command'`. Raises ValueError."""
    name, equals, command = text.partition("=")
    if not equals or "{url}" not in command or "{out}" not in command:
        raise ValueError("a tool is NAME='command with {url} and {out}'")
    return Tool(name, command)
