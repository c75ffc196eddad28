import pytest

from pipeline.crypto.boxes import Reader, children, descendant, full_box, rename, whole
from pipeline.errors import DecryptionError


def box(kind: bytes, body: bytes) -> bytes:
    """A box of 32-bit size."""
    return (8 + len(body)).to_bytes(4, "big") + kind + body


def test_boxes_in_boxes():
    """A path leads through boxes of the named kinds to the first that fits."""
    data = box(b"moov", box(b"trak", b"") + box(b"trak", box(b"tkhd", b"\1\0\0\5rest")))
    version, flags, reader = full_box(
        data, descendant(data, whole(data), b"moov", b"trak", b"tkhd")
    )

    assert (version, flags, reader.take(4)) == (1, 5, b"rest")


@pytest.mark.parametrize(
    ("data", "bodies"),
    [
        (box(b"free", b"ab") + box(b"skip", b""), [b"ab", b""]),
        (b"\0\0\0\1mdat" + (19).to_bytes(8, "big") + b"abc" + box(b"free", b""), [b"abc", b""]),
        (b"\0\0\0\0mdatabc", [b"abc"]),
        (b"", []),
    ],
    ids=["32-bit sizes", "64-bit size", "up to the end", "nothing"],
)
def test_sizes(data, bodies):
    """All three ways to state a box's size are understood."""
    assert [data[found.body : found.end] for found in children(data, whole(data))] == bodies


@pytest.mark.parametrize(
    "data",
    [
        b"\0\0",
        b"\0\0\0\7free",
        b"\0\0\0\x09free",
        b"\0\0\0\1mdat\0\0\0\0",
        b"\0\0\0\1mdat" + bytes(8),
    ],
    ids=["no header", "too small", "too large", "no 64-bit size", "64-bit size of zero"],
)
def test_broken_boxes(data):
    """A box that does not fit into what is around it is an error."""
    with pytest.raises(DecryptionError):
        list(children(data, whole(data)))


def test_a_missing_box():
    """A box that has to be there and is not, is named."""
    data = box(b"moov", b"")

    with pytest.raises(DecryptionError, match="no trak box"):
        descendant(data, whole(data), b"moov", b"trak")


def test_fields_end_with_their_box():
    """No field is read beyond the end of its box."""
    reader = Reader(b"abcd", 1, 3)

    assert reader.number(1) == ord("b")
    with pytest.raises(DecryptionError, match="cut off"):
        reader.number(2)


def test_renaming_keeps_everything_else():
    """A renamed box has the same size and the same contents."""
    data = bytearray(box(b"pssh", b"abc") + box(b"mdat", b""))
    rename(data, next(children(data, whole(data))), b"free")

    assert data == box(b"free", b"abc") + box(b"mdat", b"")
