"""MPEG-TS packets (ISO/IEC 13818-1 section 2.4.3): payload units out of a segment, and back in.

A unit is what begins at a packet with payload_unit_start_indicator: a PES packet, or sections of
a table. A unit may go back shorter than it came out: it keeps its packets, with their continuity
counters and clock references, and the adaptation field takes up the room. Nothing is ever longer.
"""

from dataclasses import dataclass, field

from pipeline.errors import DecryptionError

PACKET = 188
_SYNC = 0x47
_HEADER = 4
_STUFFING = b"\xff"


@dataclass(slots=True)
class Unit:
    """One payload unit: where its pieces lie in the segment, each up to the end of its packet."""

    starts: list[int] = field(default_factory=list)
    continuity_counter: int = 0  # of its last packet

    def payload(self, segment: bytearray) -> bytes:
        """The unit's bytes, joined."""
        return b"".join([segment[start : _packet_end(start)] for start in self.starts])


def payload_units(segment: bytearray) -> dict[int, list[Unit]]:
    """The units of each PID, in order. What comes before a PID's first unit start is left out."""
    _check_sync(segment)
    found: dict[int, list[Unit]] = {}
    headers = zip(segment[1::PACKET], segment[2::PACKET], segment[3::PACKET], strict=True)
    for number, (flags, low, control) in enumerate(headers):
        if not control & 0x10:
            continue  # no payload
        units = found.setdefault((flags & 0x1F) << 8 | low, [])
        if flags & 0x40:
            units.append(Unit())
        elif not units:
            continue
        else:
            _check_continuity(units[-1], control)
        units[-1].starts.append(_payload_start(segment, number * PACKET, control))
        units[-1].continuity_counter = control & 0x0F
    return found


def refill(segment: bytearray, unit: Unit, payload: bytes) -> None:
    """Put `payload`, as long as the unit's or shorter, into the packets of `unit`."""
    position = 0
    for behind, start in enumerate(unit.starts, 1 - len(unit.starts)):
        # Every packet behind this one keeps a byte: a packet without payload would not count.
        size = min(_packet_end(start) - start, len(payload) - position + behind)
        if size < 1:
            raise DecryptionError("The segment's packets are too short for what they carry")
        end = _packet_end(start)
        if size < end - start:
            _stuff(segment, start, end - start - size)
        segment[end - size : end] = payload[position : position + size]
        position += size


def _stuff(segment: bytearray, start: int, count: int) -> None:
    """Let the adaptation field of the packet whose payload begins at `start` grow by `count`."""
    head = start // PACKET * PACKET
    length = start - head - _HEADER - 1 + count  # of the field without its length byte
    segment[start : start + count] = _STUFFING * count
    segment[head + 3] |= 0x20
    segment[head + _HEADER] = length
    if length and start - head <= _HEADER + 1:  # the field had no flags yet
        segment[head + _HEADER + 1] = 0


def _packet_end(start: int) -> int:
    return start - start % PACKET + PACKET


def _payload_start(segment: bytearray, head: int, control: int) -> int:
    """Where the payload begins in the packet at `head`."""
    size = _HEADER + (1 + segment[head + _HEADER] if control & 0x20 else 0)
    if size >= PACKET:
        raise DecryptionError(f"The transport packet at byte {head} has no room for its payload")
    return head + size


def _check_sync(segment: bytearray) -> None:
    packets = segment[::PACKET]
    if not segment or len(segment) % PACKET or packets.count(_SYNC) != len(packets):
        raise DecryptionError("The segment is no MPEG transport stream of whole packets")


def _check_continuity(unit: Unit, control: int) -> None:
    """What has holes or repetitions cannot be decrypted: later bytes depend on earlier ones."""
    if control & 0x0F != (unit.continuity_counter + 1) & 0x0F:
        raise DecryptionError("Packets are missing from the segment, or come twice")
