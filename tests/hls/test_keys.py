"""EXT-X-KEY: which keys are in force, and their initialization vectors."""

import pytest

from pipeline.errors import PlaylistError
from pipeline.hls.keys import identity_key, initialization_vector, parse_iv
from pipeline.hls.model import Key
from tests.hls.reading import segments

KEY = Key(method="AES-128", uri="k", url="http://host/a/k")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("0x000102030405060708090a0b0c0d0e0f", bytes(range(16)), id="32 digits"),
        pytest.param("0X000102030405060708090A0B0C0D0E0F", bytes(range(16)), id="upper case"),
        pytest.param("000102030405060708090a0b0c0d0e0f", bytes(range(16)), id="no prefix"),
        pytest.param("0x1", bytes(15) + b"\x01", id="one digit counts from the right"),
        pytest.param(" 0x1234 ", bytes(14) + b"\x12\x34", id="blanks around it"),
    ],
)
def test_an_iv_of_any_written_length(text: str, expected: bytes) -> None:
    """Section 4.2: a hexadecimal sequence is a number, filled up with zeros on the left."""
    assert parse_iv(text) == expected


@pytest.mark.parametrize("text", ["", "0x", "0x" + "0" * 33, "0xg", "[IV]", "-1"])
def test_any_other_iv_is_refused(text: str) -> None:
    """Among them those of more than 128 bits: whoever cut them would decrypt to noise."""
    with pytest.raises(ValueError, match="1 to 32 hexadecimal digits"):
        parse_iv(text)


@pytest.mark.parametrize("number", [0, 1, 2**32 - 1, 2**32, 2**64])
def test_the_implied_iv_is_the_media_sequence_number(number: int) -> None:
    """Section 5.2: as 128-bit big-endian integer, also beyond 32 and 64 bits."""
    assert int.from_bytes(initialization_vector(KEY, number), "big") == number


def test_a_number_below_zero_implies_no_iv() -> None:
    """Some lists count from below zero; with such a key they cannot be decrypted."""
    with pytest.raises(PlaylistError, match="implies no initialization vector"):
        initialization_vector(KEY, -1)


def _methods(*lines: str) -> list[tuple[str, ...]]:
    return [tuple(key.uri or "" for key in one.keys) for one in segments(*lines)]


def test_a_key_applies_until_the_next() -> None:
    """Section 4.3.2.4: rotation, and METHOD=NONE in between."""
    found = _methods(
        "#EXTINF:1,",
        "clear",
        '#EXT-X-KEY:METHOD=AES-128,URI="1"',
        "#EXTINF:1,",
        "a",
        "#EXTINF:1,",
        "b",
        '#EXT-X-KEY:METHOD=AES-128,URI="2"',
        "#EXTINF:1,",
        "c",
        "#EXT-X-KEY:METHOD=NONE",
        "#EXTINF:1,",
        "d",
    )

    assert found == [(), ("1",), ("1",), ("2",), ()]


def test_keys_of_several_formats_apply_together() -> None:
    """Section 4.3.2.4: a key ends the one of its own KEYFORMAT only."""
    found = segments(
        '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://1",KEYFORMAT="com.apple.streamingkeydelivery"',
        '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="1",KEYFORMAT="identity"',
        "#EXTINF:1,",
        "a",
        '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="2"',
        "#EXTINF:1,",
        "b",
    )

    assert [len(one.keys) for one in found] == [2, 2]
    assert [identity_key(one.keys).uri for one in found] == ["1", "2"]


@pytest.mark.parametrize(
    ("tag", "reason"),
    [
        pytest.param('#EXT-X-KEY:URI="k"', "no METHOD", id="no method"),
        pytest.param('#EXT-X-KEY:METHOD=AES-128,URI="k",IV=0x', "hexadecimal", id="empty IV"),
        pytest.param('#EXT-X-KEY:METHOD=AES-128,URI="http://[::1"', "IPv6", id="URI is no URL"),
    ],
)
def test_a_key_that_cannot_be_read_names_its_line(tag: str, reason: str) -> None:
    """Reading on would decrypt with the key before it."""
    with pytest.raises(PlaylistError, match=rf"Line 3 of the playlist \(EXT-X-KEY\): .*{reason}"):
        segments("#EXT-X-VERSION:3", tag, "#EXTINF:1,", "a")


def test_distinct_keys_are_capped() -> None:
    """10,000 different ones; repeating one, or changing its IV only, costs none."""
    rotating = [f'#EXT-X-KEY:METHOD=AES-128,URI="{number}"' for number in range(10_001)]
    ivs = [f'#EXT-X-KEY:METHOD=AES-128,URI="k",IV={number}' for number in range(10_001)]

    assert segments(*rotating[:10_000], *ivs[:0], "#EXTINF:1,", "a")
    assert segments(*ivs, "#EXTINF:1,", "a")
    with pytest.raises(PlaylistError, match="more than 10000 different keys"):
        segments(*rotating, "#EXTINF:1,", "a")


def test_key_formats_are_capped() -> None:
    """Each segment refers to all of them, so their number must stay small."""
    formats = [f'#EXT-X-KEY:METHOD=AES-128,URI="k",KEYFORMAT="{number}"' for number in range(33)]

    with pytest.raises(PlaylistError, match="more than 32 key formats"):
        segments(*formats)
