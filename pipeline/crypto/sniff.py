"""What a segment is, told from its first bytes.

A wrong key leaves correct padding once in 256 times, and a server may answer 200 with an error
page or hide a segment behind a picture: all three show in the first bytes. Knows what HLS carries
(RFC 8216 section 3 and packed AC-3), and not whether the rest is any good.
"""

import re
from collections.abc import Callable

# Boxes that a segment or an initialization section may begin with (ISO/IEC 14496-12).
_BOXES = frozenset(
    b"ftyp styp moof moov sidx ssix emsg prft mdat free skip wide uuid pssh pdin".split()
)
_TS_PACKET = 188
_MARKUP = re.compile(rb"\s*(?:<!doctype|<!--|<html|<head|<body|<\?xml|<script)", re.IGNORECASE)
_IMAGES = {
    b"\x89PNG\r\n\x1a\n": "PNG image",
    b"\xff\xd8\xff": "JPEG image",
    b"GIF87a": "GIF image",
    b"GIF89a": "GIF image",
}


def looks_like_media(head: bytes) -> str | None:
    """What media `head` (16 bytes or more) begins, or None. A few hundred bytes tell best."""
    return next((name for name, begins in _MEDIA.items() if begins(head)), None)


def looks_like_html(head: bytes) -> bool:
    """Is this the beginning of a page for a browser?"""
    return _MARKUP.match(head.removeprefix(b"\xef\xbb\xbf")) is not None


def looks_like_text(head: bytes) -> bool:
    """Is this something to read, and no subtitles? A single character is nothing to go by."""
    try:
        text = head.decode()
    except UnicodeDecodeError as error:
        cut = error.end == len(head) and error.reason == "unexpected end of data"
        text = head[: error.start].decode() if cut else ""
    shown = all(character.isprintable() or character.isspace() for character in text)
    return len(text) > 1 and shown and not _web_vtt(head)


def looks_like_image(head: bytes) -> str | None:
    """What kind of picture `head` begins, or None."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WebP image"
    if head[:2] == b"BM" and not any(head[6:10]):
        return "BMP image"
    if head[:4] == b"\0\0\1\0" and head[5:6] == b"\0":  # a box of 256 bytes has a letter there
        return "ICO image"
    return next((name for magic, name in _IMAGES.items() if head.startswith(magic)), None)


def _transport_stream(head: bytes) -> bool:
    return head[:1] == b"\x47" and head[_TS_PACKET : _TS_PACKET + 1] in (b"\x47", b"")


def _fragmented_mp4(head: bytes) -> bool:
    size = int.from_bytes(head[:4], "big")
    return head[4:8] in _BOXES and (size in (0, 1) or size >= 8)


def _web_vtt(head: bytes) -> bool:
    text = head.removeprefix(b"\xef\xbb\xbf")
    return text[:6] == b"WEBVTT" and text[6:7] in (b"", b" ", b"\t", b"\r", b"\n")


def _id3_tag(head: bytes) -> bool:
    return head[:3] == b"ID3" and len(head) >= 10 and all(byte < 0x80 for byte in head[6:10])


def _adts(head: bytes) -> bool:
    """12 bits of sync, layer 0, and a sampling frequency and a frame length that can be."""
    return (
        len(head) >= 6
        and head[0] == 0xFF
        and head[1] & 0xF6 == 0xF0
        and (head[2] >> 2) & 0xF < 13
        and ((head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5) > 7
    )


def _mpeg_audio(head: bytes) -> bool:
    """11 bits of sync, and no field with its reserved value (layer 0 is where ADTS is)."""
    return (
        len(head) >= 4
        and head[0] == 0xFF
        and head[1] & 0xE0 == 0xE0
        and head[1] & 0x18 != 0x08
        and head[1] & 0x06 != 0x00
        and head[2] & 0xF0 not in (0x00, 0xF0)
        and head[2] & 0x0C != 0x0C
    )


def _dolby(head: bytes, lowest: int, highest: int) -> bool:
    return head[:2] == b"\x0b\x77" and len(head) >= 6 and lowest <= head[5] >> 3 <= highest


_MEDIA: dict[str, Callable[[bytes], bool]] = {
    "MPEG-TS": _transport_stream,
    "fMP4": _fragmented_mp4,
    "WebVTT": _web_vtt,
    "ID3 tag": _id3_tag,
    "AAC": _adts,
    "MP3": _mpeg_audio,
    "AC-3": lambda head: _dolby(head, 0, 8),
    "E-AC-3": lambda head: _dolby(head, 11, 16),
}
