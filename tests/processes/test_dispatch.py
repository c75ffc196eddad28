"""Who is given what, and what becomes of what went wrong."""

from collections import Counter

import pytest

from pipeline.errors import DecryptionError, NetworkError, SegmentsMissingError
from pipeline.net.failure import FetchFailure, Patience, broken
from pipeline.processes import messages
from pipeline.processes.errands import MAX_DEATHS, DocumentErrand, NeedErrand
from tests.processes.crews import dispatching
from tests.processes.plans import download, item, playlist

BUSY = FetchFailure(NetworkError, "HTTP 429", Patience.BUSY)


@pytest.fixture
def dispatched():
    """Two downloaders with two connections each, and a hundred items to fetch."""
    with dispatching() as (dispatcher, crew, account):
        found = download([item(number) for number in range(100)])
        dispatcher.add_download(found)
        yield dispatcher, crew, account, found


def indexes(crew):
    """The items that are in hand."""
    return sorted(errand.index for errand in crew.leases.values())


def lease_of(crew, index):
    """The lease under which an item is in hand."""
    return next(lease for lease, errand in crew.leases.items() if errand.index == index)


def contexts(crew):
    """How much each job has in hand."""
    return Counter(errand.context for errand in crew.leases.values())


def fail(dispatcher, crew, index, failure, now=0.0):
    """The item's try has failed."""
    errand = dispatcher.end_lease(lease_of(crew, index))
    return dispatcher.retry(errand, failure, now)


