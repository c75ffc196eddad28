"""An encryptor for SAMPLE-AES in MPEG-TS and packed audio, for tests of the decryptor.

Written from "MPEG-2 Stream Encryption Format for HTTP Live Streaming", sharing no code with
`pipeline`, and packet by packet rather than in strides. It takes what ffmpeg's mpegts muxer
writes: one program, a program map in one packet, whole frames in each PES packet.
"""

from Crypto.Cipher import AES

PACKET = 188
DESCRIPTORS = {
    0x1B: (0xDB, b"zavc", b""),
    0x0F: (0xCF, b"aacd", b"zaac"),
    0x81: (0xC1, b"ac3d", b"zac3"),
    0x87: (0xC2, b"ec3d", b"zec3"),
}


def encrypt_ts(segment: bytes, key: bytes, iv: bytes, dolby_frame: int = 0) -> bytes:
    """The segment with all streams of known types encrypted; `dolby_frame` is a frame's size."""
    packets = [segment[at : at + PACKET] for at in range(0, len(segment), PACKET)]
    map_pid = next(int.from_bytes(p[15:17], "big") & 0x1FFF for p in packets if _pid(p) == 0)
    program_map = next(packet for packet in packets if _pid(packet) == map_pid)
    streams, encrypted_map = _encrypt_program_map(program_map)
    written = [[packet] for packet in packets]
    for pid, stream_type in streams.items():
        places = [i for i, packet in enumerate(packets) if _pid(packet) == pid and _body(packet)]
        for unit in _units(packets, places):
            pes = b"".join(_body(packets[i]) for i in unit)
            changed = _encrypt_pes(pes, stream_type, key, iv, dolby_frame)
            _write(packets, written, unit, changed)
        _count(written, pid)
    for i, packet in enumerate(packets):
        if _pid(packet) == map_pid:
            written[i] = [packet[:4] + encrypted_map]
    return b"".join(packet for group in written for packet in group)


def encrypt_nal_unit(unit: bytes, key: bytes, iv: bytes) -> bytes:
    """A NAL unit of type 1 or 5 without its start code."""
    if len(unit) <= 48:
        return unit
    cipher = AES.new(key, AES.MODE_CBC, iv=iv)
    changed, at = unit[:32], 32
    while at < len(unit):
        if len(unit) - at > 16:
            changed += cipher.encrypt(unit[at : at + 16])
            at += 16
        changed += unit[at : at + 144]
        at += 144
    return emulation_prevention(changed)


def emulation_prevention(unit: bytes) -> bytes:
    """The NAL unit with 03 wherever two zeros come before 00, 01, 02 or 03."""
    written = bytearray()
    zeros = 0
    for byte in unit:
        if zeros >= 2 and byte <= 3:
            written.append(3)
            zeros = 0
        written.append(byte)
        zeros = zeros + 1 if byte == 0 else 0
    return bytes(written)


def encrypt_frame(frame: bytes, header: int, key: bytes, iv: bytes) -> bytes:
    """An audio frame whose header takes `header` bytes (0 where it counts as body)."""
    clear = header + 16
    end = len(frame) - (len(frame) - clear) % 16
    if end <= clear:
        return frame
    cipher = AES.new(key, AES.MODE_CBC, iv=iv)
    return frame[:clear] + cipher.encrypt(frame[clear:end]) + frame[end:]


def encrypt_adts(stream: bytes, key: bytes, iv: bytes) -> bytes:
    """AAC frames with ADTS headers."""
    written, at = b"", 0
    while at < len(stream):
        assert stream[at] == 0xFF
        size = int.from_bytes(stream[at + 3 : at + 6], "big") >> 5 & 0x1FFF
        header = 7 if stream[at + 1] % 2 else 9
        written += encrypt_frame(stream[at : at + size], header, key, iv)
        at += size
    return written


def encrypt_dolby(stream: bytes, key: bytes, iv: bytes, size: int) -> bytes:
    """AC-3 or E-AC-3 frames that are all of one size."""
    frames = [stream[at : at + size] for at in range(0, len(stream), size)]
    assert all(frame[:2] == b"\x0b\x77" for frame in frames)
    return b"".join(encrypt_frame(frame, 0, key, iv) for frame in frames)


