"""Which of FFmpeg's demuxers reads a file, told from its first bytes, and nothing left to FFmpeg.

FFmpeg's own guess would also take playlists, and formats that open other files.
"""

from pathlib import Path

from pipeline.crypto.sniff import looks_like_media
from pipeline.errors import RemuxFailed

_HEAD = 4096
_MOST = 1 << 20  # bytes an initialization section has, at most
_DEMUXERS = {
    "MPEG-TS": "mpegts",
    "fMP4": "mp4",
    "AAC": "aac",
    "MP3": "mp3",
    "AC-3": "ac3",
    "E-AC-3": "eac3",
}


def demuxer(path: Path) -> str:
    """FFmpeg's name of the format. Raises RemuxFailed for anything that HLS does not carry."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
        while head[:3] == b"ID3" and len(head) >= 10:
            size = sum((byte & 0x7F) << 7 * (3 - i) for i, byte in enumerate(head[6:10]))
            file.seek(size + 10 + file.tell() - len(head))
            head = file.read(_HEAD)
    name = _DEMUXERS.get(looks_like_media(head) or "")
    if name is None:
        raise RemuxFailed("What was fetched is no MPEG-TS, MP4 or audio that could be remuxed")
    return name


def initialization_section(path: Path, offset: int = 0) -> bytes:
    """The boxes from there to the next fragment, so that a later part can be read by itself."""
    with path.open("rb") as file:
        file.seek(offset)
        data = file.read(_MOST)
    position = 0
    while data[position + 4 : position + 8] not in (b"moof", b"mdat", b"styp", b"sidx", b""):
        size = int.from_bytes(data[position : position + 4], "big")
        if size < 8:
            break
        position += size
    return data[:position]


def begins_anew(path: Path, offset: int) -> bool:
    """Does the file have an initialization section at that place?"""
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(8)[4:] in (b"ftyp", b"moov")
