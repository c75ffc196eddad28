"""Runs of the real program, each in a workspace of its own.

    space = Workspace(tmp_path)
    run = space.run("fetch", url, "-o", "video.ts", "--json")
    assert run.exit_code == 0 and run.receipt["status"] == "complete"

    with space.start("fetch", url, "-o", "video.ts", "--progress", "json") as running:
        running.wait_stored(3)
        running.kill("storage", signal.SIGKILL)
        run = running.wait()

A workspace has its own HOME, TMPDIR and working directory, and a marker in the environment that
every process of its runs inherits. Output goes to files, so that nothing can block on a pipe.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Self

from tests.support import proc

#: Seconds after which a run counts as hung. Generous: busy machines are slow.
PATIENCE = 120.0

#: Seconds within which a run ends that a signal or a death ends, by contract; it takes less than
#: one. No measurement: what takes longer than this has not heard of it.
SOON = 5.0


@dataclass(frozen=True)
class Run:
    """What a finished run left behind. A signal's exit code is negative, as Popen has it."""

    exit_code: int
    stdout: str
    stderr: str
    elapsed: float
    workspace: "Workspace" = field(repr=False)

    @property
    def receipt(self) -> dict[str, Any]:
        """The JSON object on stdout (`--json`)."""
        value = json.loads(self.stdout)
        assert isinstance(value, dict)
        return value

    @property
    def events(self) -> list[dict[str, Any]]:
        """The JSON Lines on stderr (`--progress json`)."""
        return _json_lines(self.stderr)


@dataclass
class Workspace:
    """A place where runs happen, and the environment they see."""

    root: Path
    env: dict[str, str] = field(default_factory=dict)
    marker: str = field(default_factory=lambda: uuid.uuid4().hex)
    program: Sequence[str] = (sys.executable, "-m", "pipeline")

    def __post_init__(self) -> None:
        for directory in (self.cwd, self.tmp, self.home, self._logs):
            directory.mkdir(parents=True, exist_ok=True)
        self._runs = 0

    @property
    def cwd(self) -> Path:
        """The working directory: relative outputs end here."""
        return self.root / "work"

    @property
    def tmp(self) -> Path:
        """TMPDIR."""
        return self.root / "tmp"

    @property
    def home(self) -> Path:
        """HOME."""
        return self.root / "home"

    @property
    def _logs(self) -> Path:
        return self.root / "logs"

    def environment(self) -> dict[str, str]:
        """The environment of a run: ours, without what could change what it does."""
        dropped = ("HLSPIPE_", "XDG_", "PYTEST_")
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(dropped) and not name.lower().endswith("_proxy")
        }
        own = {"HOME": str(self.home), "TMPDIR": str(self.tmp), proc.MARKER: self.marker}
        return kept | own | self.env

    def start(
        self,
        *arguments: str | Path,
        stdout: int | IO[bytes] | None = None,
        prefix: Sequence[str] = (),
        **popen: Any,
    ) -> "Running":
        """Start hlspipe with these arguments, behind `prefix` (strace, say), in a new session."""
        self._runs += 1
        out = self._logs / f"{self._runs}.stdout"
        err = self._logs / f"{self._runs}.stderr"
        command = [*prefix, *self.program, *map(str, arguments)]
        with out.open("wb") as out_file, err.open("wb") as err_file:
            settings: dict[str, Any] = {
                "stdin": subprocess.DEVNULL,
                "stdout": out_file if stdout is None else stdout,
                "stderr": err_file,
                "cwd": self.cwd,
                "env": self.environment(),
                "start_new_session": True,
            }
            process = subprocess.Popen(command, **settings | popen)
        return Running(self, process, out, err)

    def run(self, *arguments: str | Path, timeout: float = PATIENCE, **more: Any) -> Run:
        """Run hlspipe to its end."""
        with self.start(*arguments, **more) as running:
            return running.wait(timeout)


