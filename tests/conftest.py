"""Fixtures for tests that need a server, a stream or the real program."""

import contextlib
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.certificates import make_certificate, server_context
from tests.support.disks import NotAllowed, SmallDisk
from tests.support.leaks import Snapshot
from tests.support.nginx import Nginx
from tests.support.origin import Origin
from tests.support.runs import Workspace

# A busy machine is no reason to fail.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")


@pytest.fixture
def origin() -> Iterator[Origin]:
    """A local HTTP origin that serves nothing yet."""
    with Origin() as server:
        yield server


@pytest.fixture
def other_origin() -> Iterator[Origin]:
    """A second origin, on another host name: what must not be told the first one's secrets."""
    with Origin("127.0.0.2") as server:
        yield server


@pytest.fixture
def stream_dir(tmp_path: Path) -> Path:
    """An empty directory to build a stream in."""
    directory = tmp_path / "stream"
    directory.mkdir()
    return directory


@pytest.fixture
def nginx(stream_dir: Path, tmp_path: Path) -> Iterator[Nginx]:
    """An nginx over `stream_dir`."""
    with Nginx(stream_dir, tmp_path / "nginx") as server:
        yield server


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A workspace for runs of the program."""
    return Workspace(tmp_path / "space")


@pytest.fixture
def before(workspace: Workspace) -> Snapshot:
    """What was there before the test's runs."""
    return Snapshot.take(workspace.marker, [workspace.root])


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[int], SmallDisk]]:
    """Makes disks of a given size in bytes; a test that may not mount one is skipped."""
    with contextlib.ExitStack() as stack:

        def make(size: int) -> SmallDisk:
            path = tmp_path / f"disk{len(list(tmp_path.glob('disk*')))}"
            try:
                return stack.enter_context(SmallDisk(path, size))
            except NotAllowed as error:
                pytest.skip(f"a small disk needs root: {error}")

        yield make


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate (with its key) for localhost and 127.0.0.1 that is its own authority."""
    return make_certificate(tmp_path_factory.mktemp("tls") / "valid.pem")


@pytest.fixture
def tls_context(certificate: Path) -> ssl.SSLContext:
    """The server's side of `certificate`: `Origin(tls=tls_context)`."""
    return server_context(certificate)
