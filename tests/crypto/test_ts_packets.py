import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.crypto.ts_packets import payload_units, refill
from pipeline.errors import DecryptionError
from tests.crypto.transport import PID, packet, payload_of

CLOCK = b"\x10\0\0\0\0\x7e\0"  # an adaptation field with a program clock reference
UNITS = st.lists(st.integers(1, 184), min_size=1, max_size=20)


@given(UNITS, st.integers(0, 3000), st.booleans())
def test_a_shorter_payload_is_stuffed(sizes, shorter, clock):
    """A unit gets shorter without losing a packet, a counter or a clock reference."""
    payloads = [bytes([number]) * size for number, size in enumerate(sizes)]
    packets = [packet(body, i, start=not i) for i, body in enumerate(payloads)]
    if clock:
        packets[0] = packet(b"c" * 176, 0, start=True, field=CLOCK)
    segment = bytearray(b"".join(packets))
    (unit,) = payload_units(segment)[PID]
    size = max(len(unit.payload(segment)) - shorter, len(sizes))
    refill(segment, unit, b"n" * size)

    assert payload_of(segment) == b"n" * size
    assert not clock or segment[5:12] == CLOCK


def test_units_are_joined_by_pid():
    """Units are told apart by PID and unit start; what comes before the first start is left."""
    segment = bytearray(
        packet(b"tail", 0)
        + packet(b"a" * 184, 1, start=True)
        + packet(b"b", 2)
        + packet(b"", 2)
        + packet(b"c", 3, start=True)
    )
    units = payload_units(segment)[PID]

    assert [unit.payload(segment) for unit in units] == [b"a" * 184 + b"b", b"c"]


@pytest.mark.parametrize(
    ("segment", "reason"),
    [
        (b"", "no MPEG transport stream"),
        (packet(b"a", 0)[:-1], "no MPEG transport stream"),
        (packet(b"a", 0) + b"\x46" + packet(b"b", 1)[1:], "no MPEG transport stream"),
        (packet(b"a", 0, start=True) + packet(b"b", 2), "missing"),
        (packet(b"a", 0, start=True) * 2 + packet(b"b", 0), "come twice"),
        (b"\x47\x41\x01\x30\xb8" + bytes(183), "no room"),
    ],
    ids=["empty", "cut", "out of step", "lost packet", "repeated packet", "field too long"],
)
def test_broken_packets(segment, reason):
    """Packets that are damaged, lost or repeated are an error."""
    with pytest.raises(DecryptionError, match=reason):
        payload_units(bytearray(segment))


def test_a_payload_with_less_than_a_byte_for_each_packet():
    """What does not fill all packets cannot go back."""
    segment = bytearray(packet(b"a", 0, start=True) + packet(b"b", 1))
    (unit,) = payload_units(segment)[PID]

    with pytest.raises(DecryptionError, match="too short"):
        refill(segment, unit, b"x")
