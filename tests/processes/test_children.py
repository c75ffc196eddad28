"""The supervisor's handles of its children."""

import pytest

from pipeline.processes.messages import LimitConnections, ReturnTasks
from tests.processes.crews import NotedChild


@pytest.fixture
def child():
    """A downloader with two connections."""
    found = NotedChild(0, 2)
    yield found
    found.close()


def test_fewer_connections(child):
    """What it has in hand it will come to."""
    child.limit_to(1)
    child.limit_to(1)

    assert child.told == [LimitConnections(1)]


def test_no_connections(child):
    """It would never come to what it has in hand, and is given nothing more."""
    child.limit_to(0)

    assert child.told == [LimitConnections(0), ReturnTasks()]
    assert not child.available
