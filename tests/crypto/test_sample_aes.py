from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.crypto.sample_aes import decrypt_packed_audio, decrypt_ts_segment
from pipeline.errors import DecryptionError
from tests.crypto import transport
from tests.crypto.conftest import NOISE, frame_hashes
from tests.crypto.test_audio_frames import adts_frame
from tests.crypto.test_nal_units import STREAMS
from tests.support.sample_aes import encrypt_adts, encrypt_dolby, encrypt_h264, encrypt_ts

KEY, IV = bytes(range(16)), bytes(range(16, 32))
DOLBY_FRAME = 768  # 192 kbit/s at 48 kHz

CLIPS = {
    "H.264 and AAC": {},
    "much emulation prevention": {"options": ["-coder", "0", "-qp", "0"], "video": NOISE},
    "several slices": {"options": ["-slices", "3", "-bf", "2"]},
    "AC-3": {"audio": "ac3"},
    "E-AC-3": {"audio": "eac3"},
    "audio only": {"video": ""},
}


@pytest.fixture(params=CLIPS)
def clear(request, clip):
    """A clear transport stream segment."""
    options = dict(CLIPS[request.param])
    return clip("ts", *options.pop("options", []), **options)


def test_ffmpeg_decodes_the_same_frames(clear, tmp_path):
    """ffmpeg decodes the decrypted segment without complaint, to the frames of the clear one."""
    encrypted = encrypt_ts(clear.read_bytes(), KEY, IV, DOLBY_FRAME)
    decrypted = tmp_path / "decrypted.ts"
    decrypted.write_bytes(decrypt_ts_segment(encrypted, KEY, IV))

    assert encrypted != clear.read_bytes()
    assert frame_hashes("-i", decrypted) == frame_hashes("-i", clear)


def test_packets_come_back_byte_for_byte(clear, tmp_path):
    """The decrypted segment's elementary streams have the same packets at the same times."""
    encrypted = encrypt_ts(clear.read_bytes(), KEY, IV, DOLBY_FRAME)
    decrypted = tmp_path / "decrypted.ts"
    decrypted.write_bytes(decrypt_ts_segment(encrypted, KEY, IV))

    assert frame_hashes("-i", decrypted, "-c", "copy") == frame_hashes("-i", clear, "-c", "copy")


def test_ffmpeg_decrypts_what_the_tests_encrypt(clear, tmp_path):
    """The tests' encryptor is right: ffmpeg's own decryption gives the clear frames.

    The last frames are left out, since ffmpeg 5.1 forgets the key at the end of a playlist.
    """
    (tmp_path / "key").write_bytes(KEY)
    (tmp_path / "0.ts").write_bytes(encrypt_ts(clear.read_bytes(), KEY, IV, DOLBY_FRAME))
    playlist = tmp_path / "media.m3u8"
    playlist.write_text(
        "#EXTM3U\n#EXT-X-VERSION:5\n#EXT-X-TARGETDURATION:1\n"
        f'#EXT-X-KEY:METHOD=SAMPLE-AES,URI="key",IV=0x{IV.hex()}\n'
        "#EXTINF:1,\n0.ts\n#EXT-X-ENDLIST\n"
    )
    source = ["-allowed_extensions", "ALL", "-i", playlist]
    theirs = frame_hashes(*source, "-t", "0.8", level="quiet")

    assert without_times(theirs) == without_times(frame_hashes("-i", clear, "-t", "0.8"))


def without_times(hashes: str) -> list[str]:
    """The hashes alone: the HLS demuxer begins a stream of audio at another time."""
    return [line.rpartition(",")[2] for line in hashes.splitlines() if line[0] != "#"]


def test_a_clear_segment_stays_as_it_is(clip):
    """Streams that the program map does not mark as encrypted are not touched."""
    clear = clip("ts").read_bytes()

    assert decrypt_ts_segment(clear, KEY, IV) == clear


@pytest.mark.parametrize(
    ("ending", "codec", "encrypt"),
    [
        ("aac", "aac", encrypt_adts),
        ("ac3", "ac3", lambda *arguments: encrypt_dolby(*arguments, DOLBY_FRAME)),
        ("eac3", "eac3", lambda *arguments: encrypt_dolby(*arguments, DOLBY_FRAME)),
    ],
)
@pytest.mark.parametrize("tags", [b"", b"ID3\4\0\0\0\0\0\3abc" * 2, b"ID3\4\0\x10\0\0\1\0" * 1])
def test_packed_audio(clip, ending, codec, encrypt, tags):
    """Packed audio comes back byte for byte, its ID3 tags untouched."""
    clear = clip(ending, video="", audio=codec).read_bytes()
    if tags[5:6] == b"\x10":  # a tag with a footer
        tags += bytes(128) + b"3DI" + tags[3:]

    assert decrypt_packed_audio(tags + encrypt(clear, KEY, IV), KEY, IV) == tags + clear


