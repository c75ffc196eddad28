"""Laws of dispatching, whatever happens in whatever order."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pipeline.errors import NetworkError
from pipeline.net.failure import FetchFailure, Patience, broken
from tests.processes.crews import dispatching
from tests.processes.plans import download, item

FAILURES = [
    broken("reset"),
    FetchFailure(NetworkError, "HTTP 429", Patience.BUSY),
    FetchFailure(NetworkError, "HTTP 503", Patience.BUSY, retry_after=30.0),
]


class Dispatching(RuleBasedStateMachine):
    """Items that fail, come back, are recalled, or lose their downloader."""

    @initialize(items=st.integers(1, 30), connections=st.integers(2, 6))
    def begin(self, items, connections):
        """Some items, and two downloaders."""
        self.entered = dispatching(2, connections, retries=1000)
        self.dispatcher, self.crew, self.account = self.entered.__enter__()
        self.download = download([item(number) for number in range(items)])
        self.dispatcher.add_download(self.download)
        self.now, self.stored = 0.0, set()
        self.dispatcher.assign(self.now)

    @property
    def held(self):
        """The items that are in hand, by lease."""
        return {lease: errand.index for lease, errand in self.crew.leases.items()}

    def drawn(self, data):
        """One of them."""
        return data.draw(st.sampled_from(sorted(self.held)))

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def store(self, data):
        """Storage says that an item is in."""
        index = self.held[self.drawn(data)]
        assert self.download.settle(index)
        self.stored.add(index)
        self.dispatcher.items_stored(self.download, [index])

    @precondition(lambda self: self.held)
    @rule(data=st.data(), failure=st.sampled_from(FAILURES))
    def fail(self, data, failure):
        """A try fails."""
        errand = self.dispatcher.end_lease(self.drawn(data))
        assert self.dispatcher.retry(errand, failure, self.now) is None

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def give_back(self, data):
        """A downloader gives back what it has not begun."""
        self.dispatcher.returned([self.drawn(data)])

    @rule(number=st.integers(0, 1))
    def die(self, number):
        """A downloader dies, and its successor is there at once."""
        errands = self.crew.downloaders[number].take_leases()
        for errand in errands:
            errand.deaths = 0
        assert self.dispatcher.lost(errands, "killed", self.now) is None

    @rule()
    def recall(self):
        """The host wants less."""
        self.dispatcher.recall(self.now)

    @rule(seconds=st.floats(0.0, 60.0))
    def go_on(self, seconds):
        """Time passes, and what is due is given out."""
        self.now += seconds
        self.dispatcher.assign(self.now)

    @invariant()
    def one_hand_each(self):
        """Nothing is in two hands, and nothing that is in already is in any."""
        held = list(self.held.values())
        assert len(held) == len(set(held))
        assert not self.stored & set(held)

    def teardown(self):
        """Whatever is not in is given out sooner or later, and then there is nothing left."""
        for _ in range(2 * len(self.download.items)):
            self.now += 200.0
            self.dispatcher.assign(self.now)
            for index in self.held.values():
                assert self.download.settle(index)
                self.stored.add(index)
            self.dispatcher.items_stored(self.download, self.held.values())
        self.entered.__exit__(None, None, None)
        assert self.stored == set(range(len(self.download.items)))
        assert self.dispatcher.next_due() is None


TestDispatching = Dispatching.TestCase
TestDispatching.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
