"""Devices and named pipes as outputs: written to, never replaced."""

import os
import stat
import subprocess
from pathlib import Path

import pytest

from tests.e2e.bench import KB, Bench, message
from tests.support.streams import Aes

pytestmark = pytest.mark.processes


@pytest.fixture
def served(bench: Bench) -> Bench:
    """3 MB in 30 segments."""
    bench.serve([100 * KB] * 30, aes=Aes())
    return bench


@pytest.fixture
def null(served: Bench) -> Path:
    """A null device of the test's own."""
    path = served.workspace.cwd / "null"
    try:
        os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("making a device needs root")
    return path


@pytest.mark.parametrize("force", [(), ("--force",)], ids=["plain", "forced"])
def test_a_device(force: tuple[str, ...], null: Path, served: Bench) -> None:
    """A device is there afterwards, and is still a device."""
    run = served.fetch("-o", null, *force)

    assert run.exit_code == 0, run.stderr
    assert stat.S_ISCHR(null.stat().st_mode)
    assert [path.name for path in served.workspace.cwd.iterdir()] == ["null"]


def test_a_link_to_a_device(null: Path, served: Bench) -> None:
    """Nor does a link to a device become a file."""
    served.output.symlink_to(null)

    run = served.fetch("--force")

    assert run.exit_code == 0, run.stderr
    assert served.output.is_symlink()
    assert stat.S_ISCHR(null.stat().st_mode)


def test_a_device_that_is_full(served: Bench) -> None:
    """/dev/full is a full disk: exit 7."""
    run = served.fetch("-o", "/dev/full")

    served.check_failed(run, 7)


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
def test_standard_output_by_name(name: str, served: Bench) -> None:
    """The names of standard output mean hlspipe's own, not a child's."""
    command = [*served.workspace.program, "fetch", served.url, "-o", name]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=served.workspace.environment(),
    ) as hlspipe:
        done = subprocess.run(["sha256sum"], stdin=hlspipe.stdout, capture_output=True, check=True)

    assert hlspipe.returncode == 0
    assert done.stdout.split()[0].decode() == served.stream.sha256


def test_a_named_pipe(served: Bench) -> None:
    """A named pipe with a reader gets the bytes, and stays."""
    pipe = served.workspace.cwd / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["sha256sum", pipe], stdout=subprocess.PIPE, text=True) as reader:
        run = served.fetch("-o", pipe)
        out, _ = reader.communicate()

    assert run.exit_code == 0, run.stderr
    assert out.split()[0] == served.stream.sha256
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_named_pipe_whose_reader_comes_late(served: Bench) -> None:
    """A named pipe without a reader is an honest error, or is waited for: never a hang."""
    pipe = served.workspace.cwd / "pipe"
    os.mkfifo(pipe)

    run = served.fetch("-o", pipe)

    served.check_failed(run, 7)
    assert "pipe" in message(run)
