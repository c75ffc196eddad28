"""Which library does AES: OpenSSL where `cryptography` is installed, else pycryptodome."""

import os
from functools import cache
from importlib import import_module
from typing import Literal, Protocol, cast

from pipeline.errors import UsageError

Implementation = Literal["openssl", "pycryptodome"]


class CbcDecryptor(Protocol):
    """One CBC message. `decrypt` is called on its pieces in order, each a multiple of 16 bytes."""

    def decrypt(self, view: memoryview) -> None:
        """Replace the ciphertext in `view` by its plaintext, padding included."""


class Library(Protocol):
    """What `openssl` and `pycryptodome`, two modules, each offer."""

    def cbc(self, key: bytes, iv: bytes) -> CbcDecryptor:
        """A decryptor for one CBC message."""

    def ctr(self, key: bytes, counter: bytes, data: bytes) -> bytes:
        """`data` in counter mode."""

    def name(self) -> str:
        """The library with its version."""


@cache
def library(implementation: Implementation | None = None) -> Library:
    """The library of that name; without one what `HLSPIPE_CIPHER` says, else the fastest there."""
    named = implementation or os.environ.get("HLSPIPE_CIPHER")
    if not named:
        try:
            return _imported("openssl")
        except ImportError:
            return _imported("pycryptodome")
    if named not in ("openssl", "pycryptodome"):
        raise UsageError(f"HLSPIPE_CIPHER is {named!r}, which is neither openssl nor pycryptodome")
    try:
        return _imported(named)
    except ImportError as error:
        raise UsageError(f"The cipher {named} was asked for, and is not installed") from error


def _imported(name: str) -> Library:
    return cast(Library, import_module(f"pipeline.crypto.{name}"))
