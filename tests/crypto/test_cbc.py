import sys

import pytest
from Crypto.Cipher import AES
from hypothesis import given
from hypothesis import strategies as st

from pipeline.crypto.cbc import cbc_decryptor, check_key, cipher_name, unpad
from pipeline.crypto.ciphers import Implementation, library
from pipeline.errors import DecryptionError, KeyUnavailableError, UsageError

IMPLEMENTATIONS: tuple[Implementation, ...] = ("openssl", "pycryptodome")

# NIST SP 800-38A, appendix F.2: CBC.
IV = bytes.fromhex("000102030405060708090a0b0c0d0e0f")
PLAINTEXT = bytes.fromhex(
    "6bc1bee22e409f96e93d7e117393172a"
    "ae2d8a571e03ac9c9eb76fac45af8e51"
    "30c81c46a35ce411e5fbc1191a0a52ef"
    "f69f2445df4f9b17ad2b417be66c3710"
)
NIST = {
    "F.2.2 CBC-AES128": (
        bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c"),
        bytes.fromhex(
            "7649abac8119b246cee98e9b12e9197d"
            "5086cb9b507219ee95db113a917678b2"
            "73bed6b8e3c1743b7116e69e22229516"
            "3ff1caa1681fac09120eca307586e1a7"
        ),
    ),
    "F.2.6 CBC-AES256": (
        bytes.fromhex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4"),
        bytes.fromhex(
            "f58c4c04d6e5f1ba779eabfb5f7bfbd6"
            "9cfc4e967edb808d679f777bc6702c7d"
            "39f23369a9d9bacfa530e26304231461"
            "b2eb05e2c39be9fcda6c19078c6a9d1b"
        ),
    ),
}


@pytest.fixture(params=IMPLEMENTATIONS)
def implementation(request) -> Implementation:
    return request.param


def decrypted(
    ciphertext: bytes, key: bytes, iv: bytes, sizes: list[int], implementation: Implementation
) -> bytes:
    """`ciphertext` decrypted in place in pieces of these sizes, the last one taking the rest."""
    message = memoryview(bytearray(ciphertext))
    decryptor = cbc_decryptor(key, iv, implementation)
    start = 0
    for size in [*sizes, len(message)]:
        decryptor.decrypt(message[start : start + size])
        start += size
    return bytes(message)


@pytest.mark.parametrize("vector", NIST)
@pytest.mark.parametrize("sizes", [[], [16], [32], [16, 16, 16]], ids=str)
def test_nist_vectors(vector, sizes, implementation):
    """The vectors of NIST SP 800-38A come out right, whole and in pieces."""
    key, ciphertext = NIST[vector]

    assert decrypted(ciphertext, key, IV, sizes, implementation) == PLAINTEXT


@given(
    blocks=st.lists(st.binary(min_size=16, max_size=16), max_size=40).map(b"".join),
    key=st.binary(min_size=16, max_size=16) | st.binary(min_size=32, max_size=32),
    iv=st.binary(min_size=16, max_size=16),
    pieces=st.lists(st.integers(0, 8).map(lambda count: 16 * count), max_size=8),
)
@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_any_pieces_give_back_what_was_encrypted(implementation, blocks, key, iv, pieces):
    """Decryption undoes encryption, in whatever pieces the message arrives."""
    ciphertext = AES.new(key, AES.MODE_CBC, iv=iv).encrypt(blocks)

    assert decrypted(ciphertext, key, iv, pieces, implementation) == blocks


def test_the_bytes_around_a_piece_stay_as_they_are(implementation):
    """Decrypting in the middle of a buffer touches nothing before it and nothing behind it."""
    key, ciphertext = NIST["F.2.2 CBC-AES128"]
    buffer = bytearray(b"before" + ciphertext + b"behind, for more than a block")

    cbc_decryptor(key, IV, implementation).decrypt(memoryview(buffer)[6:70])

    assert buffer == b"before" + PLAINTEXT + b"behind, for more than a block"


@pytest.mark.parametrize("length", [1, 15, 17, 4095])
def test_a_piece_that_is_not_whole_blocks(length, implementation):
    """Ciphertext that is not whole blocks is an error that says how long it is."""
    decryptor = cbc_decryptor(bytes(16), bytes(16), implementation)

    with pytest.raises(DecryptionError, match=f"{length} bytes .* not whole blocks"):
        decryptor.decrypt(memoryview(bytearray(length)))


@pytest.mark.parametrize("length", [0, 9, 15, 17, 24, 33])
def test_a_key_that_no_cipher_takes(length):
    """A key of another size than 16 or 32 bytes is refused before anything is decrypted."""
    with pytest.raises(KeyUnavailableError, match=f"{length} bytes"):
        cbc_decryptor(bytes(length), bytes(16))


