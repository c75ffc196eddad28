"""Sample encryption of H.264: NAL units in byte-stream form (ISO/IEC 14496-10 Annex B).

NAL units of types 1 and 5 longer than 48 bytes are encrypted: 32 bytes are clear, then one block
in ten is encrypted, and the last byte never is. The unit is encrypted as it stands, emulation
prevention included, and then gets emulation prevention again, which has to go first here.
"""

import re
from itertools import pairwise

from pipeline.crypto.pattern import decrypt_pattern

_START_CODE = re.compile(rb"\x00\x00\x01")
_PREVENTED = re.compile(rb"\x00\x00\x03")
_ENCRYPTED_TYPES = (1, 5)
_LONGEST_CLEAR = 48
_LEADER = 32


def decrypt_nal_units(stream: bytes, key: bytes, iv: bytes) -> tuple[bytes, list[int]]:
    """The decrypted stream, and the places in `stream` whose bytes it no longer has."""
    starts = [match.end() for match in _START_CODE.finditer(stream)]
    pieces: list[bytes] = []
    removed: list[int] = []
    done = 0
    for start, following in pairwise([*starts, len(stream) + 3]):
        if stream[start : start + 1] and stream[start] & 0x1F in _ENCRYPTED_TYPES:
            end = start + len(stream[start : following - 3].rstrip(b"\0"))
            if end - start > _LONGEST_CLEAR:
                # The last byte stays even if it is a 03: then it belongs to cabac_zero_words.
                removed += [m.end() - 1 for m in _PREVENTED.finditer(stream, start, end - 1)]
                pieces += [stream[done:start], _decrypt(stream[start:end], key, iv)]
                done = end
    return b"".join([*pieces, stream[done:]]), removed


def _decrypt(nal_unit: bytes, key: bytes, iv: bytes) -> bytes:
    clear = bytearray(nal_unit[:-1].replace(b"\0\0\3", b"\0\0") + nal_unit[-1:])
    decrypt_pattern(memoryview(clear)[_LEADER:-1], key, iv, crypt=1, skip=9)
    return bytes(clear)
