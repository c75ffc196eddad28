"""The command line with a download that is told how to end, in this process."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pipeline.cli.app import run
from pipeline.events import Event
from pipeline.jobs.receipt import Receipt, Status
from pipeline.options import FetchOptions

URL = "http://origin.test/video.m3u8"
COMPLETE = Receipt(URL, "video.ts", Status.COMPLETE, exit_code=0)


@dataclass
class Engine:
    """Stands in for `pipeline.jobs.fetch.fetch`: tells `events`, and ends as `outcome` says."""

    events: Sequence[Event] = ()
    outcome: Receipt | BaseException = COMPLETE
    calls: list[tuple[str, str | None, FetchOptions]] = field(default_factory=list)

    def fetch(
        self,
        url: str,
        output: str | None,
        options: FetchOptions,
        on_event: Callable[[Event], None],
    ) -> Receipt:
        """Do as the test wants."""
        self.calls.append((url, output, options))
        for event in self.events:
            on_event(event)
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return self.outcome

    @property
    def options(self) -> FetchOptions:
        """What the only download was asked for."""
        ((_, _, options),) = self.calls
        return options


@dataclass(frozen=True)
class Result:
    """What a command did."""

    exit_code: int
    stdout: str
    stderr: str


Cli = Callable[..., Result]


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    """A download without bytes."""
    engine = Engine()
    monkeypatch.setattr("pipeline.jobs.fetch.fetch", engine.fetch)
    return engine


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    """Runs a command line in an empty directory, with nobody's configuration."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    monkeypatch.chdir(tmp_path)

    def call(*arguments: Any) -> Result:
        exit_code = run([str(argument) for argument in arguments])
        return Result(exit_code, *capfd.readouterr())

    return call


@pytest.fixture
def fetch(cli: Cli, engine: Engine) -> Cli:
    """Runs `hlspipe fetch URL` with further arguments, on the engine."""
    return lambda *arguments: cli("fetch", URL, *arguments)
