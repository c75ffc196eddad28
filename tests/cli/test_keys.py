import base64
from pathlib import Path

import click
import pytest

from pipeline.cli.keys import IV, KEY, parse_iv, parse_key

KEY_16 = bytes.fromhex("00112233445566778899aabbccddeeff")
KEY_32 = KEY_16 + bytes.fromhex("f0e1d2c3b4a5968778695a4b3c2d1e0f")
#: Its base64 has a "+" and a "/".
KEY_BASE64 = bytes.fromhex("fbf0") + bytes(12) + bytes.fromhex("fffb")


def spellings(value: bytes) -> list[str]:
    """The ways to write `value`."""
    plain = base64.b64encode(value).decode()
    urlsafe = base64.urlsafe_b64encode(value).decode()
    return [value.hex(), f"0x{value.hex()}", f"0X{value.hex().upper()}", plain, urlsafe]


@pytest.mark.parametrize("key", [KEY_16, KEY_32, KEY_BASE64], ids=["16", "32", "base64 signs"])
def test_a_key_is_hexadecimal_or_base64(key: bytes) -> None:
    """Either case, with or without 0x, and either alphabet of base64."""
    assert {parse_key(text) for text in spellings(key)} == {key}
    assert parse_key(f" {key.hex()}\n") == key


@pytest.mark.parametrize("key", [KEY_16, KEY_32, b"\n" * 16, b"0123456789abcde\n"])
def test_a_file_may_hold_the_bytes_themselves(tmp_path: Path, key: bytes) -> None:
    """Every byte counts, also one that looks like a line end."""
    path = tmp_path / "key.bin"
    path.write_bytes(key)

    assert parse_key(str(path)) == key


@pytest.mark.parametrize("number", range(5), ids=["hex", "0x", "0X", "base64", "base64 for URLs"])
@pytest.mark.parametrize("key", [KEY_16, KEY_32], ids=["16", "32"])
def test_a_file_may_hold_text(tmp_path: Path, key: bytes, number: int) -> None:
    """What can be typed can be kept in a file, which ends with a line end or not."""
    path = tmp_path / "key.txt"
    path.write_text(spellings(key)[number] + "\n")

    assert parse_key(str(path)) == key


@pytest.mark.parametrize(
    ("text", "iv"),
    [
        ("1", 1),
        ("0x1F", 31),
        ("0" * 31 + "2", 2),
        (KEY_16.hex(), int.from_bytes(KEY_16)),
        (base64.b64encode(KEY_16).decode(), int.from_bytes(KEY_16)),
    ],
    ids=["digit", "prefix", "zeros", "all digits", "base64"],
)
def test_digits_of_an_iv_count_from_the_right(text: str, iv: int) -> None:
    """As in a playlist: 0x1 is fifteen zero bytes and a one."""
    assert parse_iv(text) == iv.to_bytes(16)


@pytest.mark.parametrize("content", [KEY_16, KEY_16.hex().encode(), b"0x1\n"])
def test_an_iv_may_be_in_a_file(tmp_path: Path, content: bytes) -> None:
    """Bytes or text, like a key."""
    path = tmp_path / "iv"
    path.write_bytes(content)

    assert parse_iv(str(path)) == (KEY_16 if len(content) > 4 else (1).to_bytes(16))


def test_a_file_is_named_like_a_key_with_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is a key by itself is not looked up; ./ in front makes it a path."""
    monkeypatch.chdir(tmp_path)
    Path(KEY_16.hex()).write_bytes(KEY_32)

    assert parse_key(KEY_16.hex()) == KEY_16
    assert parse_key(f"./{KEY_16.hex()}") == KEY_32


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "neither that nor a file"),
        ("hushhush", "neither that nor a file"),
        ("c0ffee", "and this has 6 digits"),
        (f"{KEY_16.hex()}00", "and this has 34 digits"),
        (f"0x{KEY_32.hex()}f", "and this has 65 digits"),
        (base64.b64encode(KEY_16 + b"!").decode(), "neither that nor a file"),
        ("c0ffee" * 1000, "and this has 6000 digits"),
        ("hush\0hush", "neither that nor a file"),
        (".", "the file cannot be read: Is a directory"),
    ],
    ids=[
        *("empty", "words", "few digits", "24-byte", "odd digits", "17 bytes", "endless", "NUL"),
        "folder",
    ],
)
def test_what_is_no_key_is_not_quoted(text: str, reason: str) -> None:
    """The sentence says what a key is; what was given may be one with a slip."""
    with pytest.raises(click.BadParameter) as refused:
        KEY.convert(text, None, None)

    assert reason in refused.value.message
    assert len(text) < 2 or text not in refused.value.message


@pytest.mark.parametrize("text", ["", "0x", "g", "0" * 33, base64.b64encode(KEY_32).decode()])
def test_what_is_no_iv_is_refused(text: str) -> None:
    """More than 16 bytes are none, and neither is nothing."""
    with pytest.raises(click.BadParameter, match="an initialization vector has 16 bytes"):
        IV.convert(text, None, None)


@pytest.mark.parametrize("content", [b"", b"hush", b"x" * 17, b"\xff" * 5000])
def test_a_file_with_something_else_is_refused(tmp_path: Path, content: bytes) -> None:
    """However large it is, and without a word of what is in it."""
    path = tmp_path / "key.bin"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="something else: a key has 16 or 32 bytes") as refused:
        parse_key(str(path))

    assert "hush" not in str(refused.value)