def encrypt_h264(stream: bytes, key: bytes, iv: bytes) -> bytes:
    """NAL units in byte-stream form."""
    before, *units = stream.split(b"\0\0\1")
    written = before
    for unit in units:
        body = unit.rstrip(b"\0")
        zeros = unit[len(body) :]
        if body[0] % 32 in (1, 5):
            body = encrypt_nal_unit(body, key, iv)
        written += b"\0\0\1" + body + zeros
    return written


def crc(data: bytes) -> int:
    """CRC-32/MPEG-2, bit by bit."""
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte << 24
        for _ in range(8):
            value = (value << 1 ^ 0x04C11DB7 if value >> 31 else value << 1) & 0xFFFFFFFF
    return value


def _encrypt_pes(pes: bytes, stream_type: int, key: bytes, iv: bytes, dolby_frame: int) -> bytes:
    size = 9 + pes[8]
    header, body = pes[:size], pes[size:]
    if stream_type == 0x1B:
        changed = encrypt_h264(body, key, iv)
    elif stream_type == 0x0F:
        changed = encrypt_adts(body, key, iv)
    else:
        changed = encrypt_dolby(body, key, iv, dolby_frame)
    length = int.from_bytes(header[4:6], "big")
    if length:
        length += len(changed) - len(body)
    return header[:4] + length.to_bytes(2, "big") + header[6:] + changed


def _encrypt_program_map(packet: bytes) -> tuple[dict[int, int], bytes]:
    """PIDs with their clear stream types; what a packet of the encrypted map holds."""
    section = packet[5 + packet[4] :]
    end = 3 + (int.from_bytes(section[1:3], "big") & 0xFFF) - 4
    at = 12 + (int.from_bytes(section[10:12], "big") & 0xFFF)
    streams, changed = {}, section[:at]
    while at < end:
        kind, pid = section[at], int.from_bytes(section[at + 1 : at + 3], "big") & 0x1FFF
        size = int.from_bytes(section[at + 3 : at + 5], "big") & 0xFFF
        descriptors = section[at + 5 : at + 5 + size]
        if kind in DESCRIPTORS:
            streams[pid] = kind
            kind, indicator, audio = DESCRIPTORS[kind]
            descriptors += b"\x0f\x04" + indicator
            if audio:
                descriptors += b"\x05\x0e" + b"apad" + audio + b"\0\0\x01\x02\x12\x10"
        changed += bytes([kind]) + section[at + 1 : at + 3]
        changed += (0xF000 + len(descriptors)).to_bytes(2, "big") + descriptors
        at += 5 + size
    changed = changed[:1] + (0xB000 + len(changed) - 3 + 4).to_bytes(2, "big") + changed[3:]
    return streams, (b"\0" + changed + crc(changed).to_bytes(4, "big")).ljust(184, b"\xff")


def _pid(packet: bytes) -> int:
    return int.from_bytes(packet[1:3], "big") & 0x1FFF


def _body(packet: bytes) -> bytes:
    if not packet[3] & 0x10:
        return b""
    return packet[5 + packet[4] :] if packet[3] & 0x20 else packet[4:]


def _units(packets: list[bytes], places: list[int]) -> list[list[int]]:
    units: list[list[int]] = []
    for place in places:
        if packets[place][1] & 0x40:
            units.append([])
        units[-1].append(place)
    return units


def _write(
    packets: list[bytes], written: list[list[bytes]], unit: list[int], payload: bytes
) -> None:
    """Fill the unit's packets again, and put what is left into new ones behind the last."""
    for place in unit:
        size = len(_body(packets[place]))
        written[place] = [packets[place][: PACKET - size] + payload[:size]]
        payload = payload[size:]
    while payload:
        start = bytes([0x47, packets[unit[0]][1] & 0x1F, packets[unit[0]][2]])
        written[unit[-1]].append(start + _stuffed(payload[:184]))
        payload = payload[184:]


def _stuffed(payload: bytes) -> bytes:
    free = 184 - len(payload)
    if free == 0:
        return b"\x10" + payload
    field = bytes([free - 1]) + b"\0".ljust(free - 1, b"\xff")[: free - 1]
    return b"\x30" + field + payload


def _count(written: list[list[bytes]], pid: int) -> None:
    """Number the continuity counters of a PID anew."""
    counter = None
    for group in written:
        for i, packet in enumerate(group):
            if _pid(packet) == pid:
                if counter is None:
                    counter = packet[3] & 0x0F
                elif packet[3] & 0x10:
                    counter = (counter + 1) % 16
                group[i] = packet[:3] + bytes([packet[3] & 0xF0 | counter]) + packet[4:]
