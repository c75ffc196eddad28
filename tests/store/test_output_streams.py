"""Outputs that cannot be taken back: pipes, devices, standard output."""

import hashlib
import os
import socket
from pathlib import Path

import pytest

from pipeline.errors import OutputClosedError, StorageError
from pipeline.store.care import Care
from pipeline.store.file_output import FileOutput
from pipeline.store.output import open_output
from pipeline.store.stream_output import StreamOutput
from tests.store.outputs import no_wait, publish, put


@pytest.fixture
def path(tmp_path):
    """Where the output goes."""
    return tmp_path / "video.ts"


def test_device_is_written_and_stays():
    """A device gets the bytes; it is not replaced by a file."""
    output = open_output(Path(os.devnull), Care(force=True), no_wait)
    put(output, 0, b"gone")
    publish(output)

    assert isinstance(output, StreamOutput)
    assert Path(os.devnull).is_char_device()


def test_named_pipe_with_a_reader(path):
    """A named pipe is written to as it is."""
    os.mkfifo(path)
    reading = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    output = open_output(path, Care(checksum=True), no_wait)
    put(output, 0, b"through the pipe")
    publish(output)

    assert os.read(reading, 100) == b"through the pipe"
    assert output.digest.hexdigest() == hashlib.sha256(b"through the pipe").hexdigest()
    os.close(reading)


def test_named_pipe_without_a_reader(path):
    """Nobody waits for a reader that may never come."""
    os.mkfifo(path)
    with pytest.raises(StorageError, match="No such device"):
        open_output(path, Care(), no_wait)


@pytest.mark.parametrize("before", [None, "file", "directory", "broken link"])
def test_all_else_is_a_file(path, before):
    """What is no device and no pipe is published by name, or refused."""
    if before == "file":
        path.write_text("old")
    elif before == "directory":
        path.mkdir()
        with pytest.raises(StorageError):
            open_output(path, Care(force=True), no_wait)
        return
    elif before == "broken link":
        path.symlink_to(path.parent / "absent")
    output = open_output(path, Care(force=True), no_wait)

    assert isinstance(output, FileOutput)
    output.discard()


def test_reader_that_went_away():
    """A closed pipe is an error of its own: `hlspipe | head` is no fault."""
    reading, writing = os.pipe()
    os.close(reading)
    output = StreamOutput(writing, no_wait, Care())
    with pytest.raises(OutputClosedError):
        output.write(memoryview(b"x"))
    output.discard()


def test_slow_reader_is_waited_for():
    """A full pipe hands control to the waiter, and every byte arrives in the end."""
    reading, writing = os.pipe()
    received = bytearray()
    output = StreamOutput(writing, lambda _: received.extend(os.read(reading, 1 << 16)), Care())
    data = os.urandom(300_000)
    output.rollback()
    output.reserve(1)
    put(output, 0, data)
    publish(output)
    while piece := os.read(reading, 1 << 16):
        received += piece
    os.close(reading)

    assert received == data
    assert output.committed == len(data)


def test_giver_of_the_pipe_keeps_its_mode():
    """Our end does not block; the one that others share still does."""
    reading, writing = os.pipe()
    shared = os.dup(writing)
    output = StreamOutput(writing, no_wait, Care())

    assert os.get_blocking(shared)
    output.discard()
    os.close(shared)
    os.close(reading)


def test_full_device():
    """A device that takes no more is a storage error."""
    output = open_output(Path("/dev/full"), Care(), no_wait)
    with pytest.raises(StorageError, match="No space"):
        output.write(memoryview(b"x"))
    output.discard()


def test_socket_with_a_slow_reader():
    """It does not block, though the one that gave it may: who waits goes on listening."""
    reading, writing = socket.socketpair()
    received, waits = bytearray(), []

    def wait(descriptor):
        waits.append(descriptor)
        received.extend(reading.recv(1 << 20))

    output = StreamOutput(os.dup(writing.fileno()), wait, Care())
    data = os.urandom(3_000_000)
    put(output, 0, data)
    publish(output)
    writing.close()
    while piece := reading.recv(1 << 20):
        received += piece
    reading.close()

    assert waits
    assert received == data


def test_socket_whose_reader_went_away():
    """The same as with a pipe."""
    reading, writing = socket.socketpair()
    reading.close()
    output = StreamOutput(os.dup(writing.fileno()), no_wait, Care())
    with pytest.raises(OutputClosedError):
        output.write(memoryview(b"x"))
    output.discard()
    writing.close()
