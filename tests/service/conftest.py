"""Fixtures for tests of the daemon's parts."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.harness import Harness


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Harness]:
    """A daemon that runs two jobs at a time, and downloads nothing."""
    with Harness(tmp_path, jobs=2) as harness:
        yield harness
