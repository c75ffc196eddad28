"""What is done for a job a long way off before its turn."""

from contextlib import contextmanager
from dataclasses import replace
from itertools import chain

import pytest

from pipeline.net.failure import FetchFailure, Patience
from pipeline.processes import messages
from tests.processes.crews import dispatching
from tests.processes.plans import HOST, download, item, playlist

FAR = 0.04
ELSEWHERE = "http://elsewhere/p.m3u8"


@contextmanager
def far(url=HOST, round_trip=FAR, **options):
    """A dispatcher whose job's playlist has come from far away; its crew of 2 x 2."""
    with dispatching(**options) as (dispatcher, crew, _):
        dispatcher.add_document(playlist())
        dispatcher.assign(0.0)
        dispatcher.far_away(0, HOST)
        playlist_comes(dispatcher, crew, url, round_trip)
        for child in crew.downloaders:
            child.told.clear()
        yield dispatcher, crew


def playlist_comes(dispatcher, crew, url, round_trip):
    """To the one that has been told to fetch it."""
    (child,) = (child for child in crew.downloaders if child.leases)
    (lease,) = child.leases
    dispatcher.end_lease(lease)
    report = messages.DocumentFetched(lease, url, b"", None, round_trip)
    dispatcher.saw_way(child, 0, report)


def connects(crew):
    """How many connections are to be made."""
    return sum(each.connections for each in told_of(crew, messages.Connect))


def told_of(crew, kind):
    """What the downloaders were told of this kind."""
    return [each for child in crew.downloaders for each in child.told_of(kind)]


def asked(child):
    """The URLs that it is to ask for early."""
    return [each.url for each in child.told_of(messages.AskEarly)]


def encrypted(count, key="k"):
    """Items with one key."""
    return [item(number, key) for number in range(count)]


def key_comes(dispatcher, crew, found, now=0.0):
    """The key of the first items has been fetched."""
    (lease,) = (lease for lease, errand in crew.leases.items() if errand.url.endswith("/k"))
    dispatcher.end_lease(lease)
    found.arrived(found.needs.key(found.items[0]), bytes(16))
    dispatcher.assign(now)


class TestConnections:
    """Those that are made while the playlist comes."""

    def test_as_many_as_there_may_be(self):
        """Less the one that the playlist comes on, and once."""
        with dispatching() as (dispatcher, crew, _):
            dispatcher.add_document(playlist())
            dispatcher.assign(0.0)
            dispatcher.far_away(0, HOST)
            dispatcher.far_away(0, HOST)

            assert connects(crew) == 3

    def test_they_stay_where_they_will_be_used(self):
        """The server keeps connections, and segments are there too."""
        with far() as (dispatcher, crew):
            dispatcher.add_download(download(encrypted(9)))
            dispatcher.assign(0.0)

            assert told_of(crew, messages.Disconnect) == []

    @pytest.mark.parametrize(("url", "round_trip"), [(HOST, 0.0), (ELSEWHERE, FAR)])
    def test_they_were_made_in_vain(self, url, round_trip):
        """The server keeps none, or has redirected: everybody closes what nothing has used."""
        with dispatching() as (dispatcher, crew, _):
            dispatcher.add_document(playlist())
            dispatcher.assign(0.0)
            dispatcher.far_away(0, HOST)
            playlist_comes(dispatcher, crew, url, round_trip)

            assert told_of(crew, messages.Disconnect) == [messages.Disconnect(0, HOST, 0)] * 2

    def test_segments_are_elsewhere(self):
        """Then they are closed as soon as that is known."""
        with far() as (dispatcher, crew):
            items = [replace(each, url=f"http://cdn/{each.index}") for each in encrypted(9)]
            dispatcher.add_download(download(items))

            assert told_of(crew, messages.Disconnect) == [messages.Disconnect(0, HOST, 0)] * 2

    def test_more_than_there_are_items(self):
        """What has nothing to do is closed when everything is in somebody's hand."""
        with far() as (dispatcher, crew):
            dispatcher.add_download(download([item(0), item(1)]))
            dispatcher.assign(0.0)

            # The one that has fetched the playlist has a connection from that.
            told = [
                each.but
                for child in crew.downloaders
                for each in child.told_of(messages.Disconnect)
            ]
            assert told == [0, 1]

    def test_more_than_there_are_items_that_wait_for_a_key(self):
        """What nothing is asked on may be what the server waits on, instead of sending the key."""
        with far() as (dispatcher, crew):
            dispatcher.add_download(download(encrypted(2)))
            dispatcher.assign(0.0)

            assert len(told_of(crew, messages.AskEarly)) == 1
            assert sum(each.but for each in told_of(crew, messages.Disconnect)) == 1

    def test_one_of_several_jobs(self):
        """What the others leave idle is as good."""
        with dispatching() as (dispatcher, crew, _):
            for context in (0, 1):
                dispatcher.add_document(playlist(context))
            dispatcher.assign(0.0)
            dispatcher.far_away(0, HOST)

            assert connects(crew) == 0

    def test_a_limit_for_each_host(self):
        """Nobody counts what lies idle."""
        with far(max_per_host=3) as (dispatcher, crew):
            dispatcher.add_download(download(encrypted(9)))
            dispatcher.assign(0.0)

            assert connects(crew) == 0
            assert told_of(crew, messages.AskEarly) == []


