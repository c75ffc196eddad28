"""Compressed documents: decoded, and no further than wanted."""

import gzip
import zlib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.net.decoding import decoded
from pipeline.net.failure import FetchFailure

MB = 1 << 20


def raw_deflate(data: bytes) -> bytes:
    """Deflate without zlib's header, as some servers send it."""
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(data) + compressor.flush()


CODINGS = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    " Deflate ": raw_deflate,
    "": bytes,
    "identity": bytes,
}


def cut(data: bytes, step: int) -> Iterator[memoryview]:
    """`data` in pieces."""
    return (memoryview(data)[place : place + step] for place in range(0, len(data), step))


@given(st.sampled_from(sorted(CODINGS)), st.binary(max_size=3000), st.integers(1, 500))
def test_any_document_comes_back(coding: str, data: bytes, step: int) -> None:
    """Whatever the coding, and however it is cut."""
    assert decoded(cut(CODINGS[coding](data), step), coding, 3000) == data


def test_several_members_and_garbage_behind_them() -> None:
    """gzip may be joined; what is no gzip behind the end is left out."""
    body = gzip.compress(b"one,") + gzip.compress(b"two") + b"\0\0garbage"

    assert decoded(cut(body, 5), "gzip", MB) == b"one,two"


def test_bomb_is_not_unfolded() -> None:
    """200 MB of zeros in 200 KB: refused at the cap."""
    bomb = gzip.compress(bytes(200 * MB), 9)

    with pytest.raises(FetchFailure, match="larger than 1048576 bytes"):
        decoded(cut(bomb, 1 << 16), "gzip", MB)


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_end_in_the_middle(coding: str) -> None:
    """A document that is not whole is a failure."""
    body = CODINGS[coding](b"#EXTM3U\n" * 1000)

    with pytest.raises(FetchFailure, match="damaged"):
        decoded(cut(body[:-10], 100), coding, MB)


def test_what_is_not_gzip() -> None:
    """It says so, and is not."""
    with pytest.raises(FetchFailure, match="damaged"):
        decoded(cut(b"#EXTM3U\n", 100), "gzip", MB)


def test_coding_that_was_not_asked_for() -> None:
    """Brotli, say."""
    with pytest.raises(FetchFailure, match="not asked for"):
        decoded(cut(b"x", 1), "br", MB)


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_what_never_comes_to_anything(coding: str) -> None:
    """Empty members, or garbage behind the end: it is read no further than a document may be."""
    pieces = 0

    def endless() -> Iterator[memoryview]:
        nonlocal pieces
        yield memoryview(CODINGS[coding](b"all"))
        while True:
            pieces += 1
            yield memoryview(gzip.compress(b"") * 500)

    with pytest.raises(FetchFailure, match="larger than"):
        decoded(endless(), coding, MB)
    assert pieces < 200
