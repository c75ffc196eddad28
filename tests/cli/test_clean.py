import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.store.tempdir import LOCK_NAME, PREFIX
from tests.cli.conftest import Cli


@pytest.fixture
def stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a killed run left in the current directory; the system's places are out of sight."""
    nowhere = tmp_path / "tmp"
    monkeypatch.setattr(
        "pipeline.store.sweep.likely_places",
        lambda temp_dir, output: [temp_dir or nowhere, output.parent],
    )
    return left_in(tmp_path)


@pytest.fixture
def alive(stale: Path) -> Iterator[Path]:
    """What a run beside it is using."""
    path = left_in(stale.parent, "alive")
    descriptor = os.open(path / LOCK_NAME, os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    yield path
    os.close(descriptor)


def left_in(directory: Path, name: str = "stale") -> Path:
    """A temp directory with a segment, and a lock that nobody holds."""
    path = directory / f"{PREFIX}{name}"
    path.mkdir()
    (path / LOCK_NAME).touch()
    (path / "segment_000001.ts").write_bytes(b"x")
    return path


def test_what_was_removed_is_printed(cli: Cli, stale: Path, alive: Path) -> None:
    """Stale directories go, and are listed on stdout; those in use stay."""
    result = cli("clean")

    assert result.exit_code == 0
    assert result.stdout == f"{stale}\n"
    assert result.stderr == ""
    assert not stale.exists()
    assert alive.exists()


def test_a_dry_run_removes_nothing(cli: Cli, stale: Path, alive: Path) -> None:
    """--dry-run lists the same, and leaves it."""
    assert cli("clean", "--dry-run").stdout == f"{stale}\n"
    assert stale.exists()


def test_other_places_can_be_named(cli: Cli, stale: Path, tmp_path: Path) -> None:
    """--temp-dir adds the place that downloads were given."""
    (tmp_path / "elsewhere").mkdir()
    other = left_in(tmp_path / "elsewhere")
    result = cli("clean", "--temp-dir", tmp_path / "elsewhere")

    assert set(result.stdout.splitlines()) == {str(other), str(stale)}
    assert not other.exists()


def test_nothing_to_do_is_said(cli: Cli, stale: Path) -> None:
    """A second time there is nothing to clean up, and that is a success."""
    cli("clean")
    result = cli("clean", "-v")

    assert result.exit_code == 0
    assert result.stdout == ""
    assert result.stderr.startswith("Looking in ")
    assert result.stderr.endswith("\nNothing to clean up\n")
