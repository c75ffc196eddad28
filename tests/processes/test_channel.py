import itertools
import os
import struct
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.processes.channel import Receiver, Sender, instruction_pipe
from pipeline.processes.messages import Alive, DocumentFetched, Publish, Stop
from pipeline.processes.wire import encode
from pipeline.units import MIB


@pytest.fixture
def pipe():
    """(receiver, descriptor to write to)."""
    reading, writing = os.pipe()
    receiver = Receiver(reading)
    yield receiver, writing
    receiver.close()
    os.close(writing)


def framed(message):
    """The bytes of one message on the wire."""
    frame = encode(message)
    return struct.pack("<I", len(frame)) + frame


@settings(deadline=None)
@given(st.lists(st.integers(0, 60), max_size=6))
def test_messages_in_pieces(cuts):
    """However a stream of messages is cut, each comes once, when it is complete."""
    reading, writing = os.pipe()
    receiver = Receiver(reading)
    sent = [Publish([1]), Stop(), Publish([2]), Alive()]
    stream = b"".join(map(framed, sent))
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    received = []
    for begin, end in itertools.pairwise(edges):
        os.write(writing, stream[begin:end])
        received += receiver.receive()
    os.close(writing)
    assert not receiver.closed
    received += receiver.receive()

    assert received == sent
    assert receiver.closed
    receiver.close()


def test_nothing_there_is_no_end(pipe):
    """An empty pipe is not waited for, and not closed."""
    receiver, writing = pipe

    assert list(receiver.receive()) == []
    assert not receiver.closed
    assert receiver.fileno() != writing


def test_what_was_said_before_the_end_is_heard():
    """A child that says its last and ends is heard; half a message is not."""
    reading, writing = os.pipe()
    receiver = Receiver(reading)
    os.write(writing, framed(Publish([1])) + framed(Publish([2]))[:-1])
    os.close(writing)

    assert list(receiver.receive()) == [Publish([1])]
    assert list(receiver.receive()) == []
    assert receiver.closed
    receiver.close()


def test_frame_that_is_too_large(pipe):
    """A child cannot make its reader take memory."""
    receiver, writing = pipe
    os.write(writing, struct.pack("<I", 34 * MIB + 1))
    with pytest.raises(ValueError, match="frame of"):
        list(receiver.receive())


def test_sender_without_a_reader():
    """Nobody there to read is an OSError."""
    reading, writing = os.pipe()
    os.close(reading)
    sender = Sender(writing)
    with pytest.raises(BrokenPipeError):
        sender.send(Stop())
    sender.close()


def test_frames_of_several_threads_do_not_mix():
    """Large messages that wait for room in the pipe stay in one piece."""
    reading, writing = instruction_pipe()
    receiver, sender = Receiver(reading), Sender(writing)
    bodies = [bytes([number]) * 200_000 for number in range(4)]
    threads = [
        threading.Thread(target=sender.send, args=[DocumentFetched(number, "", body)])
        for number, body in enumerate(bodies)
    ]
    for thread in threads:
        thread.start()
    received = []
    while len(received) < len(bodies):
        received += receiver.receive()
    for thread in threads:
        thread.join()
    sender.close()
    receiver.close()

    assert sorted(message.body for message in received) == bodies
