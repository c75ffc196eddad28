import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.crypto.audio_frames import adts, decrypt_frames, dolby
from pipeline.errors import DecryptionError
from tests.support.sample_aes import encrypt_frame

KEY, IV = bytes(range(16)), bytes(range(16, 32))


def adts_frame(body: bytes, *, checksum: bool = False) -> bytes:
    """An ADTS frame with this body."""
    size = len(body) + (9 if checksum else 7)
    fields = 0x5 << 36 | 0x4 << 26 | size << 13 | 0x1FFC
    return (
        bytes([0xFF, 0xF0 if checksum else 0xF1])
        + fields.to_bytes(5, "big")
        + (b"\xab\xcd" if checksum else b"")
        + body
    )


@given(st.lists(st.tuples(st.binary(max_size=100), st.booleans()), max_size=8))
def test_aac_frames_come_back(frames):
    """AAC frames of any size, with and without a checksum, come back byte for byte."""
    clear = [adts_frame(body, checksum=checksum) for body, checksum in frames]
    encrypted = [
        encrypt_frame(frame, 9 if checksum else 7, KEY, IV)
        for frame, (_, checksum) in zip(clear, frames, strict=True)
    ]

    assert decrypt_frames(b"".join(encrypted), adts, KEY, IV) == b"".join(clear)


# Headers and sizes from A/52 table 5.18 and section E2.3.1.
DOLBY = {
    "32 kbit/s at 48 kHz": ("0b7700000040", 128),
    "640 kbit/s at 48 kHz": ("0b7700002440", 2560),
    "192 kbit/s at 44.1 kHz": ("0b7700005440", 834),
    "192 kbit/s at 44.1 kHz, padded": ("0b7700005540", 836),
    "448 kbit/s at 32 kHz": ("0b7700009e40", 2688),
    "E-AC-3 of 384 words": ("0b77017f3f80", 768),
}


@pytest.mark.parametrize("kind", DOLBY)
def test_dolby_frame_sizes(kind):
    """The size of an AC-3 or E-AC-3 frame is read from its header."""
    header, size = DOLBY[kind]

    assert dolby(bytes.fromhex(header)) == (0, size)


@pytest.mark.parametrize("kind", DOLBY)
def test_dolby_frames_come_back(kind):
    """AC-3 and E-AC-3 frames come back byte for byte."""
    header, size = DOLBY[kind]
    frame = bytes.fromhex(header).ljust(size, b"\x5a")
    encrypted = encrypt_frame(frame, 0, KEY, IV)

    assert encrypted != frame
    assert decrypt_frames(encrypted * 3, dolby, KEY, IV) == frame * 3


@pytest.mark.parametrize(
    ("header", "sizes"),
    [
        ("0b770000c040", dolby),
        ("0b7700002640", dolby),
        ("0b7800000040", dolby),
        ("fff15080001ffc", adts),
        ("fff550800fffc0", adts),
    ],
    ids=["reserved rate", "reserved size", "no sync", "frame shorter than its header", "layer"],
)
def test_what_is_no_header(header, sizes):
    """A header with a reserved value, or without its sync bits, is none."""
    assert sizes(bytes.fromhex(header)) is None


@pytest.mark.parametrize(
    ("stream", "reason"),
    [
        (adts_frame(b"x" * 40)[:-1], "cut off"),
        (adts_frame(b"x" * 40) + b"\0", "byte 47"),
        (b"ID3", "byte 0"),
    ],
    ids=["last byte missing", "a byte too much", "something else"],
)
def test_a_stream_that_is_not_whole_frames(stream, reason):
    """A stream that is not frame behind frame is an error, since its rest cannot be decrypted."""
    with pytest.raises(DecryptionError, match=reason):
        decrypt_frames(stream, adts, KEY, IV)
