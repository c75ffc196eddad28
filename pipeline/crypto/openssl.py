"""AES through OpenSSL, as the package `cryptography` brings it.

Imported by `ciphers` only when it is chosen: the import takes 12 ms, and may fail.
"""

import cryptography
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from pipeline.crypto.blocks import BLOCK, check_whole_blocks
from pipeline.crypto.ciphers import CbcDecryptor


class _Cbc:
    def __init__(self, key: bytes, iv: bytes) -> None:
        self._context = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
        self._last = memoryview(bytearray(2 * BLOCK))

    def decrypt(self, view: memoryview) -> None:
        """Replace the ciphertext in `view` by its plaintext.

        `update_into` demands room for 15 bytes more than it will write. All blocks but one have
        that room in `view` itself; the last one takes a turn through 32 bytes of its own.
        """
        check_whole_blocks(view)
        if view:
            self._context.update_into(view[:-BLOCK], view)
            self._context.update_into(view[-BLOCK:], self._last)
            view[-BLOCK:] = self._last[:BLOCK]


def cbc(key: bytes, iv: bytes) -> CbcDecryptor:
    """A decryptor for one CBC message."""
    return _Cbc(key, iv)


def ctr(key: bytes, counter: bytes, data: bytes) -> bytes:
    """`data` encrypted or decrypted (the same thing) from this 16-byte counter block on."""
    return Cipher(algorithms.AES(key), modes.CTR(counter)).decryptor().update(data)


def name() -> str:
    """OpenSSL and its binding, each with its version."""
    # Here, because it takes 10 ms more, and only `--version` wants it.
    from cryptography.hazmat.backends.openssl import backend  # noqa: PLC0415

    openssl = " ".join(backend.openssl_version_text().split()[:2])
    return f"{openssl} (cryptography {cryptography.__version__})"
