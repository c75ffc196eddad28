"""Transport streams built by hand, and read again with every field checked."""

from tests.support.sample_aes import crc

MAP_PID = 0x1000
PID = 0x101


def packet(
    payload: bytes, counter: int, *, start: bool = False, field: bytes | None = None, pid: int = PID
) -> bytes:
    """A transport packet; without a given adaptation field it is stuffed as far as needed."""
    if field is None and len(payload) < 184:
        field = b"\0".ljust(183 - len(payload), b"\xff")[: 183 - len(payload)]
    head = bytes([0x47, 0x40 * start | pid >> 8, pid & 0xFF])
    if field is None:
        return head + bytes([0x10 | counter % 16]) + payload
    control = 0x30 if payload else 0x20
    return head + bytes([control | counter % 16, len(field)]) + field + payload


def payload_of(segment: bytes, pid: int = PID) -> bytes:
    """What a receiver reads from all packets of a PID."""
    read, counter = b"", 0
    for at in range(0, len(segment), 188):
        head, rest = segment[at : at + 4], segment[at + 4 : at + 188]
        if int.from_bytes(head[1:3], "big") & 0x1FFF != pid:
            continue
        assert head[3] & 0x0F == counter % 16
        if head[3] & 0x20:
            field, rest = rest[1 : 1 + rest[0]], rest[1 + rest[0] :]
            assert not field or field[0] in (0x00, 0x10)
        assert rest
        read, counter = read + rest, counter + 1
    return read


def section(kind: int, body: bytes) -> bytes:
    """A section of a table, with its length and checksum."""
    head = bytes([kind]) + (0xB000 | len(body) + 4).to_bytes(2, "big")
    return head + body + crc(head + body).to_bytes(4, "big")


def program_map(*streams: tuple[int, int, bytes], program: bytes = b"") -> bytes:
    """A program map of (stream type, PID, descriptors), with descriptors of the program."""
    body = b"\0\1\xc1\0\0\xe1\0" + (0xF000 | len(program)).to_bytes(2, "big") + program
    for kind, pid, descriptors in streams:
        body += bytes([kind]) + (0xE000 | pid).to_bytes(2, "big")
        body += (0xF000 | len(descriptors)).to_bytes(2, "big") + descriptors
    return section(2, body)


PROGRAMS = section(0, b"\0\1\xc1\0\0" + b"\0\0\xe0\x10" + b"\0\1\xf0\0")


def tables(sections: bytes, pid: int = MAP_PID) -> bytes:
    """A program association, and a packet with these sections."""
    parts = [(0, PROGRAMS), (pid, sections)]
    return b"".join(
        packet(b"\0" + part.ljust(183, b"\xff"), 0, start=True, pid=at) for at, part in parts
    )


def pes(body: bytes, *, sized: bool) -> bytes:
    """A PES packet with a presentation time, and with a length if `sized`."""
    length = len(body) + 8 if sized else 0
    return b"\0\0\1\xe0" + length.to_bytes(2, "big") + b"\x84\x80\5\x21\0\1\0\1" + body


def stream(stream_type: int, bodies: list[bytes], *, sized: bool) -> bytes:
    """A segment with one elementary stream, in PES packets with these bodies."""
    written, counter = tables(program_map((stream_type, PID, b""))), 0
    for body in bodies:
        unit = pes(body, sized=sized)
        for at in range(0, len(unit), 184):
            written += packet(unit[at : at + 184], counter, start=at == 0)
            counter += 1
    return written


def bodies_of(segment: bytes, *, sized: bool) -> list[bytes]:
    """The bodies of a stream's PES packets, their lengths checked."""
    found = []
    for unit in payload_of(segment).split(b"\0\0\1\xe0")[1:]:
        assert int.from_bytes(unit[:2], "big") == (len(unit) - 2 if sized else 0)
        found.append(unit[10:])
    return found
