"""Bodies in chunks, read from bytes."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.net.chunks import Chunks
from pipeline.net.failure import FetchFailure


def chunks(data: bytes) -> tuple[Chunks, io.BytesIO]:
    """A body that begins like this, and what it is read from."""
    source = io.BytesIO(data)
    return Chunks(source.readline, source.readinto), source


def read(body: Chunks, step: int) -> bytes:
    """All of it, `step` bytes at a time."""
    data, view = bytearray(), memoryview(bytearray(step))
    while size := body.read_into(view):
        data += view[:size]
    return bytes(data)


@given(st.lists(st.binary(min_size=1, max_size=50)), st.integers(1, 60), st.binary(max_size=5))
def test_chunks_are_joined(parts: list[bytes], step: int, behind: bytes) -> None:
    """Whatever their sizes and extensions; what follows the last one is left where it is."""
    text = b"".join(b"%X;a=b\r\n%s\r\n" % (len(part), part) for part in parts)
    body, source = chunks(text + b"0\r\nTrailer: x\r\n\r\n" + behind)

    assert read(body, step) == b"".join(parts)
    assert body.ended
    assert source.read() == behind


@pytest.mark.parametrize(
    "size", [b"-1", b"0x3", b"1_0", b" 3", b"", b"zz", b"3" * 17, b"3 4", b"\xb3"], ids=repr
)
def test_what_is_no_size(size: bytes) -> None:
    """Python's `int` would take some of them."""
    body, _ = chunks(size + b"\r\nabc\r\n0\r\n\r\n")

    with pytest.raises(FetchFailure, match="chunked in no valid way"):
        read(body, 10)


@pytest.mark.parametrize("end", [b"", b"3\r\nab", b"3\r\nabc\r\n", b"3\r\nabc\r\n0\r\nA: b"])
def test_an_early_end(end: bytes) -> None:
    """It is none of a body."""
    body, _ = chunks(b"2\r\nok\r\n" + end)

    with pytest.raises((EOFError, FetchFailure)):
        read(body, 10)
    assert not body.ended


def test_trailers_without_end() -> None:
    """A server that goes on and on is not listened to."""
    body, _ = chunks(b"0\r\n" + b"A: b\r\n" * 100 + b"\r\n")

    with pytest.raises(FetchFailure, match="chunked in no valid way"):
        read(body, 10)
