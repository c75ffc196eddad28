"""Fixtures for tests of requests."""

from collections.abc import Iterator

import pytest

from tests.net.serving import Server


@pytest.fixture
def server() -> Iterator[Server]:
    """A server that waits for its plan."""
    found = Server()
    with found.listener:
        yield found
