from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.crypto.cenc import decrypt_fmp4_segment
from pipeline.crypto.cenc_tracks import clear_initialization_section
from pipeline.errors import DecryptionError
from tests.crypto.conftest import ffmpeg, frame_hashes
from tests.support.cenc import Scheme, encrypt, fragment, parse, split

KEY, IV = bytes(range(16)), bytes(range(16, 32))
FRAGMENTED = ["-movflags", "frag_keyframe+empty_moov+default_base_moof"]

SCHEMES = {
    "cbcs 1:9": Scheme(b"cbcs", KEY, IV, (1, 9)),
    "cenc with 8 bytes": Scheme(b"cenc", KEY, IV[:8]),
    "cenc with 16 bytes": Scheme(b"cenc", KEY, IV),
}
# What ffmpeg 5.1 does not read: patterns whose last turn is incomplete, video without a pattern,
# sample groups, and information in another place than `senc`.
OTHERS = {
    "cbcs 2:3": Scheme(b"cbcs", KEY, IV, (2, 3)),
    "cbcs without a pattern": Scheme(b"cbcs", KEY, IV),
    "cbcs with a clear beginning": Scheme(b"cbcs", KEY, IV, (1, 9), clear_samples=3),
    "cenc with a clear beginning": Scheme(b"cenc", KEY, IV[:8], clear_samples=3),
    "cbcs without senc": Scheme(b"cbcs", KEY, IV, (1, 9), where=b"skip"),
    "cenc without senc": Scheme(b"cenc", KEY, IV[:8], where=b"skip"),
}
ALL = SCHEMES | OTHERS


@pytest.fixture(scope="module")
def clear(clip):
    """A clear fragmented movie with three fragments of video and audio."""
    return clip("mp4", "-g", "10", *FRAGMENTED)


def decrypted(section: bytes, segment: bytes) -> tuple[bytes, bytes]:
    """The initialization section and the segment, both decrypted."""
    cleared, tracks = clear_initialization_section(section)
    return cleared, decrypt_fmp4_segment(segment, KEY, tracks)


def media_data(segment: bytes) -> list[bytes]:
    """The samples of each fragment."""
    return [box.body for box in parse(segment) if box.kind == b"mdat"]


@pytest.mark.parametrize("name", ALL)
def test_samples_come_back_byte_for_byte(clear, name):
    """Each sample is what it was before encryption, in place."""
    section, segment = encrypt(clear.read_bytes(), ALL[name])
    _, plain = decrypted(section, segment)

    assert len(plain) == len(segment)
    assert media_data(plain) == media_data(split(clear.read_bytes())[1])
    assert media_data(plain) != media_data(segment)


@pytest.mark.parametrize("name", ALL)
def test_ffmpeg_decodes_the_same_frames(clear, name, tmp_path):
    """ffmpeg decodes the decrypted movie without complaint, to the frames of the clear one."""
    section, segment = encrypt(clear.read_bytes(), ALL[name])
    movie = tmp_path / "decrypted.mp4"
    movie.write_bytes(b"".join(decrypted(section, segment)))

    assert frame_hashes("-i", movie) == frame_hashes("-i", clear)


@pytest.mark.parametrize("name", SCHEMES)
def test_ffmpeg_decrypts_what_the_tests_encrypt(clip, name, tmp_path):
    """The tests' encryptor is right: ffmpeg's own decryption gives the clear frames.

    One fragment only, since ffmpeg 5.1 takes the second one's samples for the first one's.
    """
    clear = clip("mp4", *FRAGMENTED)
    movie = tmp_path / "encrypted.mp4"
    movie.write_bytes(b"".join(encrypt(clear.read_bytes(), SCHEMES[name])))

    assert frame_hashes("-decryption_key", KEY.hex(), "-i", movie) == frame_hashes("-i", clear)


@pytest.mark.parametrize("streams", [{"audio": ""}, {"video": ""}], ids=["video", "audio"])
def test_what_ffmpeg_encrypts(clip, streams, tmp_path):
    """Samples that ffmpeg encrypted come back byte for byte."""
    clear = clip("mp4", **streams)
    theirs = tmp_path / "encrypted.mp4"
    options = ["-encryption_scheme", "cenc-aes-ctr", "-encryption_key", KEY.hex()]
    ffmpeg("-i", clear, "-c", "copy", *options, "-encryption_kid", IV.hex(), theirs)
    section, segment = fragment(theirs.read_bytes())
    _, plain = decrypted(section, segment)

    assert media_data(plain) == media_data(clear.read_bytes())
    assert media_data(plain) != media_data(segment)


def test_nothing_of_encryption_is_left(clear):
    """No box speaks of encryption any more, and nothing has moved."""
    section, segment = encrypt(clear.read_bytes(), OTHERS["cenc with a clear beginning"])
    cleared, plain = decrypted(section, segment)

    assert (len(cleared), len(plain)) == (len(section), len(segment))
    for kind in (b"encv", b"enca", b"sinf", b"pssh", b"senc", b"saiz", b"saio", b"sgpd", b"sbgp"):
        assert kind not in cleared + plain


def test_a_clear_movie_stays_as_it_is(clear):
    """A track whose sample entry is a clear one is not touched."""
    section, segment = split(clear.read_bytes())

    assert decrypted(section, segment) == (section, segment)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b"cbcs", b"cens", "'cens', and not cenc or cbcs"),
        (b"tenc", b"free", "no tenc"),
        (b"frma", b"free", "no frma"),
        (b"moov", b"free", "no moov"),
        (b"\x10" + IV, b"\x07" + IV, "no usable initialization vector"),
        (b"sinf", b"free", "'none', and not"),
    ],
)
def test_sections_that_are_of_no_use(clear, old, new, reason):
    """What an initialization section lacks, or asks for in vain, is named."""
    section, _ = encrypt(clear.read_bytes(), SCHEMES["cbcs 1:9"])

    with pytest.raises(DecryptionError, match=reason):
        clear_initialization_section(section.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b"tfhd\0\2\0\x38\0\0\0\1", b"tfhd\0\2\0\x38\0\0\0\7", "no track"),
        (b"tfhd\0\2\0\x38\0\0\0\2", b"tfhd\0\0\0\x38\0\0\0\2", "relative to another"),
        (b"tfhd\0\2\0\x38\0\0\0\1", b"tfhd\0\2\0\x3a\0\0\0\1", "sample entry"),
        (b"senc", b"free", "outside|cut off"),
    ],
)
def test_segments_that_contradict_themselves(clear, old, new, reason):
    """What a fragment refers to in vain is named."""
    section, segment = encrypt(clear.read_bytes(), SCHEMES["cenc with 8 bytes"])
    changed = segment.replace(old, new).replace(b"saio", b"free")

    with pytest.raises(DecryptionError, match=reason):
        decrypted(section, changed)


@pytest.fixture(scope="module")
def small(clip):
    """A movie of a few samples."""
    return clip("mp4", *FRAGMENTED, "-t", "0.1").read_bytes()


@pytest.mark.parametrize("name", ALL)
@given(
    st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 255)), max_size=8),
    st.integers(0, 3000),
)
def test_any_damage_has_an_answer(small, name, damage, size):
    """A damaged movie is decrypted somehow or refused, and nothing else happens."""
    section, segment = encrypt(small, ALL[name])
    movie = bytearray(section + segment)
    for at, value in damage:
        movie[at % len(movie)] = value
    del movie[max(size, len(section)) :]

    with suppress(DecryptionError):
        parts = bytes(movie[: len(section)]), bytes(movie[len(section) :])
        assert sum(map(len, decrypted(*parts))) == len(movie)
