"""EXT-X-BYTERANGE (RFC 8216 section 4.3.2.2)."""

import pytest

from pipeline.hls.byteranges import ByteRanges, parse_byte_range
from pipeline.hls.model import ByteRange


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("100@20", (100, 20)),
        ("100", (100, None)),
        ('"100@0"', (100, 0)),
        (" 100 @ 20 ", (100, 20)),
        ("0@0", (0, 0)),
    ],
)
def test_length_and_offset(text: str, expected: tuple[int, int | None]) -> None:
    """The offset may be left out; quotes and blanks do no harm."""
    assert parse_byte_range(text) == expected


@pytest.mark.parametrize("text", ["", "@5", "5@", "-1@5", "5@-1", "a@b", "1@2@3", "1.5@0"])
def test_anything_else_is_refused(text: str) -> None:
    """A range that cannot be read would be the wrong bytes."""
    with pytest.raises(ValueError, match="not a whole number"):
        parse_byte_range(text)


def test_a_range_ends_at_2_to_63_at_the_latest() -> None:
    """Offsets beyond what files and servers can address are refused, sums included."""
    assert parse_byte_range(f"1@{2**63 - 2}") == (1, 2**63 - 2)

    for text in (f"2@{2**63 - 2}", f"{2**63}", f"{2**63}@0"):
        with pytest.raises(ValueError, match="beyond"):
            parse_byte_range(text)


def test_a_range_without_offset_follows_the_one_before() -> None:
    """Section 4.3.2.2: it begins at the byte behind the previous segment's range."""
    ranges = ByteRanges()

    found = [ranges.resolve(text, "u") for text in ("10@5", "20", "30")]

    assert found == [ByteRange(10, 5), ByteRange(20, 15), ByteRange(30, 35)]


def test_a_range_without_offset_needs_a_predecessor() -> None:
    """Section 4.3.2.2: without one the playlist is invalid; offset 0 would be a guess."""
    with pytest.raises(ValueError, match="no offset"):
        ByteRanges().resolve("10", "u")


def test_the_predecessor_is_a_range_of_the_same_resource() -> None:
    """Another resource in between, or a whole one, ends the sequence."""
    other, whole = ByteRanges(), ByteRanges()
    other.resolve("10@0", "u")
    whole.resolve("10@0", "u")
    whole.whole()

    with pytest.raises(ValueError, match="no offset"):
        other.resolve("10", "v")
    with pytest.raises(ValueError, match="no offset"):
        whole.resolve("10", "u")


def test_implied_offsets_cannot_overflow() -> None:
    """The cap holds for offsets that are worked out, too."""
    ranges = ByteRanges()
    ranges.resolve(f"1@{2**63 - 2}", "u")

    with pytest.raises(ValueError, match="beyond"):
        ranges.resolve("1", "u")
