"""Common Encryption in fMP4 segments: `cbcs` (SAMPLE-AES) and `cenc` (SAMPLE-AES-CTR).

The key is given; key systems and their licences are no matter of this. A decrypted segment is as
long as before, with free space where the encryption's own boxes were.
"""

from pipeline.crypto.blocks import BLOCK
from pipeline.crypto.boxes import Box, children, descendants, rename, whole
from pipeline.crypto.cenc_fragments import Sample, samples
from pipeline.crypto.cenc_tracks import Tracks, free_groups
from pipeline.crypto.ciphers import library
from pipeline.crypto.pattern import decrypt_pattern


def decrypt_fmp4_segment(segment: bytes, key: bytes, tracks: Tracks) -> bytes:
    """The segment with the samples of all encrypted tracks decrypted."""
    clear = bytearray(segment)
    view = memoryview(clear)
    for sample in samples(segment, tracks):
        _decrypt(view, sample, key)
    for moof in descendants(clear, whole(clear), b"moof"):
        for traf in descendants(clear, moof, b"traf"):
            free_groups(clear, traf)
            _free(clear, traf, b"senc", b"saiz", b"saio")
        _free(clear, moof, b"pssh")
    _free(clear, whole(clear), b"pssh")
    return bytes(clear)


def _decrypt(view: memoryview, sample: Sample, key: bytes) -> None:
    iv = sample.iv.ljust(BLOCK, b"\0")
    protection = sample.protection
    if not protection:
        return
    if protection.scheme == "cenc":
        _decrypt_counter(view, sample.ranges, key, iv)
        return
    for start, end in sample.ranges:
        decrypt_pattern(view[start:end], key, iv, protection.crypt, protection.skip)


def _decrypt_counter(
    view: memoryview, ranges: list[tuple[int, int]], key: bytes, counter: bytes
) -> None:
    """The counter runs on from one range to the next, even in the middle of a block."""
    encrypted = b"".join([view[start:end] for start, end in ranges])
    clear = library().ctr(key, counter, encrypted)
    done = 0
    for start, end in ranges:
        view[start:end] = clear[done : done + end - start]
        done += end - start


def _free(data: bytearray, box: Box, *kinds: bytes) -> None:
    for inside in children(data, box):
        if inside.kind in kinds:
            rename(data, inside, b"free")
