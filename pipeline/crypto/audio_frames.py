"""Sample encryption of AAC, AC-3 and E-AC-3: each frame on its own.

A frame's first 16 bytes are clear (behind the ADTS header with AAC), then all whole blocks are
encrypted, and the bytes that are left are clear. Each frame begins with the initialization vector.
"""

from collections.abc import Callable, Iterator

from pipeline.crypto.blocks import BLOCK
from pipeline.crypto.cbc import cbc_decryptor
from pipeline.errors import DecryptionError

_LEADER = 16
_LONGEST_HEADER = 9
# A/52 table 5.18: kbit/s for each pair of frame size codes.
_AC3_BIT_RATES = (
    *(32, 40, 48, 56, 64, 80, 96, 112, 128, 160),
    *(192, 224, 256, 320, 384, 448, 512, 576, 640),
)

# A frame's header to the sizes of its header and of the whole frame; None when it is no header.
FrameSizes = Callable[[bytes], tuple[int, int] | None]


def decrypt_frames(stream: bytes, frame_sizes: FrameSizes, key: bytes, iv: bytes) -> bytes:
    """The stream with all its frames decrypted."""
    clear = bytearray(stream)
    view = memoryview(clear)
    for start, end in _frames(stream, frame_sizes):
        size = (end - start - _LEADER) // BLOCK * BLOCK
        if size > 0:
            cbc_decryptor(key, iv).decrypt(view[start + _LEADER : start + _LEADER + size])
    return bytes(clear)


def _frames(stream: bytes, frame_sizes: FrameSizes) -> Iterator[tuple[int, int]]:
    """Where each frame's body begins, and where it ends."""
    at = 0
    while at < len(stream):
        sizes = frame_sizes(stream[at : at + _LONGEST_HEADER])
        if sizes is None:
            raise DecryptionError(f"No audio frame begins where one should, at byte {at}")
        header, frame = sizes
        if at + frame > len(stream):
            raise DecryptionError("The segment's last audio frame is cut off")
        yield at + header, at + frame
        at += frame


def adts(head: bytes) -> tuple[int, int] | None:
    """AAC: the sizes in an ADTS header (ISO/IEC 14496-3 section 1.A.2.2)."""
    if len(head) < 7 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0:
        return None
    header = 7 if head[1] & 1 else 9
    frame = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    return (header, frame) if frame >= header else None


def dolby(head: bytes) -> tuple[int, int] | None:
    """AC-3 and E-AC-3: the size of a synchronization frame; all of it counts as body (A/52)."""
    if len(head) < 6 or head[:2] != b"\x0b\x77":
        return None
    frame = _e_ac3_size(head) if head[5] >> 3 > 10 else _ac3_size(head)
    return (0, frame) if frame else None


def _e_ac3_size(head: bytes) -> int:
    return 2 * (((head[2] & 7) << 8 | head[3]) + 1)


def _ac3_size(head: bytes) -> int:
    rate, code = head[4] >> 6, head[4] & 0x3F
    if rate == 3 or code >= 2 * len(_AC3_BIT_RATES):
        return 0
    bit_rate = _AC3_BIT_RATES[code >> 1]
    words = (2 * bit_rate, 320 * bit_rate // 147 + (code & 1), 3 * bit_rate)[rate]
    return 2 * words
