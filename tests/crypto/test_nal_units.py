import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.crypto.nal_units import decrypt_nal_units
from tests.support.sample_aes import emulation_prevention, encrypt_h264

KEY, IV = bytes(range(16)), bytes(range(16, 32))

# Runs of zeros are what emulation prevention is about; a NAL unit never ends in one.
BYTES = st.lists(
    st.sampled_from([b"\0\0\0", b"\0\0", b"\0\0\1", b"\0\0\3", b"\3", b"\x80"])
    | st.binary(max_size=60),
    max_size=30,
).map(b"".join)
NAL_UNITS = st.tuples(st.sampled_from([0x41, 0x65, 0x06, 0x67, 0x01]), BYTES).map(
    lambda unit: bytes([unit[0]]) + emulation_prevention(unit[1] + b"\x80")
)
STREAMS = st.lists(st.tuples(st.sampled_from([b"\0\0\1", b"\0\0\0\1"]), NAL_UNITS), max_size=6).map(
    lambda units: b"".join(start + unit for start, unit in units)
)


@given(STREAMS)
def test_any_stream_comes_back(stream):
    """Whatever NAL units were encrypted, they come back byte for byte."""
    clear, _ = decrypt_nal_units(encrypt_h264(stream, KEY, IV), KEY, IV)

    assert clear == stream


@given(STREAMS)
def test_removed_bytes_are_named(stream):
    """The places of removed bytes are those that the decrypted stream lacks."""
    encrypted = encrypt_h264(stream, KEY, IV)
    clear, removed = decrypt_nal_units(encrypted, KEY, IV)

    assert removed == sorted(set(removed))
    assert len(clear) == len(encrypted) - len(removed)
    assert {encrypted[at] for at in removed} <= {3}


@pytest.mark.parametrize(
    ("header", "length", "changes"),
    [(0x65, 48, False), (0x65, 49, True), (0x41, 49, True), (0x06, 4900, False)],
    ids=["48 bytes", "49 bytes", "49 bytes of type 1", "another type"],
)
def test_what_is_encrypted(header, length, changes):
    """NAL units of types 1 and 5 are encrypted when they are longer than 48 bytes."""
    stream = b"\0\0\0\1" + bytes([header]) + b"\x80" * (length - 1)

    assert (decrypt_nal_units(stream, KEY, IV)[0] != stream) == changes


def test_leader_and_last_byte_are_clear():
    """Of a NAL unit of 49 bytes the 32 first and the last one are clear."""
    stream = b"\0\0\1" + b"\x65" + b"\x80" * 48
    clear = decrypt_nal_units(stream, KEY, IV)[0][3:]

    assert clear[:32] == stream[3:35]
    assert clear[48:] == b"\x80"


@given(st.binary(max_size=400))
def test_any_bytes_have_an_answer(stream):
    """Bytes that are no H.264 are no reason to fail, and nothing is made up."""
    clear, removed = decrypt_nal_units(stream, KEY, IV)

    assert len(clear) == len(stream) - len(removed)
