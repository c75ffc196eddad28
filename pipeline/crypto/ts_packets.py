"""MPEG-TS packets (ISO/IEC 13818-1 section 2.4.3): payload units out of a segment, and back in.

A unit is what begins at a packet with payload_unit_start_indicator: a PES packet, or sections of
a table. A unit may go back shorter than it came out: it keeps its packets, with their continuity
counters and clock references, and the adaptation field takes up the room. Nothing is ever longer.
"""

from dataclasses import dataclass, field
from itertools import count

from pipeline.errors import DecryptionError

PACKET = 188
_SYNC = 0x47
_HEADER = 4
_STUFFING = b"\xff"


@dataclass(slots=True)
class Unit:
    """One payload unit: the places of its pieces in the segment, each the end of a packet."""

    places: list[slice] = field(default_factory=list)
    continuity_counter: int = 0  # of its last packet

    def payload(self, segment: bytearray) -> bytes:
        """The unit's bytes, joined."""
        return b"".join([segment[place] for place in self.places])


def payload_units(segment: bytearray) -> dict[int, list[Unit]]:
    """The units of each PID, in order. What comes before a PID's first unit start is left out."""
    _check_sync(segment)
    found: dict[int, list[Unit]] = {}
    headers = zip(segment[1::PACKET], segment[2::PACKET], segment[3::PACKET], strict=True)
    for head, (flags, low, control) in zip(count(0, PACKET), headers, strict=False):
        if not control & 0x10:
            continue  # no payload
        units = found.setdefault((flags & 0x1F) << 8 | low, [])
        if flags & 0x40:
            units.append(Unit())
        elif not units:
            continue
        else:
            _check_continuity(units[-1], control)
        start = head + (_field_end(segment, head) if control & 0x20 else _HEADER)
        units[-1].places.append(slice(start, head + PACKET))
        units[-1].continuity_counter = control & 0x0F
    return found


def refill(segment: bytearray, unit: Unit, payload: bytes) -> None:
    """Put `payload`, as long as the unit's or shorter, into the packets of `unit`."""
    position = 0
    for behind, place in enumerate(unit.places, 1 - len(unit.places)):
        # Every packet behind this one keeps a byte: a packet without payload would not count.
        room = place.stop - place.start
        size = min(room, len(payload) - position + behind)
        if size < 1:
            raise DecryptionError("The segment's packets are too short for what they carry")
        if size < room:
            _stuff(segment, place.start, room - size)
        segment[place.stop - size : place.stop] = payload[position : position + size]
        position += size


def _stuff(segment: bytearray, start: int, size: int) -> None:
    """Let the adaptation field of the packet whose payload begins at `start` grow by `size`."""
    head = start // PACKET * PACKET
    length = start - head - _HEADER - 1 + size  # of the field without its length byte
    segment[start : start + size] = _STUFFING * size
    segment[head + 3] |= 0x20
    segment[head + _HEADER] = length
    if length and start - head <= _HEADER + 1:  # the field had no flags yet
        segment[head + _HEADER + 1] = 0


def _field_end(segment: bytearray, head: int) -> int:
    """Where the adaptation field ends, counted from the packet's beginning at `head`."""
    size = _HEADER + 1 + segment[head + _HEADER]
    if size >= PACKET:
        raise DecryptionError(f"The transport packet at byte {head} has no room for its payload")
    return size


def _check_sync(segment: bytearray) -> None:
    packets = segment[::PACKET]
    if not segment or len(segment) % PACKET or packets.count(_SYNC) != len(packets):
        raise DecryptionError("The segment is no MPEG transport stream of whole packets")


def _check_continuity(unit: Unit, control: int) -> None:
    """What has holes or repetitions cannot be decrypted: later bytes depend on earlier ones."""
    if control & 0x0F != (unit.continuity_counter + 1) & 0x0F:
        raise DecryptionError("Packets are missing from the segment, or come twice")
