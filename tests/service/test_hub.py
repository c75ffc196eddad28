"""Server-sent events: nothing is missed by those who come back, and nobody holds up the others."""

from itertools import islice

import pytest

from pipeline.service import hub as hubs
from pipeline.service.hub import Hub
from pipeline.service.refusals import UnavailableError
from tests.service.harness import Harness, lines, until

REQUEST = "GET /events HTTP/1.1\r\nHost: localhost\r\n{}\r\n"


def taken(hub: Hub, last_event_id: str | None) -> list[str]:
    """The messages that wait for a client which had that event last."""
    client = hub.connect(last_event_id)
    found = []
    while not client.waiting.empty():
        found.append(client.waiting.get_nowait().decode())
    return found


@pytest.fixture
def hub() -> Hub:
    """One that has told three things."""
    hub = Hub("boot")
    for number in (1, 2, 3):
        hub.publish("job", {"id": number})
    return hub


def test_a_new_client_hears_what_comes(hub: Hub) -> None:
    """Not what has been."""
    client = hub.connect(None)
    hub.publish("job", {"id": 4})

    assert client.waiting.get_nowait() == b'id: boot-4\nevent: job\ndata: {"id": 4}\n\n'


@pytest.mark.parametrize(
    ("last", "missed"),
    [("boot-1", 2), ("boot-2", 1), ("boot-3", 0), ("boot-0", 3)],
)
def test_a_client_that_comes_back_misses_nothing(hub: Hub, last: str, missed: int) -> None:
    """It gets what came behind its last event."""
    assert len(taken(hub, last)) == missed


@pytest.mark.parametrize(
    "last", ["other-2", "boot-4", "boot-", "boot--1", "2", "x" * 5000, "boot-" + "9" * 30]
)
def test_who_cannot_be_served_so_is_told(hub: Hub, last: str) -> None:
    """Of another run of the daemon, say: everything has to be asked for anew."""
    assert taken(hub, last) == ["event: reset\ndata: {}\n\n"]


def test_what_is_forgotten_is_not_passed_over(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only so many events are kept."""
    for number in range(hubs._KEPT):
        hub.publish("job", {"id": number})

    assert taken(hub, "boot-2") == ["event: reset\ndata: {}\n\n"]
    assert len(taken(hub, f"boot-{hubs._KEPT - 7}")) == 10


def test_mentions_have_no_id_and_are_not_kept(hub: Hub) -> None:
    """The next count of progress is as good."""
    client = hub.connect(None)
    hub.mention("progress", {"id": 1})

    assert client.waiting.get_nowait() == b'event: progress\ndata: {"id": 1}\n\n'
    assert taken(hub, "boot-3") == []


def test_a_client_that_does_not_keep_up_is_dropped(hub: Hub) -> None:
    """And the others go on."""
    slow, quick = hub.connect(None), hub.connect(None)
    for number in range(hubs._BACKLOG + 1):
        hub.publish("job", {"id": number})
        quick.waiting.get_nowait()

    assert (slow.dropped, quick.dropped) == (True, False)
    assert slow.waiting.qsize() == 1
    assert hub.clients == 1


def test_there_is_a_limit(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who comes too late is told."""
    monkeypatch.setattr(hubs, "MOST_CLIENTS", 1)
    client = hub.connect(None)
    with pytest.raises(UnavailableError):
        hub.connect(None)
    hub.disconnect(client)

    assert hub.connect(None)


def test_a_stream_from_submission_to_end(daemon: Harness) -> None:
    """Over a connection: each state of a job, with the job as it is then."""
    with daemon.connect() as client:
        client.sendall(REQUEST.format("").encode())
        stream = lines(client)
        assert next(stream) == "HTTP/1.1 200 OK"
        until(lambda: daemon.hub.clients == 1)
        number = daemon.submit()
        daemon.engine.end(number, bytes=5)
        data = list(islice((line for line in stream if line.startswith(("id: ", "data: "))), 6))

    assert data[0::2] == ["id: boot-1", "id: boot-2", "id: boot-3"]
    assert ['"state": "queued"' in data[1], '"state": "running"' in data[3]] == [True, True]
    assert '"state": "done"' in data[5]


def test_silence_is_broken_by_heartbeats(daemon: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that nobody on the way takes the connection for dead."""
    monkeypatch.setattr(hubs, "_HEARTBEAT", 0.05)
    with daemon.connect() as client:
        client.sendall(REQUEST.format("").encode())
        comments = (line for line in lines(client) if line.startswith(":"))

        assert list(islice(comments, 3)) == [": welcome", ": still here", ": still here"]


def test_a_client_that_goes_is_forgotten(daemon: Harness) -> None:
    """At once, or what it cost would add up."""
    for _ in range(20):
        with daemon.connect() as client:
            client.sendall(REQUEST.format("Last-Event-ID: boot-0\r\n").encode())
            next(lines(client))

    until(lambda: daemon.hub.clients == 0)
