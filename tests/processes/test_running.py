"""Jobs and their flows: what they wish for, and answers that come too late."""

from pipeline.errors import NetworkError
from pipeline.processes.running import Order, Origin, RunningJobs
from pipeline.processes.wishes import Document
from tests.processes.crews import dispatching


def documents(*names):
    """Wishes for documents."""
    return tuple(Document(f"http://host/{name}", 100, f"the list {name}") for name in names)


def waiting():
    """A job that waits for one document."""
    yield documents("first")[0]


def renewal():
    """Another one that wants two at a time."""
    yield documents("a", "b")


def test_a_flow_ends_once():
    """What else it had asked for, and comes later, ends it neither again nor otherwise."""
    ended = []
    with dispatching() as (dispatcher, crew, _):
        jobs = RunningJobs(crew, dispatcher)
        main = jobs.begin(Order(waiting(), Origin("http://host/"), renewal=renewal))
        assert jobs.begin_renewal(main.context, ended.append)
        dispatcher.assign(0.0)
        _, first, second = crew.leases.values()
        jobs.refuse(first.flow, NetworkError("gone"))
        jobs.answer(second.flow, second.wish, b"late")
        jobs.refuse(second.flow, NetworkError("late"))

    assert len(ended) == 1
    assert str(ended[0].error) == "gone"
    assert not main.done