class TestGivingOut:
    """Who is given what."""

    def test_everybody_has_work_and_a_little_more(self, dispatched):
        """In the order of the plan; no thread waits for the next item."""
        dispatcher, crew, account, _ = dispatched
        dispatcher.assign(0.0)

        assert [len(child.leases) for child in crew.downloaders] == [3, 3]
        assert indexes(crew) == list(range(6))
        assert account.requests == 6

    def test_what_is_told_is_what_is_leased(self, dispatched):
        """Each downloader hears of its own errands, in the order in which it has them."""
        dispatcher, crew, _, _ = dispatched
        dispatcher.assign(0.0)

        for child in crew.downloaders:
            told = child.told_of(messages.FetchSegment)
            assert [each.lease for each in told] == list(child.leases)
            assert [each.item_index for each in told] == [
                errand.index for errand in child.leases.values()
            ]

    def test_few_messages(self, dispatched):
        """Nobody is woken for each errand that may be one more."""
        dispatcher, crew, _, found = dispatched
        dispatcher.assign(0.0)
        dispatcher.items_stored(found, [0])
        assert indexes(crew) == [1, 2, 3, 4, 5]
        for child in crew.downloaders:
            child.told.clear()
        dispatcher.assign(0.1)

        assert sum(len(child.told) for child in crew.downloaders) == 1

    def test_nobody_has_more_than_his_connections_at_the_end(self):
        """What one has in hand, one that is idle would lack."""
        with dispatching() as (dispatcher, crew, _):
            dispatcher.add_download(download([item(number) for number in range(9)]))
            dispatcher.assign(0.0)
            dispatcher.items_stored(found := crew.leases[1].download, range(6))
            dispatcher.assign(0.0)

            assert found.remaining == 0
            assert [len(child.leases) for child in crew.downloaders] == [2, 1]

    def test_what_one_has_not_begun_is_for_those_that_are_idle(self):
        """It is asked for once: what is not given back has been begun."""
        with dispatching() as (dispatcher, crew, _):
            dispatcher.add_download(found := download([item(number) for number in range(8)]))
            dispatcher.assign(0.0)
            first, second = crew.downloaders
            dispatcher.items_stored(found, [errand.index for errand in second.leases.values()])
            dispatcher.assign(0.0)
            dispatcher.items_stored(found, [errand.index for errand in second.leases.values()])
            for _ in range(2):
                dispatcher.assign(0.0)
            assert first.told_of(messages.ReturnTasks) == [messages.ReturnTasks()]
            assert second.told_of(messages.ReturnTasks) == []
            *_, newest = first.leases
            dispatcher.returned([newest])
            dispatcher.assign(0.0)

            assert len(first.leases) == 2
            assert len(second.leases) == 1
            assert found.remaining == 0

    def test_a_key_comes_first(self):
        """What is encrypted waits for it, and it is asked for once."""
        with dispatching() as (dispatcher, crew, _):
            found = download([item(number, "k") for number in range(9)])
            dispatcher.add_download(found)
            dispatcher.assign(0.0)
            assert [type(errand) for errand in crew.leases.values()] == [NeedErrand]
            dispatcher.end_lease(*crew.leases)
            found.arrived(found.needs.key(found.items[0]), bytes(16))
            dispatcher.assign(0.0)

            told = [each for child in crew.downloaders for each in child.told]
            segments = [each for each in told if isinstance(each, messages.FetchSegment)]
            assert len(segments) >= 4
            assert {each.key for each in segments} == {bytes(16)}

    def test_what_is_about_to_end_makes_room(self):
        """For one errand, of whoever has it, once."""
        with dispatching() as (dispatcher, crew, _):
            dispatcher.add_download(download([item(number) for number in range(8)]))
            dispatcher.assign(0.0)
            dispatcher.items_stored(crew.leases[1].download, [0, 1])
            dispatcher.assign(0.0)
            assert indexes(crew) == [2, 3, 4, 5]
            second = crew.downloaders[1]
            lease = next(iter(second.leases))
            for _ in range(2):
                dispatcher.ending(lease)
                dispatcher.assign(0.0)

            assert indexes(crew) == [2, 3, 4, 5, 6]
            assert len(second.leases) == 3

    def test_downloads_take_turns(self):
        """A video does not make its audio wait."""
        with dispatching() as (dispatcher, crew, _):
            video, audio = (download([item(number) for number in range(20)]) for _ in range(2))
            dispatcher.add_download(video)
            dispatcher.add_download(audio)
            dispatcher.assign(0.0)

            taken = [errand.download for errand in crew.leases.values()]
            assert taken.count(video) == taken.count(audio)

    def test_jobs_have_equal_parts(self):
        """One that came first does not keep the others from beginning."""
        with dispatching() as (dispatcher, crew, _):
            dispatcher.add_document(playlist(1))
            dispatcher.add_download(download([item(number) for number in range(50)]))
            dispatcher.assign(0.0)
            assert contexts(crew) == {0: 2, 1: 1}

            (lease,) = (lease for lease, errand in crew.leases.items() if errand.context == 1)
            dispatcher.end_lease(lease)
            dispatcher.add_download(download([item(number) for number in range(50)], context=1))
            dispatcher.assign(1.0)
            assert contexts(crew) == {0: 2, 1: 2}

    def test_what_one_job_has_no_use_for_is_the_others(self):
        """All connections are used as long as there is work for them."""
        with dispatching() as (dispatcher, crew, _):
            dispatcher.add_download(download([item(0)], context=1))
            dispatcher.add_download(download([item(number) for number in range(50)]))
            dispatcher.assign(0.0)
            assert contexts(crew) == {0: 3, 1: 1}
            dispatcher.drop(1)
            dispatcher.assign(1.0)

            assert contexts(crew)[0] >= 4

    def test_documents_go_before_items(self, dispatched):
        """A playlist that has to be read again is what all else may hang on."""
        dispatcher, crew, _, _ = dispatched
        dispatcher.add_document(playlist(), due=1.0)
        dispatcher.assign(0.0)
        assert dispatcher.next_due() == 1.0
        dispatcher.drop(1)
        dispatcher.items_stored(dispatched[3], range(6))
        dispatcher.assign(1.0)

        kinds = [type(errand) for errand in crew.leases.values()]
        assert kinds.count(DocumentErrand) == 1

    def test_no_more_to_a_host_than_are_allowed(self):
        """Whoever has them."""
        with dispatching(max_per_host=3) as (dispatcher, crew, _):
            dispatcher.add_download(download([item(number) for number in range(50)]))
            dispatcher.assign(0.0)

            assert indexes(crew) == [0, 1, 2]

    def test_nobody_is_given_what_no_longer_matters(self, dispatched):
        """A job that has ended has nothing under way, and what comes in of it is late."""
        dispatcher, crew, _, _ = dispatched
        dispatcher.assign(0.0)
        leases = list(crew.leases)
        dispatcher.drop(0)
        dispatcher.assign(1.0)

        assert crew.leases == {}
        assert [dispatcher.end_lease(lease) for lease in leases] == [None] * len(leases)


