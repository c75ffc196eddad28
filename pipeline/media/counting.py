"""How many units (PES packets and tables) begin in an MPEG-TS file: counted, not parsed.

ISO/IEC 13818-1 section 2.4.3.2: each transport packet begins with 0x47, and the second highest bit
of its second byte says that a unit begins in it. To look at two bytes in 188 takes 0.15 s for a GB;
to have FFmpeg read all packets takes six times that.
"""

from pathlib import Path

_PACKET, _SYNC = 188, 0x47
_BEGINS = bytes(bool(byte & 0x40) for byte in range(256))
_PIECE = 8192 * _PACKET


def unit_starts(path: Path, end: int | None = None) -> int | None:
    """Units that begin before byte `end`; None for what is not packet behind packet throughout."""
    count = place = 0
    buffer = bytearray(_PIECE)
    view = memoryview(buffer)
    with path.open("rb", buffering=0) as file:
        while size := file.readinto(view):
            if end is not None:
                size = min(size, end - place)
            syncs = buffer[0:size:_PACKET]
            if place % _PACKET or syncs.count(_SYNC) != len(syncs):
                return None
            count += buffer[1:size:_PACKET].translate(_BEGINS).count(1)
            place += size
            if place == end:
                break
    return count