def test_an_initialization_vector_of_the_wrong_size():
    """An initialization vector that is not one block is refused."""
    with pytest.raises(DecryptionError, match="8 bytes"):
        cbc_decryptor(bytes(16), bytes(8))


@pytest.mark.parametrize("count", range(1, 17))
def test_padding_is_counted(count):
    """PKCS#7 padding of 1 to 16 bytes is recognised."""
    block = bytes(16 - count) + bytes([count]) * count

    assert unpad(block) == count
    assert unpad(memoryview(block)) == count


@pytest.mark.parametrize(
    "block",
    [bytes(16), bytes(15) + b"\x11", bytes(14) + b"\x01\x02", b"", b"\x01" * 15, b"\x01" * 17],
    ids=["zero", "seventeen", "bytes that differ", "empty", "short block", "long block"],
)
def test_wrong_padding(block):
    """What is no PKCS#7 padding is an error."""
    with pytest.raises(DecryptionError, match="padding"):
        unpad(block)


@pytest.mark.parametrize(
    ("method", "size"),
    [("AES-128", 16), ("AES-256", 32), ("SAMPLE-AES", 16), ("SAMPLE-AES-CTR", 16)],
)
def test_a_key_of_the_right_size(method, size):
    """Each method takes the key size that it names."""
    check_key(bytes(size), method)


@pytest.mark.parametrize("size", [0, 9, 15, 17, 32, 4096])
def test_a_key_of_the_wrong_size(size):
    """A key of another size is refused with both sizes, and its bytes are not shown."""
    with pytest.raises(KeyUnavailableError, match=rf"{size} bytes .* AES-128 needs 16$") as caught:
        check_key(b"K" * size, "AES-128")

    assert "KK" not in str(caught.value)


def test_a_key_with_a_trailing_newline():
    """A seventeenth byte that is a newline is named as such."""
    with pytest.raises(KeyUnavailableError, match="newline"):
        check_key(bytes(16) + b"\n", "AES-128")


def test_a_page_in_a_keys_place():
    """A web page is named as such, and not shown."""
    with pytest.raises(KeyUnavailableError, match=r"^The key is 24 bytes .* web page$"):
        check_key(b"<html>Please log in!\r\n\r\n", "AES-128")


@pytest.fixture
def choice_forgotten():
    """The chosen library is looked up anew in the test, and again after it."""
    library.cache_clear()
    yield
    library.cache_clear()


@pytest.mark.parametrize(
    ("value", "name"),
    [("", "OpenSSL "), ("openssl", "OpenSSL "), ("pycryptodome", "pycryptodome ")],
)
def test_the_environment_chooses(monkeypatch, choice_forgotten, value, name):
    """HLSPIPE_CIPHER chooses the library; without it OpenSSL is taken where it is installed."""
    monkeypatch.setenv("HLSPIPE_CIPHER", value)

    assert cipher_name().startswith(name)


def test_a_cipher_that_does_not_exist(monkeypatch, choice_forgotten):
    """HLSPIPE_CIPHER with another value is a mistake in the command."""
    monkeypatch.setenv("HLSPIPE_CIPHER", "rot13")

    with pytest.raises(UsageError, match="rot13"):
        cipher_name()


@pytest.fixture
def without_openssl(monkeypatch, choice_forgotten):
    """The package `cryptography` cannot be imported."""
    monkeypatch.setitem(sys.modules, "pipeline.crypto.openssl", None)


def test_pycryptodome_when_openssl_is_missing(monkeypatch, without_openssl):
    """Without `cryptography` pycryptodome does the work."""
    monkeypatch.delenv("HLSPIPE_CIPHER", raising=False)

    assert cipher_name().startswith("pycryptodome ")


def test_openssl_demanded_and_missing(monkeypatch, without_openssl):
    """Demanding OpenSSL where it is missing is an error, not a silent second choice."""
    monkeypatch.setenv("HLSPIPE_CIPHER", "openssl")

    with pytest.raises(UsageError, match="not installed"):
        cipher_name()


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
def test_counter_mode(implementation):
    """The vector of NIST SP 800-38A for counter mode comes out right, in part and in whole."""
    key = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
    counter = bytes.fromhex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff")
    ciphertext = bytes.fromhex("874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff")

    assert library(implementation).ctr(key, counter, ciphertext) == PLAINTEXT[:32]
    assert library(implementation).ctr(key, counter, ciphertext[:21]) == PLAINTEXT[:21]
