import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.crypto.sniff import looks_like_html, looks_like_image, looks_like_media

TS = b"\x47\x40\x00\x10".ljust(188, b"\xff")

MEDIA = {
    "two packets": (TS * 2, "MPEG-TS"),
    "less than a packet": (TS[:100], "MPEG-TS"),
    "initialization section": (b"\0\0\0\x1cftypiso5", "fMP4"),
    "segment type box": (b"\0\0\0\x18stypmsdh", "fMP4"),
    "movie fragment": (b"\0\0\x02\x10moof\0\0\0\x10mfhd", "fMP4"),
    "segment index": (b"\0\0\0\x2csidx\0\0\0\0", "fMP4"),
    "event message": (b"\0\0\0\x50emsg\0\0\0\0", "fMP4"),
    "producer time": (b"\0\0\0\x20prft\0\0\0\0", "fMP4"),
    "box of 64-bit size": (b"\0\0\0\1mdat\0\0\0\0\0\0\1\0", "fMP4"),
    "WebVTT": (b"WEBVTT\n\n", "WebVTT"),
    "WebVTT with a byte order mark": (b"\xef\xbb\xbfWEBVTT - title\r\n", "WebVTT"),
    "ID3 tag": (b"ID3\x04\0\0\0\0\0\x3fPRIV", "ID3 tag"),
    "ADTS without checksum": (bytes.fromhex("fff15080 02dffc de"), "AAC"),
    "ADTS with checksum": (bytes.fromhex("fff05080 02dffc de"), "AAC"),
    "MPEG-1 layer III": (bytes.fromhex("fffb90640000"), "MP3"),
    "MPEG-2 layer III": (bytes.fromhex("fff344c40000"), "MP3"),
    "AC-3": (bytes.fromhex("0b77f05314404372"), "AC-3"),
    "E-AC-3": (bytes.fromhex("0b77017f3486ff"), "E-AC-3"),
}
OTHER = {
    "empty": b"",
    "sync byte in the first packet only": TS + b"\0" * 188,
    "box too small": b"\0\0\0\4ftypiso5",
    "unknown box": b"\0\0\0\x18zzzz\0\0\0\0",
    "a word that begins like WebVTT": b"WEBVTTX\n",
    "HTML": b"<!DOCTYPE html><html>",
    "JSON": b'{"error": "expired"}',
    "ADTS with a reserved frequency": bytes.fromhex("fff17480 02dffc"),
    "MPEG audio with a reserved bit rate": bytes.fromhex("fffbf0640000"),
}


@pytest.mark.parametrize("kind", MEDIA)
def test_media_is_recognised(kind):
    """Each thing that HLS carries is told from its first bytes."""
    head, name = MEDIA[kind]

    assert looks_like_media(head) == name


@pytest.mark.parametrize("kind", OTHER)
def test_other_bytes_are_not_media(kind):
    """What HLS does not carry is not taken for media."""
    assert looks_like_media(OTHER[kind]) is None


def test_random_bytes_are_rarely_media():
    """A wrong key whose padding is right by chance is caught nearly always."""
    source = random.Random(1)
    taken = sum(looks_like_media(source.randbytes(400)) is not None for _ in range(20_000))

    assert taken < 20_000 / 500


@given(st.binary(max_size=400))
def test_any_bytes_have_an_answer(head):
    """No bytes make the recognition fail, and what it says of them is one of the known kinds."""
    kinds = {kind for _, kind in MEDIA.values()}

    assert looks_like_media(head) in {None, *kinds}
    assert not (looks_like_html(head) and looks_like_image(head))
    looks_like_image(head)


@pytest.mark.parametrize(
    "head",
    [b"<!DOCTYPE html>", b"\n\n <html lang=en>", b"\xef\xbb\xbf<?xml version='1.0'?>", b"<BODY>"],
)
def test_a_page_is_recognised(head):
    """An error page is told as such, whatever comes before its first tag."""
    assert looks_like_html(head)


@pytest.mark.parametrize("head", [b"", TS, b"WEBVTT\n\n<b>", b"<3 this song", b"{}"])
def test_other_bytes_are_no_page(head):
    """Media and plain text are not taken for a page."""
    assert not looks_like_html(head)


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "PNG image"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "JPEG image"),
        (b"GIF89a\1\0\1\0", "GIF image"),
        (b"RIFF\x24\0\0\0WEBPVP8 ", "WebP image"),
        (b"BM\x36\0\0\0", "BMP image"),
        (b"BM\x36\0\0\0\0\0\0\0", "BMP image"),
        (b"BMW and others", None),
        (b"\0\0\1\0\1\0", "ICO image"),
        (b"\0\0\1\0sidx", None),
        (TS, None),
        (b"\0\0\0\x18ftypisom", None),
    ],
)
def test_a_picture_is_recognised(head, name):
    """A segment hidden behind a picture is told by the picture's first bytes."""
    assert looks_like_image(head) == name
