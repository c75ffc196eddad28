from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import DecryptionError, NetworkError, SegmentsMissingError, StorageError
from pipeline.processes import download as downloads
from pipeline.processes.errands import ItemErrand, NeedErrand
from tests.processes.plans import HOST, download, downloads_of_one_job, item


def given_out(found, now=0.0):
    """Everything that can be fetched now: item indexes, and needs as text."""
    errands = iter(lambda: found.next(now), None)
    return [errand.index if isinstance(errand, ItemErrand) else errand.url for errand in errands]


def test_items_go_out_in_order():
    """Each item once, in the order of the plan."""
    found = download(map(item, range(4)))
    assert found.remaining == 4

    assert given_out(found) == [0, 1, 2, 3]
    assert found.remaining == 0


def test_nothing_before_the_output_is_open():
    """Storage has to have the output first."""
    found = download([item(0)], opened=False)
    assert found.next(0) is None
    found.take_up(0, 0, 0.0)

    assert given_out(found) == [0]


def test_items_wait_for_their_key():
    """A key is fetched once; those that wait for it come in order when it is here."""
    found = download([item(0, "k"), item(1, "k"), item(2), item(3, "other")])
    first = found.next(0)
    assert isinstance(first, NeedErrand)
    assert given_out(found) == [2, f"{HOST}/other"]
    assert found.remaining == 3
    found.arrived(first.need, bytes(16))

    assert given_out(found) == [0, 1]
    assert found.have(first.need) == bytes(16)
    assert found.remaining == 1


def test_who_waits_for_a_key_and_nothing_else():
    """The first ones, in order: no clear item, none with another key, none that is in."""
    found = download(
        [item(0), *(item(number, "other" if number == 3 else "k") for number in range(1, 9))]
    )
    need = found.needs.key(found.items[1])
    assert found.waiting_for(need, 4) == [1, 2, 4, 5]
    found.settle(0)
    found.settle(2)

    assert found.waiting_for(need, 4) == [1, 4, 5, 6]
    found.arrived(need, bytes(16))
    assert found.waiting_for(need, 4) == []


def test_samples_wait_for_more_than_a_key():
    """Nothing can be fetched as soon as one of two things is here."""
    section = item(0, "k", "SAMPLE-AES", segment=False)
    found = download([section, item(1, "k", "SAMPLE-AES", section=0)])
    need = found.needs.key(found.items[1])
    assert found.waiting_for(need, 4) == []
    found.arrived(found.needs.section(found.items[1]), b"moov")

    assert found.waiting_for(need, 4) == [1]


def test_key_that_another_download_waits_for():
    """Downloads of one job ask once for what both need, and both go on when it is here."""
    first, second = downloads_of_one_job([item(0, "k")], [item(0, "k"), item(1, "other")])
    key = first.next(0)
    assert given_out(second) == [f"{HOST}/other"]
    for each in (first, second):
        each.arrived(key.need, bytes(16))

    assert (given_out(first), given_out(second)) == ([0], [0])


def test_key_that_came_with_the_transfer():
    """A key that is known is not asked for."""
    found = download([item(0, "k")], keys={f"{HOST}/k": bytes(16)})

    assert given_out(found) == [0]


def test_section_is_needed_for_samples():
    """Sample encryption in fMP4 wants the key, then the initialization section."""
    plan = [item(0, "k", "SAMPLE-AES", segment=False), item(1, "k", "SAMPLE-AES", section=0)]
    found = download(plan)
    assert given_out(found) == [0, f"{HOST}/k"]
    found.arrived(found.needs.key(plan[1]), bytes(16))
    assert given_out(found) == [f"{HOST}/0.ts"]
    found.arrived(found.needs.section(plan[1]), b"section")

    assert given_out(found) == [1]


def test_failed_item_comes_back_when_it_is_due():
    """A retry waits for its time, and then has its turn before later items."""
    found = download(map(item, range(3)))
    first = found.next(0)
    found.later(first, due=5.0)
    assert found.next_due() == 5.0
    assert found.next(4.9).index == 1

    assert found.next(5.0) is first
    assert found.next_due() is None
    assert given_out(found, 5.0) == [2]


def test_key_that_failed_comes_back():
    """A key's retry is a key's: its items go on waiting."""
    found = download([item(0, "k")])
    errand = found.next(0)
    found.later(errand, due=1.0)
    assert found.next(0) is None

    assert found.next(1.0) is errand


@pytest.mark.parametrize("delayed", [False, True], ids=["due now", "due later"])
def test_settled_item_is_not_given_out_again(delayed):
    """What is stored meanwhile needs no further try."""
    found = download(map(item, range(2)))
    errand = found.next(0)
    if delayed:
        found.later(errand, due=1.0)
    else:
        found.again(errand)
    assert found.settle(0)

    assert not found.settle(0)
    assert given_out(found, 1.0) == [1]


def test_resumed_items_are_not_fetched():
    """What an earlier run has left counts as done."""
    found = download(map(item, range(3)), opened=False)
    found.take_up(2, 1000, 10.0)

    assert given_out(found) == [2]
    assert (found.segments_done, found.stored_bytes, found.complete) == (2, 1000, False)
    assert found.rate(20.0) == 0
    found.settle(2)
    assert found.complete
    assert found.rate(20.0) == 0.1  # of what was fetched in this run


