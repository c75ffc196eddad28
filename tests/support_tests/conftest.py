"""Fixtures for tests of the origin's behaviour on the wire."""

from collections.abc import Iterator

import pytest

from tests.support.origin import Origin
from tests.support_tests.wire import BODY, Ask, Peer


@pytest.fixture
def peer(origin: Origin) -> Iterator[Peer]:
    origin.serve({"/a": BODY})
    peer = Peer(origin)
    yield peer
    peer.close()


@pytest.fixture
def ask(origin: Origin, peer: Peer) -> Ask:
    return Ask(origin, peer)
