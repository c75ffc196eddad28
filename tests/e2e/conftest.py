"""Fixtures for tests of whole downloads."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.bench import KB, Bench
from tests.e2e.movies import make_batch, make_encrypted_movie, make_movie
from tests.e2e.servicebench import ServiceBench
from tests.support.origin import Origin
from tests.support.runs import Workspace
from tests.support.streams import Aes
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
def far(bench: Bench) -> Bench:
    """A stream of many small segments, a long way off: most are not the first of a connection."""
    bench.move_away()
    bench.serve([30 * KB] * 60, aes=Aes())
    return bench


@pytest.fixture
def service(bench: Bench) -> ServiceBench:
    """A daemon that is not running yet, for what the bench serves."""
    return ServiceBench(bench)


@pytest.fixture(scope="session")
def movie(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The playlist of six seconds of picture and sound."""
    return make_movie(tmp_path_factory.mktemp("movie"))


@pytest.fixture(scope="session")
def encrypted_movie(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, encrypted with AES-128."""
    return make_encrypted_movie(tmp_path_factory.mktemp("encrypted"))


@pytest.fixture
def listed(movie: Path, encrypted_movie: Path, tmp_path: Path) -> Path:
    """A batch with names of movies."""
    return make_batch(tmp_path, movie, encrypted_movie)
