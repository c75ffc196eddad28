import errno
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.store import journal as journals
from pipeline.store.digest import Digest
from pipeline.store.journal import Entry, Journal, proven, recorded
from tests.support.leaks import Descriptors

IDENTITY = "plan"


@pytest.fixture
def part(tmp_path):
    """The descriptor of an empty `.part`."""
    descriptor = os.open(tmp_path / "video.part", os.O_RDWR | os.O_CREAT)
    yield descriptor
    os.close(descriptor)


@pytest.fixture
def path(tmp_path):
    """Where the journal is."""
    return tmp_path / "video.part.journal"


def write_items(path, part, items):
    """A `.part` with `items` and its journal, as an output writes them."""
    os.ftruncate(part, 0)
    os.lseek(part, 0, os.SEEK_SET)
    journal = Journal(path, IDENTITY, [], part)
    offset = 0
    for index, item in enumerate(items):
        os.write(part, item)
        journal.update(memoryview(item))
        journal.commit(index, offset, len(item))
        offset += len(item)
    journal.close()


def proven_items(path, part, identity=IDENTITY):
    """How many items a later run would take up."""
    return len(proven(part, recorded(path, identity), Digest(False)))


def test_what_was_written_is_taken_up(path, part):
    """The journal claims each item with its place and length, and the bytes prove it."""
    write_items(path, part, [b"first", b"", b"third"])

    entries = recorded(path, IDENTITY)
    assert [(e.index, e.offset, e.length) for e in entries] == [(0, 0, 5), (1, 5, 0), (2, 5, 5)]
    assert proven(part, entries, Digest(False)) == entries


def test_item_that_was_rolled_back_does_not_count(path, part):
    """The checksum of an item is of the try that was committed."""
    journal = Journal(path, IDENTITY, [], part)
    journal.update(memoryview(b"wrong"))
    journal.rollback()
    os.write(part, b"right")
    journal.update(memoryview(b"right"))
    journal.commit(0, 0, 5)
    journal.close()

    assert proven_items(path, part) == 1


def test_entries_that_were_taken_up_stay(path, part):
    """A journal that is begun anew with entries says them again."""
    entries = [Entry(0, 0, 3, 17), Entry(1, 3, 4, 18)]
    Journal(path, IDENTITY, entries, part).close()

    assert recorded(path, IDENTITY) == entries


def test_absent_journal_claims_nothing(path):
    """Without a journal nothing is taken up."""
    assert recorded(path, IDENTITY) == []


def test_other_plan_claims_nothing(path, part):
    """The journal of another plan is not believed."""
    write_items(path, part, [b"first"])

    assert recorded(path, "another plan") == []


@pytest.mark.parametrize(
    ("lines", "count"),
    [
        ("0 0 5 1\n1 5 5 2\n", 2),
        ("0 0 5 1\n1 5 5 2", 1),
        ("0 0 5 1\n1 5", 1),
        ("0 0 5 1\n2 5 5 2\n", 1),
        ("0 0 5 1\n1 6 5 2\n", 1),
        ("1 0 5 1\n", 0),
        ("0 7 5 1\n", 0),
        ("0 0 -5 1\n", 0),
        ("0 0 5 1 9\n", 0),
        ("\n", 0),
        (f"0 0 5 {'9' * 5000}\n", 0),
    ],
    ids=[
        "whole",
        "last line without its end",
        "torn last line",
        "gap between indexes",
        "gap between bytes",
        "first item is missing",
        "first byte is missing",
        "negative length",
        "a field too many",
        "empty line",
        "a number without end",
    ],
)
def test_lines_count_as_far_as_they_follow_each_other(path, lines, count):
    """Entries are believed from the first on, up to the first that does not follow."""
    path.write_text(f"hlspipe-journal 1 {IDENTITY}\n{lines}")

    assert len(recorded(path, IDENTITY)) == count