class Running:
    """A run that has not ended. As a context manager it leaves no process behind."""

    def __init__(
        self, workspace: Workspace, process: subprocess.Popen[bytes], out: Path, err: Path
    ) -> None:
        self.workspace = workspace
        self.process = process
        self.pid = process.pid
        self._out = out
        self._err = err
        self._started = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.kill_group()
        self.process.wait()

    # What it says.

    @property
    def stdout(self) -> str:
        """Standard output until now."""
        return self._out.read_text(errors="replace")

    @property
    def stderr(self) -> str:
        """Standard error until now."""
        return self._err.read_text(errors="replace")

    @property
    def events(self) -> list[dict[str, Any]]:
        """The JSON Lines on stderr until now."""
        return _json_lines(self.stderr)

    def wait(self, timeout: float = PATIENCE) -> Run:
        """Wait for the main process; a run that hangs is killed and fails the test."""
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            tree = self.describe()
            self.kill_group()
            raise AssertionError(
                f"still running after {timeout} s:\n{tree}\n{self.stderr}"
            ) from None
        elapsed = time.monotonic() - self._started
        return Run(code, self.stdout, self.stderr, elapsed, self.workspace)

    def wait_until(
        self, condition: Callable[[], object], what: str = "", timeout: float = PATIENCE
    ) -> None:
        """Wait for a condition; a run that ends before, or a timeout, fails the test."""
        for _ in proc.polled(timeout):
            ended = self.process.poll() is not None
            if condition():
                return
            if ended:
                code = self.process.returncode
                raise AssertionError(f"exit {code} before {what or condition}:\n{self.stderr}")
        raise AssertionError(f"no {what or condition} in {timeout} s:\n{self.stderr}")

    def wait_stored(self, segments: int) -> None:
        """Wait until so many segments are done (needs `--progress json`)."""
        self.wait_until(
            lambda: any(event.get("segments_done", 0) >= segments for event in self.events),
            f"{segments} segments stored",
        )

    # Its processes.

    def children(self) -> list[int]:
        """The living descendants, the supervisor not among them."""
        return [pid for pid in proc.descendants(self.pid) if proc.state(pid) not in {"", "Z"}]

    def role(self, word: str) -> list[int]:
        """The living children with this role: "downloader" or "storage"; or "supervisor"."""
        if word == "supervisor":
            return [self.pid]
        return [pid for pid in self.children() if proc.has_role(pid, word)]

    def wait_role(self, word: str) -> int:
        """The pid of the first child with this role, as soon as there is one."""
        self.wait_until(lambda: self.role(word), f"process {word}")
        return self.role(word)[0]

    def kill(self, word: str, signum: int) -> int:
        """Send a signal to the first process of a role; its pid."""
        pid = self.wait_role(word)
        os.kill(pid, signum)
        return pid

    def interrupt(self, signum: int = signal.SIGINT) -> None:
        """Send a signal to every process of the run, as a terminal does on Ctrl-C."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signum)

    def kill_group(self) -> None:
        """SIGKILL for every process of the run at once."""
        self.interrupt(signal.SIGKILL)
        for pid in proc.marked(self.workspace.marker):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def memory(self) -> proc.MemorySampler:
        """Samples the tree's PSS while it is entered."""
        return proc.MemorySampler(self.pid)

    def describe(self) -> str:
        """The run's processes, for a failure's message."""
        pids = [self.pid, *proc.descendants(self.pid)]
        return "\n".join(f"{pid} {proc.state(pid)} {proc.command_line(pid)}" for pid in pids)


def _json_lines(text: str) -> list[dict[str, Any]]:
    found = []
    for line in text.splitlines(keepends=True):
        if line.startswith("{") and line.endswith("\n"):
            with contextlib.suppress(json.JSONDecodeError):
                found.append(json.loads(line))
    return found


def limited(limits: Mapping[int, int]) -> Callable[[], None]:
    """A `preexec_fn` that sets resource limits: `limited({resource.RLIMIT_NOFILE: 64})`."""

    def apply() -> None:
        import resource  # noqa: PLC0415 - runs between fork and exec

        for which, value in limits.items():
            resource.setrlimit(which, (value, value))

    return apply
