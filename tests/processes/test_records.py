import itertools
import os

import pytest

from pipeline.processes.records import (
    NO_BLOCK,
    BlockSource,
    Mark,
    Record,
    RecordReader,
    RecordWriter,
    drain_credits,
    lend,
)


@pytest.fixture
def pipe():
    """(reading end, writing end)."""
    reading, writing = os.pipe()
    yield reading, writing
    os.close(reading)
    os.close(writing)


def test_records_arrive_in_order(pipe):
    """What a downloader queues, storage takes, as it was."""
    reader, writer = RecordReader(pipe[0]), RecordWriter(pipe[1])
    records = [
        Record(0, 1, 2, 3, 4, Mark.MORE),
        Record(0, 1, 2, NO_BLOCK, 0, Mark.LAST),
        Record(0xFFFFFFFE, 0xFFFFFFFE, 0xFFFFFFFE, NO_BLOCK, 0xFFFFFFFE, Mark.RETRACT),
    ]
    for record in records:
        writer.put(record)

    assert list(reader.take()) == records
    assert reader.fileno() == pipe[0]


def test_none_is_no_error(pipe):
    """An empty queue is not waited for."""
    assert list(RecordReader(pipe[0]).take()) == []


def test_many_records_come_in_batches(pipe):
    """One look takes a bounded number, and loses none."""
    reader, writer = RecordReader(pipe[0]), RecordWriter(pipe[1])
    for number in range(100):
        writer.put(Record(0, number, 1, 0, 0, Mark.LAST))
    batches = [[record.index for record in reader.take()] for _ in range(3)]

    assert [*itertools.chain.from_iterable(batches)] == list(range(100))
    assert batches[2] == []


def test_lent_blocks_are_taken_in_order(pipe):
    """The pipe is the queue of free blocks."""
    for number in (7, 3, 0):
        lend(pipe[1], number)
    source = BlockSource(pipe[0])

    assert [source.take() for _ in range(3)] == [7, 3, 0]


def test_storage_is_gone():
    """A thread that waits for a block is told when none will come."""
    reading, writing = os.pipe()
    os.close(writing)
    with pytest.raises(EOFError):
        BlockSource(reading).take()
    os.close(reading)


def test_blocks_of_a_dead_downloader_are_drained(pipe):
    """The next downloader finds an empty pipe, and waits as ever."""
    for number in range(3000):
        lend(pipe[1], number)
    drain_credits(pipe[0])
    assert os.get_blocking(pipe[0])
    lend(pipe[1], 9)

    assert BlockSource(pipe[0]).take() == 9
