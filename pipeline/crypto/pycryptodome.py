"""AES through pycryptodome, which is always there.

Imported by `ciphers` only when it is chosen: the import takes 35 ms (20 of them in pycparser,
which pycryptodome uses through cffi where that is installed; nothing public is cheaper).
"""

import Crypto
from Crypto.Cipher import AES

from pipeline.crypto.blocks import check_whole_blocks
from pipeline.crypto.ciphers import CbcDecryptor


class _Cbc:
    def __init__(self, key: bytes, iv: bytes) -> None:
        self._cipher = AES.new(key, AES.MODE_CBC, iv=iv)

    def decrypt(self, view: memoryview) -> None:
        """Replace the ciphertext in `view` by its plaintext."""
        check_whole_blocks(view)
        self._cipher.decrypt(view, output=view)


def cbc(key: bytes, iv: bytes) -> CbcDecryptor:
    """A decryptor for one CBC message."""
    return _Cbc(key, iv)


def ctr(key: bytes, counter: bytes, data: bytes) -> bytes:
    """`data` encrypted or decrypted (the same thing) from this 16-byte counter block on."""
    return bytes(AES.new(key, AES.MODE_CTR, nonce=b"", initial_value=counter).decrypt(data))


def name() -> str:
    """The library with its version."""
    return "pycryptodome " + ".".join(str(part) for part in Crypto.version_info if part != "")
