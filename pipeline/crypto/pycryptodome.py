"""AES through pycryptodome, which is always there.

Imported by `ciphers` only when it is chosen: the import takes 35 ms (20 of them in pycparser,
which pycryptodome uses through cffi where that is installed; nothing public is cheaper).
"""

import threading

import Crypto
from Crypto.Cipher import AES
from Crypto.Util.strxor import strxor

from pipeline.crypto.blocks import BLOCK, check_whole_blocks
from pipeline.crypto.ciphers import CbcDecryptor

#: Bytes decrypted at a time, and held twice. CPU seconds per GB: 16 KiB 0.55, 32 KiB 0.36,
#: 64 KiB 0.23, 128 KiB 0.18.
_PIECE = 128 * 1024


class _Scratch(threading.local):
    """A buffer for each thread: a fresh one for each segment would cost more than the cipher."""

    def __init__(self) -> None:
        self.view = memoryview(bytearray(_PIECE))


_scratch = _Scratch()


class _Cbc:
    """CBC in terms of ECB: plaintext = decrypted block XOR the ciphertext block before it.

    The library's own CBC goes through its blocks one by one (1.4 s/GB); its ECB keeps eight in
    the processor's pipeline, and the XOR is one call for all of them (docs/decisions/004).
    """

    def __init__(self, key: bytes, iv: bytes) -> None:
        self._ecb = AES.new(key, AES.MODE_ECB)
        self._previous = iv  # the ciphertext block before what comes next

    def decrypt(self, view: memoryview) -> None:
        """Replace the ciphertext in `view` by its plaintext."""
        check_whole_blocks(view)
        for start in range(0, len(view), _PIECE):
            self._decrypt_piece(view[start : start + _PIECE])

    def _decrypt_piece(self, piece: memoryview) -> None:
        plain = _scratch.view[: len(piece)]
        self._ecb.decrypt(piece, output=plain)
        strxor(plain[:BLOCK], self._previous, output=plain[:BLOCK])
        if len(piece) > BLOCK:
            strxor(plain[BLOCK:], piece[:-BLOCK], output=plain[BLOCK:])
        self._previous = bytes(piece[-BLOCK:])
        piece[:] = plain


def cbc(key: bytes, iv: bytes) -> CbcDecryptor:
    """A decryptor for one CBC message."""
    return _Cbc(key, iv)


def ctr(key: bytes, counter: bytes, data: bytes) -> bytes:
    """`data` encrypted or decrypted (the same thing) from this 16-byte counter block on."""
    return bytes(AES.new(key, AES.MODE_CTR, nonce=b"", initial_value=counter).decrypt(data))


def name() -> str:
    """The library with its version."""
    return "pycryptodome " + ".".join(str(part) for part in Crypto.version_info if part != "")
