import pytest
from Crypto.Cipher import AES
from hypothesis import given
from hypothesis import strategies as st

from pipeline.crypto.pattern import decrypt_pattern

KEY, IV = bytes(range(16)), bytes(range(16, 32))


def encrypted(clear: bytes, crypt: int, skip: int) -> bytes:
    """Block by block: what the pattern says of it."""
    cipher = AES.new(KEY, AES.MODE_CBC, iv=IV)
    written = b""
    for at in range(0, len(clear), 16):
        block = clear[at : at + 16]
        chosen = not skip or not crypt or at // 16 % (crypt + skip) < crypt
        written += cipher.encrypt(block) if chosen and len(block) == 16 else block
    return written


@given(st.binary(max_size=1000), st.integers(0, 15), st.integers(0, 15))
def test_any_pattern_is_undone(clear, crypt, skip):
    """Decryption finds the encrypted blocks of any pattern, in a range of any length."""
    message = bytearray(encrypted(clear, crypt, skip))
    decrypt_pattern(memoryview(message), KEY, IV, crypt, skip)

    assert message == clear


@pytest.mark.parametrize(
    ("length", "changed"),
    [(15, []), (16, [0]), (159, [0]), (160, [0]), (175, [0]), (176, [0, 160])],
)
def test_one_block_in_ten(length, changed):
    """With 1:9 the first block of every ten is encrypted, if it is whole."""
    message = bytearray(length)
    decrypt_pattern(memoryview(message), KEY, IV, 1, 9)

    assert [at for at in range(0, length, 16) if any(message[at : at + 16])] == changed