def test_journal_of_noise_claims_nothing(path):
    """A journal that is not text is no error."""
    path.write_bytes(b"\xff\xfe" * 100)

    assert recorded(path, IDENTITY) == []


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data(), st.lists(st.binary(min_size=1, max_size=30), min_size=1, max_size=6))
def test_flipped_byte_costs_the_items_from_there_on(path, part, data, items):
    """One wrong byte in the `.part` costs its own item and those after it, and no other."""
    write_items(path, part, items)
    place = data.draw(st.integers(0, sum(map(len, items)) - 1))
    wrong = os.pread(part, 1, place)[0] ^ data.draw(st.integers(1, 255))
    os.pwrite(part, bytes([wrong]), place)
    ends = [sum(map(len, items[: index + 1])) for index in range(len(items))]

    assert proven_items(path, part) == sum(end <= place for end in ends)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data(), st.lists(st.binary(min_size=1, max_size=30), min_size=1, max_size=6))
def test_journal_cut_anywhere_claims_whole_items(path, part, data, items):
    """A journal cut at any byte claims nothing that is not so."""
    write_items(path, part, items)
    entries = recorded(path, IDENTITY)
    text = path.read_bytes()
    path.write_bytes(text[: data.draw(st.integers(0, len(text)))])
    claimed = recorded(path, IDENTITY)

    assert claimed == entries[: len(claimed)]


def test_bytes_that_never_reached_the_disk(path, part):
    """An item that the journal claims and the `.part` is too short for is fetched again."""
    write_items(path, part, [b"first", b"second"])
    os.ftruncate(part, 10)

    assert proven_items(path, part) == 1


def test_digest_follows_the_proven_items_only(path, part):
    """The bytes of an item that is not proven leave no trace in the digest."""
    write_items(path, part, [b"first", b"second"])
    os.pwrite(part, b"S", 5)
    digest, right = Digest(True), Digest(True)
    proven(part, recorded(path, IDENTITY), digest)
    right.update(memoryview(b"first"))
    right.commit()

    assert digest.hexdigest() == right.hexdigest()


def test_data_is_forced_to_the_disk_before_the_journal(path, part, monkeypatch):
    """Now and then the data, and only then the journal that speaks of it, are synced."""
    synced = []
    monkeypatch.setattr(journals.os, "fsync", synced.append)
    monkeypatch.setattr(journals, "_SYNC_SECONDS", 0.0)
    journal = Journal(path, IDENTITY, [], part)
    journal.commit(0, 0, 0)

    assert (len(synced), synced[0]) == (2, part)
    journal.close()


def test_journal_is_not_written_anew(path, part, monkeypatch):
    """What an earlier run has kept is not put at risk: a full disk takes none of it."""
    write_items(path, part, [b"first", b"second", b"third"])
    before = path.read_bytes()

    def refuse(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(journals, "write_all", refuse)
    entries = recorded(path, IDENTITY)
    Journal(path, IDENTITY, entries, part).close()
    assert path.read_bytes() == before
    Journal(path, IDENTITY, entries[:2], part).close()

    assert recorded(path, IDENTITY) == entries[:2]


def test_cut_journal_goes_on_behind_what_stays(path, part):
    """New lines follow the ones that were proven."""
    write_items(path, part, [b"first", b"second", b"third"])
    journal = Journal(path, IDENTITY, recorded(path, IDENTITY)[:1], part)
    journal.update(memoryview(b"other"))
    journal.commit(1, 5, 5)
    journal.close()

    assert [entry.length for entry in recorded(path, IDENTITY)] == [5, 5]


def test_journal_that_cannot_be_begun(path, part, monkeypatch):
    """Its descriptor is closed again."""

    def refuse(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    before = Descriptors.take()
    monkeypatch.setattr(journals, "write_all", refuse)
    with pytest.raises(OSError, match="No space"):
        Journal(path, IDENTITY, [], part)

    assert Descriptors.take().since(before) == []


def test_bytes_that_cannot_be_read_prove_nothing(path, part, monkeypatch):
    """A bad sector costs the items from there on, and is no error."""
    write_items(path, part, [b"first", b"second", b"third"])
    read_really = os.preadv

    def read(descriptor, buffers, place):
        if place >= 5:
            raise OSError(errno.EIO, "Input/output error")
        return read_really(descriptor, buffers, place)

    monkeypatch.setattr(journals.os, "preadv", read)

    assert proven_items(path, part) == 1
