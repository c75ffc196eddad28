"""Sample encryption in whatever container a segment turns out to be: one way in for callers."""

from pipeline.crypto.cbc import check_key
from pipeline.crypto.cenc import decrypt_fmp4_segment
from pipeline.crypto.cenc_tracks import Tracks
from pipeline.crypto.sample_aes import decrypt_packed_audio, decrypt_ts_segment
from pipeline.crypto.sniff import looks_like_media
from pipeline.errors import DecryptionError

_HEAD = 400  # two transport packets, and a bit


def decrypt_samples(segment: bytes, key: bytes, iv: bytes, tracks: Tracks | None) -> bytes:
    """A segment under METHOD=SAMPLE-AES or SAMPLE-AES-CTR, decrypted.

    `tracks` come from the segment's initialization section, and only fMP4 has one. The
    initialization vector is not for fMP4, which carries its own.
    """
    check_key(key, "SAMPLE-AES")
    match looks_like_media(segment[:_HEAD]):
        case "MPEG-TS":
            return decrypt_ts_segment(segment, key, iv)
        case "fMP4" if tracks is not None:
            return decrypt_fmp4_segment(segment, key, tracks)
        case "fMP4":
            raise DecryptionError("The segment needs an initialization section to be decrypted")
        case "AAC" | "AC-3" | "E-AC-3" | "ID3 tag":
            return decrypt_packed_audio(segment, key, iv)
        case other:
            raise DecryptionError(f"Sample encryption does not exist for {other or 'these bytes'}")