class TestFailures:
    """What is tried again, and when."""

    def test_another_try_after_a_pause(self, dispatched):
        """In its turn, before the items behind it."""
        dispatcher, crew, account, _ = dispatched
        dispatcher.assign(0.0)
        assert fail(dispatcher, crew, 0, broken("reset")) is None
        due = dispatcher.next_due()
        assert 0.5 <= due <= 1.0
        assert account.retries == 1

        dispatcher.items_stored(dispatched[3], range(6))
        dispatcher.assign(due)
        assert 0 in indexes(crew)

    def test_what_is_due_waits_for_room(self, dispatched):
        """And for no time: whoever waits does not look again and again."""
        dispatcher, crew, _, found = dispatched
        dispatcher.assign(0.0)
        fail(dispatcher, crew, 0, broken("reset"))
        dispatcher.assign(0.1)  # its place is taken
        due = dispatcher.next_due()
        assert 0.5 <= due <= 1.0

        dispatcher.assign(due)
        assert 0 not in indexes(crew)
        assert dispatcher.next_due() is None
        dispatcher.items_stored(found, range(7))
        dispatcher.assign(due)
        assert 0 in indexes(crew)

    def test_the_last_try(self, dispatched):
        """The error says how many there were."""
        dispatcher, crew, _, _ = dispatched
        for now in (0.0, 10.0, 20.0):
            dispatcher.assign(now)
            error = fail(dispatcher, crew, 0, broken("reset"), now)

        assert isinstance(error, NetworkError)
        assert str(error).endswith("could not be fetched: reset (after 3 tries)")
        assert "Segment 0 (http://host/0.ts)" in str(error)

    @pytest.mark.parametrize(("kind", "tries"), [(DecryptionError, 2), (SegmentsMissingError, 2)])
    def test_hopeless_tries_are_few(self, dispatched, kind, tries):
        """What hardly ever passes is tried once more."""
        dispatcher, crew, _, _ = dispatched
        count, error = 0, None
        while error is None:
            dispatcher.assign(100.0 * count)
            count += 1
            failure = FetchFailure(kind, "no", Patience.FEW)
            error = fail(dispatcher, crew, 0, failure, 100.0 * count - 50)

        assert isinstance(error, kind)
        assert count == tries

    def test_a_host_that_asks_for_a_pause_has_it(self, dispatched):
        """From all that is not begun yet."""
        dispatcher, crew, _, found = dispatched
        dispatcher.assign(0.0)
        failure = FetchFailure(NetworkError, "HTTP 503", Patience.BUSY, retry_after=7.0)
        fail(dispatcher, crew, 0, failure)
        dispatcher.items_stored(found, range(1, 6))
        dispatcher.assign(6.9)
        assert crew.leases == {}

        dispatcher.assign(7.1)
        assert indexes(crew)[0] == 0

    def test_one_too_many_waits_for_its_turn(self, dispatched):
        """A server that is at others of ours has given its reason."""
        dispatcher, crew, _, found = dispatched
        dispatcher.assign(0.0)
        fail(dispatcher, crew, 0, BUSY)
        dispatcher.items_stored(found, [1, 2])
        dispatcher.assign(0.0)

        assert 0 in indexes(crew)

    def test_refused_alone_is_a_pause(self, dispatched):
        """With nothing else under way, the server wants to be left alone."""
        dispatcher, crew, _, found = dispatched
        dispatcher.assign(0.0)
        dispatcher.items_stored(found, range(1, 6))
        fail(dispatcher, crew, 0, BUSY)
        dispatcher.assign(0.0)

        assert crew.leases == {}

    def test_after_a_refusal_no_more_than_connections(self, dispatched):
        """What is in hand beyond that is asked back; half a minute later it is as before."""
        dispatcher, crew, account, _ = dispatched
        dispatcher.assign(0.0)
        dispatcher.recall(0.0)
        assert all(child.told_of(messages.ReturnTasks) for child in crew.downloaders)
        dispatcher.returned([lease_of(crew, 4), lease_of(crew, 5)])
        dispatcher.assign(1.0)
        assert len(crew.leases) == 4
        assert account.requests == 4
        assert account.retries == 0

        dispatcher.assign(31.0)
        assert len(crew.leases) == 6

    def test_a_death_is_the_fault_of_what_was_begun(self, dispatched):
        """What was merely in hand has had no try, and is not blamed."""
        dispatcher, crew, _, _ = dispatched
        child = crew.downloaders[0]
        for now in range(MAX_DEATHS - 1):
            dispatcher.assign(float(now))
            errands = child.take_leases()
            assert dispatcher.lost(errands, "killed", float(now)) is None
            assert [errand.deaths for errand in errands] == [now + 1, now + 1, 0]
            assert [errand.tries for errand in errands] == [0, 0, 0]
        dispatcher.assign(9.0)
        errands = child.take_leases()

        assert dispatcher.lost(errands, "killed", 9.0) is errands[0]
        dispatcher.assign(10.0)
        assert set(indexes(crew)) > {errand.index for errand in errands[1:]}

    def test_a_continuation_is_a_try(self, dispatched):
        """One over an idle connection is a request, and no try."""
        dispatcher, crew, account, _ = dispatched
        dispatcher.assign(0.0)
        lease = lease_of(crew, 0)
        dispatcher.continued(messages.TryContinued(0, lease, "reset", 0.5))
        dispatcher.continued(messages.ChangedOver(0))

        assert crew.leases[lease].tries == 1
        assert (account.requests, account.retries) == (8, 1)
