import errno
import os
import threading

import pytest

from pipeline.errors import ScarcityError, StorageError
from pipeline.processes.arena import ARENA_BYTES, BLOCK_BYTES, Partitions, create_arena
from pipeline.processes.scarcity import as_scarcity, needed_to, start_thread
from pipeline.units import MIB
from tests.support.tripwire import Tripwire


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (OSError(errno.EMFILE, "Too many open files"), "Too many open files"),
        (OSError("odd"), "odd"),
        (MemoryError(), "the system has no memory left"),
    ],
    ids=["an errno", "no errno", "no memory"],
)
def test_refusal_is_a_sentence(error, why):
    """What it was needed for, and why it cannot be had."""
    refusal = pytest.raises(ScarcityError, match=f"^Cannot start the processes: {why}$")
    with refusal, needed_to("start the processes"):
        raise error


def test_thread_that_cannot_be_started():
    """Python has only a RuntimeError for that."""
    thread = threading.Thread(target=print)
    with Tripwire("thread", 1, "EAGAIN").set_up(), pytest.raises(ScarcityError, match="thread"):
        start_thread(thread)

    assert not thread.is_alive()


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (MemoryError(), ScarcityError),
        (OSError(errno.EMFILE, "Too many open files"), ScarcityError),
        (OSError(errno.EIO, "Input/output error"), type(None)),
        (StorageError("Cannot write x"), StorageError),
        (ZeroDivisionError(), type(None)),
    ],
    ids=["memory", "descriptors", "disk", "ours", "bug"],
)
def test_bugs_are_told_from_scarcity(error, kind):
    """What the system refuses, and what is an error of ours, is no crash."""
    assert type(as_scarcity(error, "storage")) is kind


@pytest.mark.parametrize("number", ["ENOSYS", "ENOMEM"])
def test_arena_without_a_name(number):
    """Where the call for nameless memory is missing it is a file; any other refusal is an error."""
    with Tripwire("memfd", 1, number).set_up():
        if number == "ENOMEM":
            with pytest.raises(ScarcityError, match="shared memory"):
                create_arena(MIB)
            return
        descriptor = create_arena(MIB)
    found = os.fstat(descriptor)

    assert (found.st_size, found.st_nlink) == (MIB, 0)
    assert found.st_blocks * 512 >= MIB, "a full disk would be a SIGBUS later"
    os.close(descriptor)


@pytest.mark.parametrize(
    ("memory", "expected"),
    [(None, ARENA_BYTES), (1 << 40, ARENA_BYTES), (64 * MIB, 16 * MIB), (0, 16 * MIB)],
    ids=["no container", "large container", "small container", "hopeless container"],
)
def test_arena_fits_its_container(memory, expected):
    """A quarter of what is granted at the most, but what the connections need at least."""
    partitions = Partitions.for_downloaders(1, 8, memory)

    assert partitions.size * BLOCK_BYTES == expected
