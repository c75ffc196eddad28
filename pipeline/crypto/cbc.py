"""AES-CBC decryption of one message in place, piece by piece, and the size of a key.

CPU seconds per GB (2^30 bytes), 256 KiB at a time in a reused buffer, one core with AES-NI:

              AES-128   AES-256
OpenSSL         0.10      0.14
pycryptodome    0.19      0.22    (its own CBC mode: 1.4 and 1.6)

Both let other threads run meanwhile. Not covered: which bytes of a segment are encrypted. Whole
segments are the downloader's loop, samples are `sample_aes` and `cenc`.
"""

from pipeline.crypto.blocks import BLOCK
from pipeline.crypto.ciphers import CbcDecryptor, Implementation, library
from pipeline.crypto.sniff import looks_like_html
from pipeline.errors import DecryptionError, KeyUnavailableError

_KEY_SIZES = {"AES-128": 16, "AES-256": 32, "SAMPLE-AES": 16, "SAMPLE-AES-CTR": 16}


def cbc_decryptor(
    key: bytes, iv: bytes, implementation: Implementation | None = None
) -> CbcDecryptor:
    """A decryptor for one CBC message under a key of 16 or 32 bytes."""
    if len(key) not in _KEY_SIZES.values():
        raise KeyUnavailableError(f"An AES key of {len(key)} bytes is neither 16 nor 32 bytes long")
    if len(iv) != BLOCK:
        raise DecryptionError(f"An initialization vector of {len(iv)} bytes is not 16 bytes long")
    return library(implementation).cbc(key, iv)


def cipher_name() -> str:
    """The implementation in use with its version, for `--version`."""
    return library().name()


def unpad(last_block: bytes | memoryview) -> int:
    """How many bytes of PKCS#7 padding (1 to 16) the last plaintext block of a message ends in."""
    block = bytes(last_block)
    count = block[-1] if len(block) == BLOCK else 0
    if not 1 <= count <= BLOCK or block[-count:] != bytes([count]) * count:
        raise DecryptionError(
            "The padding is wrong after decryption: the key or the initialization vector"
            " is not the right one, or the segment is damaged"
        )
    return count


def check_key(key: bytes, method: str) -> None:
    """Refuse what cannot be a key for `method`, as EXT-X-KEY names it."""
    expected = _KEY_SIZES[method]
    if len(key) == expected:
        return
    reason = f"The key is {len(key)} bytes long, and {method} needs {expected}"
    if len(key) == expected + 1 and key.endswith(b"\n"):
        reason += ": its last byte is a newline that does not belong to it"
    elif looks_like_html(key):
        reason += ": it is a web page"
    raise KeyUnavailableError(reason)
