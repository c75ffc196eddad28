"""The unit of the daemon, as systemd's own tools judge it."""

import re
import subprocess
from pathlib import Path

import pytest

from pipeline.service.units import unit_files


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The machine's unit, for a program that is there."""
    (file, *_) = unit_files("/bin/true", user=False)
    path = tmp_path / "hlspipe.service"
    path.write_text(file.text)
    return path


def test_verified(unit: Path) -> None:
    """systemd finds nothing to complain of."""
    run = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert run.returncode == 0, run.stderr
    assert "hlspipe.service" not in run.stderr


def test_exposure(unit: Path) -> None:
    """What the daemon could do to the machine: two of ten at the most."""
    run = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--no-pager", unit],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )

    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", run.stdout)
    assert found is not None, run.stdout + run.stderr
    assert float(found[1]) <= 2.0


def test_what_it_must_say(unit: Path) -> None:
    """How it is started, watched and stopped; nothing that breaks psutil."""
    text = unit.read_text()

    lines = ("Type=notify", "KillMode=mixed", "OOMPolicy=continue", "StateDirectory=hlspipe")
    for line in (*lines, "MemoryMax=2G"):
        assert f"\n{line}\n" in text
    assert "ProcSubset" not in text


def test_for_one_user() -> None:
    """One file, without what only the machine's manager may do."""
    (file,) = unit_files("/home/me/bin/hlspipe", user=True)

    assert file.path == "systemd/user/hlspipe.service"
    assert "User=" not in file.text
    assert "WantedBy=default.target" in file.text
