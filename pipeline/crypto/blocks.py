"""What every use of AES here has in common: its block, and messages made of whole blocks."""

from pipeline.errors import DecryptionError

BLOCK = 16


def check_whole_blocks(view: memoryview) -> None:
    """Refuse ciphertext that no CBC message can have: OpenSSL would hold back the odd bytes."""
    if len(view) % BLOCK:
        raise DecryptionError(f"{len(view)} bytes of ciphertext are not whole blocks of 16 bytes")
