"""Fixtures for tests of whole downloads."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.bench import Bench
from tests.e2e.servicebench import ServiceBench
from tests.support.origin import Origin
from tests.support.runs import Workspace
from tests.support.traces import Trace


@pytest.fixture
def trace(tmp_path: Path) -> Trace:
    """A log of a run's system calls."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    return Trace(tmp_path / "trace")


@pytest.fixture
def bench(origin: Origin, workspace: Workspace, stream_dir: Path) -> Iterator[Bench]:
    """An origin that serves nothing yet, and a workspace to fetch it in."""
    with_stream = Bench(origin, workspace, stream_dir)
    yield with_stream
    with_stream.close()


@pytest.fixture
def service(bench: Bench) -> ServiceBench:
    """A daemon that is not running yet, for what the bench serves."""
    return ServiceBench(bench)