class TestItems:
    """Those that are asked for while their key comes."""

    def test_as_many_as_there_are_connections(self):
        """Less that of the key. Whoever has asked for an item has it then."""
        with far() as (dispatcher, crew):
            dispatcher.add_download(found := download(encrypted(9)))
            dispatcher.assign(0.0)
            early = [asked(child) for child in crew.downloaders]
            assert sorted(chain(*early)) == [f"{HOST}/{number}.ts" for number in range(3)]
            key_comes(dispatcher, crew, found)

            for child, urls in zip(crew.downloaders, early, strict=True):
                told = [each.url for each in child.told_of(messages.FetchSegment)]
                assert set(urls) <= set(told)

    def test_they_count_as_long_as_the_key_may_come(self):
        """Nothing else takes their connections: of another download, say."""
        with far() as (dispatcher, crew):
            dispatcher.add_download(download(encrypted(9)))
            dispatcher.add_download(download([item(number) for number in range(9)]))
            dispatcher.assign(0.0)
            assert len(told_of(crew, messages.AskEarly)) + len(crew.leases) <= 4
            before = len(crew.leases)
            dispatcher.assign(0.9)
            assert len(crew.leases) == before
            dispatcher.assign(1.1)

            assert len(crew.leases) > before

    def test_nearby(self):
        """It would gain nothing."""
        with far(round_trip=0.001) as (dispatcher, crew):
            dispatcher.add_download(download(encrypted(9)))
            dispatcher.assign(0.0)

            assert told_of(crew, messages.AskEarly) == []
            assert connects(crew) == 0

    def test_a_limited_rate(self):
        """The line is not what is waited for then; connections are made all the same."""
        with far(limit_rate=1 << 20) as (dispatcher, crew):
            dispatcher.add_download(download(encrypted(9)))
            dispatcher.assign(0.0)

            assert told_of(crew, messages.AskEarly) == []
            assert connects(crew) == 3

    def test_another_key(self):
        """What waits for it cannot be asked for yet: it may want a connection soon."""
        with far() as (dispatcher, crew):
            dispatcher.add_download(download([item(0, "k"), *(item(n, "l") for n in range(1, 9))]))
            dispatcher.assign(0.0)

            assert len(told_of(crew, messages.AskEarly)) == 1
            assert connects(crew) == 2

    def test_a_host_that_wants_a_pause(self):
        """It has it from this, too."""
        with far() as (dispatcher, crew):
            dispatcher.add_document(playlist())
            dispatcher.assign(0.0)
            errand = dispatcher.end_lease(*crew.leases)
            refusal = FetchFailure(OSError, "HTTP 429", Patience.BUSY, retry_after=4.0)
            dispatcher.retry(errand, refusal, 0.0)
            dispatcher.add_download(download(encrypted(9)))
            dispatcher.assign(0.0)

            assert told_of(crew, messages.AskEarly) == []

    def test_a_job_that_ends(self):
        """Its connections are for others at once."""
        with far() as (dispatcher, crew):
            dispatcher.add_download(download(encrypted(9)))
            dispatcher.assign(0.0)
            assert sum(child.early for child in crew.downloaders) == 3
            dispatcher.drop(0)

            assert sum(child.early for child in crew.downloaders) == 0