def test_window_bounds_what_runs_ahead(monkeypatch):
    """One slow segment holds back those far behind it."""
    monkeypatch.setattr(downloads, "WINDOW", 3)
    found = download(map(item, range(6)))
    assert given_out(found) == [0, 1, 2]
    found.settle(1)
    assert given_out(found) == []
    found.settle(0)

    assert given_out(found) == [3, 4]


@pytest.mark.parametrize(
    ("error", "gaps", "segment", "may"),
    [
        (SegmentsMissingError, True, True, True),
        (NetworkError, True, True, True),
        (DecryptionError, True, True, False),
        (StorageError, True, True, False),
        (SegmentsMissingError, False, True, False),
        (SegmentsMissingError, True, False, False),
    ],
    ids=[
        "missing segment",
        "unreachable segment",
        "wrong key",
        "full disk",
        "gaps not allowed",
        "initialization section",
    ],
)
def test_what_an_output_may_do_without(error, gaps, segment, may):
    """A gap is a segment that the server does not hand out, if the user allows it."""
    found = download([item(0, segment=segment)], allow_gaps=gaps)

    assert found.may_miss(0, error("reason")) is may


def test_gap_counts_as_done_and_not_as_stored():
    """A segment that is missed is settled, named, and not among those stored."""
    found = download(map(item, range(2)), allow_gaps=True)
    found.settle(0)
    assert found.miss(1) == 1

    assert found.complete
    assert (found.missing, found.segments_done, found.segments_stored) == ([1], 2, 1)


def test_output_that_is_kept_is_not_transient(tmp_path):
    """What may be taken up later is not removed by the supervisor."""
    assert str(download([item(0)]).transient_output) == "out.ts"
    assert download([item(0)], kept_as="plan").transient_output is None


@given(st.data(), st.lists(st.sampled_from([None, "a", "b"]), min_size=1, max_size=12))
def test_every_item_is_fetched_in_the_end(data, keys):
    """Whatever fails and is retried, every item is settled, and each key arrives once."""
    found = download(item(index, key) for index, key in enumerate(keys))
    now, arrived, failures = 0.0, [], data.draw(st.integers(0, 8))
    for _ in range(100):
        if found.complete:
            break
        errand = found.next(now)
        if errand is None:
            now += 1.0
        elif failures and data.draw(st.booleans()):
            failures -= 1
            found.later(errand, now + data.draw(st.sampled_from([0.0, 1.0, 2.5])))
        elif isinstance(errand, NeedErrand):
            arrived.append(errand.url)
            found.arrived(errand.need, bytes(16))
        else:
            assert found.settle(errand.index), "no item is given out twice at a time"

    assert found.complete
    assert sorted(arrived) == sorted({f"{HOST}/{key}" for key in keys if key})
    assert found.remaining == 0


def renamed(number, key=None):
    """An item as a playlist that is read again names it."""
    fresh = item(number, key and f"{key}?new")
    return replace(fresh, url=f"{fresh.url}?new")


def test_renewal_reaches_what_is_still_to_come():
    """Items that are in keep what they had, all others go out under their new URLs."""
    found = download(map(item, range(3)))
    found.settle(0)
    assert found.renew([renamed(number) for number in range(3)]) == 2
    found.next(0)

    assert found.items[0].url == f"{HOST}/0.ts"
    assert found.next(0).url == f"{HOST}/1.ts?new"


def test_refused_item_takes_over_its_new_url():
    """An errand knows whether another try would be one of another URL."""
    found = download([item(0)])
    errand = found.next(0)
    assert not errand.renew()
    found.renew([renamed(0)])

    assert errand.renew()
    assert errand.url == f"{HOST}/0.ts?new"
    assert not errand.renew()


def test_key_under_another_token_is_the_same_key():
    """It is not fetched again because its URL has another query now."""
    found = download([item(0, "k"), item(1, "k")])
    key = found.next(0)
    found.arrived(key.need, bytes(16))
    found.next(0)
    found.renew([renamed(0, "k"), renamed(1, "k")])

    assert given_out(found) == [1]


def test_key_on_its_way_while_its_url_changes():
    """Whichever URL it comes from, those that wait for it go on; a refused one is asked anew."""
    found = download([item(0, "k")])
    key = found.next(0)
    assert found.next(0) is None
    found.renew([renamed(0, "k")])
    assert found.next(0) is None
    assert key.renew()
    assert key.url == f"{HOST}/k?new"
    found.renew([item(0, "k")])
    found.arrived(key.need, bytes(16))

    assert given_out(found) == [0]


def test_another_key_file_is_another_key():
    """A key whose path has changed is fetched."""
    found = download([item(0, "k"), item(1, "k")])
    key = found.next(0)
    found.arrived(key.need, bytes(16))
    found.next(0)
    found.renew([item(0, "other"), item(1, "other")])

    assert given_out(found) == [f"{HOST}/other"]
