"""The bench that daemons are tried on: one that runs, its clients, and what it leaves."""

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.errors import NetworkError
from pipeline.service.client import ServiceClient
from tests.e2e.bench import Bench
from tests.support import proc
from tests.support.runs import PATIENCE, Running
from tests.support.streams import sha256_of


class ServiceBench:
    """A daemon in the bench's workspace. Started as often as a test wants."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.root = bench.workspace.cwd / "root"
        self.state = bench.workspace.cwd / "state"
        self.socket = bench.workspace.root / "sock"
        self.client = ServiceClient(self.socket)

    @contextlib.contextmanager
    def running(self, *options: str | Path, **settings: Any) -> Iterator[Running]:
        """A daemon, from the moment on at which it answers."""
        arguments = ["serve", "--root", self.root, "--state-dir", self.state]
        arguments += ["--socket", self.socket, "--attempt-wait", "50ms", *options]
        with self.bench.workspace.start(*arguments, **settings) as running:
            running.wait_until(lambda: "Ready" in running.stderr, "readiness")
            yield running

    def submit(self, *outputs: str, **fields: Any) -> list[int]:
        """Jobs for the bench's stream; their numbers."""
        entries = [{"url": self.bench.url, "output": output, **fields} for output in outputs]
        return [job["id"] for job in self.client.submit(entries)]

    def jobs(self) -> dict[int, dict[str, Any]]:
        """All jobs by their numbers; none while no daemon answers."""
        with contextlib.suppress(NetworkError):
            return {job["id"]: job for job in self.client.jobs()}
        return {}

    def wait_for(self, state: str, *numbers: int, timeout: float = PATIENCE) -> None:
        """Wait until these jobs are in a state."""
        jobs: dict[int, dict[str, Any]] = {}
        for _ in proc.polled(timeout, 0.05):
            jobs = self.jobs()
            if jobs and all(jobs[number]["state"] == state for number in numbers):
                return
        facts = [(number, jobs.get(number)) for number in numbers]
        raise AssertionError(f"not {state} in {timeout} s: {facts}")

    def check_right(self, *outputs: str) -> None:
        """These outputs are there, with the right bytes, and nothing else is."""
        found = sorted(path.relative_to(self.root).as_posix() for path in self.root.rglob("*.*"))

        assert found == sorted(outputs)
        for output in outputs:
            assert sha256_of(self.root / output) == self.bench.stream.sha256

    @staticmethod
    def stop(running: Running) -> None:
        """An orderly end."""
        os.kill(running.pid, signal.SIGTERM)
        run = running.wait()

        assert run.exit_code == 0, run.stderr
        assert run.stderr.rstrip().endswith("Stopped")
