import pytest

from pipeline.crypto.ts_packets import payload_units
from pipeline.crypto.ts_tables import AAC, E_AC3, H264, clear_program_maps
from pipeline.errors import DecryptionError
from tests.crypto.transport import MAP_PID, packet, program_map, section, tables

ZAVC = b"\x0f\x04zavc"
AACD = b"\x0f\x04aacd" + b"\x05\x0eapadzaac\0\0\1\2\x12\x10"
LANGUAGE = b"\x0a\x04eng\0"


def cleared(*maps: bytes, pid: int = MAP_PID) -> tuple[bytes, dict[int, int]]:
    """What follows the pointer in the map's packet, and what was encrypted."""
    segment = bytearray(tables(b"".join(maps), pid))
    found = clear_program_maps(segment, payload_units(segment))
    return bytes(segment[193:]), found


def test_encrypted_types_become_clear_ones():
    """Stream types and descriptors of encryption go; all other descriptors stay."""
    program = b"\x05\x04HDMV"
    encrypted = program_map(
        (0xDB, 0x100, ZAVC),
        (0xCF, 0x101, LANGUAGE + AACD),
        (0xC2, 0x102, b""),
        (0x15, 0x103, b"\x26\x01x"),
        program=program,
    )
    clear = program_map(
        (0x1B, 0x100, b""),
        (0x0F, 0x101, LANGUAGE),
        (0x87, 0x102, b""),
        (0x15, 0x103, b"\x26\x01x"),
        program=program,
    )
    payload, found = cleared(encrypted)

    assert payload == clear.ljust(183, b"\xff")
    assert found == {0x100: H264, 0x101: AAC, 0x102: E_AC3}


def test_a_clear_map_stays_as_it_is():
    """A program map without encrypted streams is not touched, not even a wrong checksum in it."""
    clear = program_map((0x1B, 0x100, b""), (0x0F, 0x101, LANGUAGE))[:-1] + b"\0"

    assert cleared(clear) == (clear.ljust(183, b"\xff"), {})


def test_sections_that_share_a_packet():
    """Of several sections in one packet each is cleared, and they stay one behind the other."""
    payload, found = cleared(
        program_map((0xDB, 0x100, ZAVC)), program_map((0xCF, 0x201, AACD)), section(0x80, b"other")
    )
    clear = program_map((0x1B, 0x100, b"")) + program_map((0x0F, 0x201, b""))

    assert payload == (clear + section(0x80, b"other")).ljust(183, b"\xff")
    assert found == {0x100: H264, 0x201: AAC}


def test_other_sections_beside_the_program_association():
    """Sections of another table on the PID of program associations name no program."""
    other = packet(b"\0" + section(3, b"x" * 20).ljust(183, b"\xff"), 0, start=True, pid=0)
    segment = bytearray(other + tables(program_map((0xDB, 0x100, ZAVC))))

    assert clear_program_maps(segment, payload_units(segment)) == {0x100: H264}


@pytest.mark.parametrize(
    ("table", "pid", "reason"),
    [
        (b"", 0x1001, "no program map"),
        (program_map((0xDB, 0x100, ZAVC * 40))[:183], MAP_PID, "cut off"),
        (b"\2\xb0\2\0\0", MAP_PID, "cut off"),
        (section(2, b"\0\1\xc1"), MAP_PID, "contradicts"),
        (section(2, program_map((0xDB, 0x100, ZAVC))[3:-5]), MAP_PID, "contradicts"),
    ],
    ids=["missing", "longer than its packet", "shorter than a section", "no fields", "odd length"],
)
def test_broken_tables(table, pid, reason):
    """A segment without a whole program map is an error."""
    with pytest.raises(DecryptionError, match=reason):
        cleared(table, pid=pid)
