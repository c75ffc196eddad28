"""The bench that whole downloads are tried on: a stream, an origin that serves it, a workspace.

    stream = bench.serve([100 * KB] * 30, aes=Aes())
    run = bench.fetch("--memory-threshold", "1MB")
    bench.check_right(run)
    assert run.receipt["storage"]["mode"] == "disk"

Each run writes `video.ts` and prints its receipt, unless a test wants it otherwise.
"""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests.support import far_away
from tests.support.invariants import check_i2_exit_matches_bytes, check_i3_nothing_left
from tests.support.origin import Origin
from tests.support.runs import Run, Running, Workspace
from tests.support.streams import Stream, build

KB = 1 << 10
MB = 1 << 20

_ROOT = Path(__file__).parents[2]


class Bench:
    """One stream, and the runs that fetch it."""

    def __init__(self, origin: Origin, workspace: Workspace, directory: Path) -> None:
        self.origin = origin
        self.workspace = workspace
        self._shared_before = _shared_memory()
        self.url = ""
        self._directory = directory
        self._stream: Stream | None = None

    def serve(self, sizes: Sequence[int], **recipe: Any) -> Stream:
        """Build a stream and serve it at `url`."""
        self._stream = build(self._directory, sizes, **recipe)
        self.origin.serve_directory(self._directory)
        self.url = self.origin.url(f"/{self._stream.playlist_path.name}")
        return self._stream

    def move_away(self) -> None:
        """Have servers a long way off, as far as the program knows (`tests.support.far_away`)."""
        package = Path(next(iter(far_away.__path__)))
        self.workspace.env["PYTHONPATH"] = f"{package}:{_ROOT}"

    def serve_playlist(self, text: str | bytes, path: str = "/playlist.m3u8") -> None:
        """Serve a playlist of the test's own at `url`."""
        self.origin.serve({path: text})
        self.url = self.origin.url(path)

    @property
    def stream(self) -> Stream:
        """What is served."""
        assert self._stream is not None
        return self._stream

    @property
    def output(self) -> Path:
        """Where runs write to."""
        return self.workspace.cwd / "video.ts"

    def arguments(self, *more: str | Path) -> list[str | Path]:
        """A command line of `fetch`."""
        return ["fetch", self.url, "-o", "video.ts", "--json", "--progress", "json", *more]

    def fetch(self, *more: str | Path, **settings: Any) -> Run:
        """Fetch the stream, to the end."""
        return self.workspace.run(*self.arguments(*more), **settings)

    def start(self, *more: str | Path, **settings: Any) -> Running:
        """Begin to fetch the stream."""
        return self.workspace.start(*self.arguments(*more), **settings)

    def spilled(self) -> list[Path]:
        """The segment files that are there now, wherever the temp directory was put."""
        return sorted(self.workspace.root.rglob("m3u8-segments-*/segment_*.ts"))

    def temp_directories(self) -> list[Path]:
        """The temp directories that are there now."""
        return sorted(self.workspace.root.rglob("m3u8-segments-*"))

    def check_right(self, run: Run, sha256: str | None = None) -> None:
        """Exit 0, the right bytes, and nothing left."""
        assert run.exit_code == 0, run.stderr
        check_i2_exit_matches_bytes(run, self.output, sha256 or self.stream.sha256)
        self.check_nothing_left()

    def check_failed(self, run: Run, exit_code: int) -> None:
        """This exit code, no output, one sentence at the most, no traceback, and nothing left."""
        assert run.exit_code == exit_code, run.stderr
        assert "Traceback" not in run.stderr
        assert not self.output.exists()
        assert len(list(self.failures(run))) == 1, run.stderr
        self.check_nothing_left()

    def check_nothing_left(self, *roots: Path) -> None:
        """No process, temp directory, `.part` or shared memory."""
        check_i3_nothing_left(self.workspace, *roots)
        assert _shared_memory() <= self._shared_before

    @staticmethod
    def failures(run: Run) -> Iterator[str]:
        """What the run said about its end."""
        for event in run.events:
            if event["event"] == "failed":
                yield event["message"]

    def close(self) -> None:
        """Give the disk back what the test took of it."""
        shutil.rmtree(self._directory, ignore_errors=True)
        shutil.rmtree(self.workspace.cwd, ignore_errors=True)


def _shared_memory() -> set[str]:
    """What Python programs leave in shared memory; other programs of the machine use it too."""
    ours = ("hlspipe", "m3u8", "psm_", "pymp-", "sem.")
    return {path.name for path in Path("/dev/shm").iterdir() if path.name.startswith(ours)}


def segments(run: Run) -> tuple[int, int, list[int]]:
    """What the receipt says of segments: expected, stored, and the indexes of those missing."""
    counts = run.receipt["segments"]
    return counts["expected"], counts["stored"], counts["missing"]


def message(run: Run) -> str:
    """The one sentence that a run failed with."""
    (found,) = Bench.failures(run)
    return found
