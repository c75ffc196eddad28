"""One run of one tool: wall and CPU seconds, peak memory of its processes, peak temporary disk."""

import os
import resource
import shutil
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from tests.bench.tools import Tool
from tests.bench.works import Fixture
from tests.support import proc
from tests.support.streams import sha256_of

#: Seconds between two looks at memory and disk. Each costs the run some of its CPU time, so that
#: there are few of them.
_INTERVAL = 0.05

#: Seconds after which a run is ended.
_PATIENCE = 900.0


@dataclass(frozen=True)
class Measured:
    """What a run took."""

    wall: float
    cpu: float
    pss: int  # bytes, of all processes together
    temp: int  # bytes on disk beside the output
    problem: str | None  # why it does not count


def measure(tool: Tool, url: str, fixture: Fixture, place: Path) -> Measured:
    """Run `tool` once, with output and temporary files below `place`."""
    with tempfile.TemporaryDirectory(dir=place) as folder:
        root = Path(folder)
        out, tmp = root / "video.ts", root / "tmp"
        tmp.mkdir()
        before = _children()
        started = time.monotonic()
        process = subprocess.Popen(
            tool.arguments(url, out, tmp),
            env={**os.environ, **tool.env, "TMPDIR": str(tmp)},
            cwd=root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        watch = _Watch(process.pid, root)
        watch.start()
        try:
            code = process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        wall = time.monotonic() - started
        watch.end()
        problem = f"exit {code}" if code else _compared(out, fixture)
        return Measured(wall, _children() - before, watch.pss, watch.temp, problem)


def _compared(out: Path, fixture: Fixture) -> str | None:
    if not out.exists():
        return "no output"
    return "wrong sha256" if sha256_of(out) != fixture.sha256 else None


def _children() -> float:
    """CPU seconds of all children that have ended, and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class _Watch(threading.Thread):
    """Looks at a run from outside."""

    def __init__(self, pid: int, root: Path) -> None:
        super().__init__(daemon=True)
        self.pss = self.temp = 0
        self._pid = pid
        self._root = root
        self._ended = threading.Event()

    def run(self) -> None:
        while not self._ended.wait(_INTERVAL):
            pids = [self._pid, *proc.descendants(self._pid)]
            self.pss = max(self.pss, sum(map(proc.pss, pids)))
            self.temp = max(self.temp, self._temporary())

    def _temporary(self) -> int:
        """Bytes below the root that are not the output, nor the output under another name."""
        sizes: dict[bool, int] = {True: 0, False: 0}
        for folder, _, names in os.walk(self._root):
            for name in names:
                try:
                    size = os.stat(os.path.join(folder, name)).st_blocks * 512  # noqa: PTH116, PTH118
                except OSError:
                    continue
                sizes[name.startswith("video.ts")] += size
        return sizes[False]

    def end(self) -> None:
        self._ended.set()
        self.join()


def disk_free(place: Path) -> int:
    """Bytes that fit below `place`."""
    return shutil.disk_usage(place).free