@given(st.lists(st.binary(max_size=300), max_size=10), st.lists(st.integers(0, 900), max_size=4))
def test_audio_frames_that_straddle_packets(bodies, cuts):
    """An audio frame that one PES packet begins and the next one ends is still one frame."""
    clear = b"".join(map(adts_frame, bodies))
    encrypted = encrypt_adts(clear, KEY, IV)
    segment = transport.stream(0xCF, pieces(encrypted, cuts), sized=True)

    assert decrypt_ts_segment(segment, KEY, IV) == transport.stream(
        0x0F, pieces(clear, cuts), sized=True
    )


@given(STREAMS, st.lists(st.integers(0, 900), max_size=4), st.booleans())
def test_nal_units_that_straddle_packets(clear, cuts, sized):
    """PES packets keep their lengths right when bytes vanish, wherever a NAL unit is cut."""
    encrypted = encrypt_h264(clear, KEY, IV)
    segment = transport.stream(0xDB, pieces(encrypted, cuts), sized=sized)
    decrypted = decrypt_ts_segment(segment, KEY, IV)
    bodies = transport.bodies_of(decrypted, sized=sized)

    assert len(decrypted) == len(segment)
    assert b"".join(bodies) == clear


def pieces(stream: bytes, cuts: list[int]) -> list[bytes]:
    """The stream, cut at these places."""
    places = [0, *sorted(cuts), len(stream)]
    return [stream[start:end] for start, end in pairwise(places)]


def test_packed_audio_of_another_kind():
    """What sample encryption does not know is an error."""
    with pytest.raises(DecryptionError, match="no packed audio"):
        decrypt_packed_audio(b"ID3\4\0\0\0\0\0\0" + b"\xff\xfb\x90\x64" * 100, KEY, IV)


NAL_UNIT = b"\0\0\0\1\x65" + b"\0\0\3\1abc" * 60 + b"\x80"
DOLBY = bytes.fromhex("0b7700000040").ljust(128, b"x")
SEGMENTS = {
    "H.264": transport.stream(0xDB, [encrypt_h264(NAL_UNIT, KEY, IV)] * 3, sized=True),
    "AAC": transport.stream(0xCF, [encrypt_adts(adts_frame(b"x" * 300), KEY, IV)] * 3, sized=True),
    "AC-3": transport.stream(0xC1, [encrypt_dolby(DOLBY * 4, KEY, IV, 128)] * 3, sized=False),
}


@pytest.mark.parametrize("kind", SEGMENTS)
@given(
    st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), max_size=8),
    st.integers(0, 2000) | st.integers(0, 10).map(lambda packets: packets * 188),
)
def test_any_damage_has_an_answer(kind, damage, size):
    """A damaged segment is decrypted somehow or refused, and nothing else happens."""
    segment = bytearray(SEGMENTS[kind])
    for at, value in damage:
        segment[at % len(segment)] = value
    del segment[size or len(segment) :]

    with suppress(DecryptionError):
        assert len(decrypt_ts_segment(bytes(segment), KEY, IV)) == len(segment)


@given(st.binary(max_size=400))
def test_any_bytes_have_an_answer(segment):
    """Bytes that are no audio are refused, and nothing else happens."""
    with suppress(DecryptionError):
        assert len(decrypt_packed_audio(segment, KEY, IV)) == len(segment)


@pytest.mark.parametrize(
    "header", [b"\0\0\1\xe0\0\0\x84\x80", b"\0\0\2\xe0\0\0\x84\x80\0", b"\0\0\1\xe0\0\0\x04\x80\0"]
)
def test_pes_packets_without_a_header(header):
    """What begins a unit of an elementary stream without a PES header is an error."""
    tables = transport.tables(transport.program_map((0xDB, transport.PID, b"")))

    with pytest.raises(DecryptionError, match="PES"):
        decrypt_ts_segment(tables + transport.packet(header, 0, start=True), KEY, IV)
