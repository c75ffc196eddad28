"""Keys and initialization vectors as a user gives them: hexadecimal, base64, or a file.

A file holds the bytes themselves, or text in one of the spellings. What is refused is never
quoted: it may be a key with a slip in it.
"""

import base64
import binascii
import os
import re
from collections.abc import Callable, Collection

from pipeline.cli.values import Text

_HEX = re.compile(r"(?:0[xX])?([0-9a-fA-F]+)")

#: AES-128 and AES-256.
_KEY_SIZES = (16, 32)
_IV_SIZES = (16,)

#: Bytes of a file that are read: more than any spelling takes.
_MOST = 1024

_Reader = Callable[[str], bytes | None]


def parse_key(text: str) -> bytes:
    """The 16 or 32 bytes of a key. Raises ValueError."""
    return _parse(text, _written_key, _KEY_SIZES, "a key has 16 or 32 bytes")


def parse_iv(text: str) -> bytes:
    """The 16 bytes of an initialization vector; fewer digits count from the right.

    Raises ValueError.
    """
    return _parse(text, _written_iv, _IV_SIZES, "an initialization vector has 16 bytes")


def _parse(text: str, written: _Reader, sizes: Collection[int], rule: str) -> bytes:
    value = written(text.strip())
    if value is None:
        content = _content(text, rule)
        # Text goes first: hardly a key consists of digits by chance.
        value = written(content.decode("ascii", "replace").strip())
        value = content if value is None and len(content) in sizes else value
    if value is None:
        raise ValueError(f"the file holds something else: {rule}")
    return value


def _written_key(text: str) -> bytes | None:
    for value in (_from_hex(text), _from_base64(text)):
        if value is not None and len(value) in _KEY_SIZES:
            return value
    return None


def _written_iv(text: str) -> bytes | None:
    match = _HEX.fullmatch(text)
    if match is not None and len(match[1]) <= 32:
        return int(match[1], 16).to_bytes(16, "big")
    value = _from_base64(text)
    return value if value is not None and len(value) in _IV_SIZES else None


def _from_hex(text: str) -> bytes | None:
    match = _HEX.fullmatch(text)
    return bytes.fromhex(match[1]) if match is not None and len(match[1]) % 2 == 0 else None


def _from_base64(text: str) -> bytes | None:
    """Both alphabets. Padding is wanted: without it, many a file name would be base64."""
    try:
        return base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        return None


def _content(path: str, rule: str) -> bytes:
    # Not pathlib: its Path of "" is a directory, and it raises where a name is too long for one.
    if not os.path.exists(path):  # noqa: PTH110
        raise ValueError(_neither(path, rule))
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            return file.read(_MOST)
    except OSError as error:
        raise ValueError(f"the file cannot be read: {error.strerror}") from error


def _neither(text: str, rule: str) -> str:
    match = _HEX.fullmatch(text.strip())
    if match is not None:
        return f"{rule}, two hexadecimal digits each, and this has {len(match[1])} digits"
    return f"{rule}, in hexadecimal or base64, and this is neither that nor a file"


KEY = Text("KEY", parse_key)
IV = Text("IV", parse_iv)
