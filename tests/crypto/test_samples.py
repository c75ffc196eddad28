import pytest

from pipeline.crypto.cenc_tracks import clear_initialization_section
from pipeline.crypto.samples import decrypt_samples
from pipeline.errors import DecryptionError, KeyUnavailableError
from tests.support.cenc import Scheme, encrypt, parse, split
from tests.support.sample_aes import encrypt_adts, encrypt_ts

KEY, IV = bytes(range(16)), bytes(range(16, 32))


def test_a_transport_stream(clip):
    """A transport stream is told by its first bytes."""
    clear = clip("ts").read_bytes()
    encrypted = encrypt_ts(clear, KEY, IV)

    assert decrypt_samples(encrypted, KEY, IV, None) not in (encrypted, b"")


def test_packed_audio(clip):
    """Packed audio is told by its first bytes."""
    clear = clip("aac", video="").read_bytes()

    assert decrypt_samples(encrypt_adts(clear, KEY, IV), KEY, IV, None) == clear


def test_fmp4(clip):
    """An fMP4 segment is decrypted with what its initialization section says."""
    movie = clip("mp4", "-movflags", "frag_keyframe+empty_moov+default_base_moof").read_bytes()
    section, segment = encrypt(movie, Scheme(b"cbcs", KEY, IV, (1, 9)))
    _, tracks = clear_initialization_section(section)
    decrypted = decrypt_samples(segment, KEY, bytes(16), tracks)

    assert parse(decrypted)[1] == parse(split(movie)[1])[1]
    with pytest.raises(DecryptionError, match="initialization section"):
        decrypt_samples(segment, KEY, IV, None)


@pytest.mark.parametrize("segment", [b"WEBVTT\n\n", b"<html>", b""])
def test_what_has_no_samples(segment):
    """What sample encryption does not exist for is an error."""
    with pytest.raises(DecryptionError, match="does not exist"):
        decrypt_samples(segment, KEY, IV, None)


@pytest.mark.parametrize("length", [0, 15, 24, 32])
def test_a_key_of_the_wrong_size(length, clip):
    """Sample encryption has keys of 16 bytes, and no others."""
    with pytest.raises(KeyUnavailableError, match=f"{length} bytes"):
        decrypt_samples(clip("ts").read_bytes(), bytes(length), IV, None)
