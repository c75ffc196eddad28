"""Which of FFmpeg's demuxers reads a file, told from its first bytes, and nothing left to FFmpeg.

FFmpeg's own guess would also take playlists, and formats that open other files.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pipeline.crypto.sniff import looks_like_media
from pipeline.errors import RemuxFailed

_HEAD = 4096
_MOST = 1 << 20  # bytes an initialization section has, at most
_BEGINS = (b"ftyp", b"moov")  # boxes that begin an initialization section
_FRAGMENT = (b"styp", b"sidx", b"prft", b"emsg", b"moof", b"mdat")  # and what ends it
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


@dataclass(frozen=True)
class Section:
    """An initialization section: where it begins in the file, and its bytes."""

    offset: int
    content: bytes


def sections(path: Path) -> list[Section]:
    """The initialization sections of a fragmented MP4 file, as far as its boxes can be followed."""
    found, begin, has_movie = [], None, False
    with path.open("rb") as file:
        for place, name in _boxes(file):
            if name in _BEGINS:
                begin = place if begin is None else begin
                has_movie = has_movie or name == b"moov"
            elif name in _FRAGMENT and begin is not None:
                if has_movie:  # else it is a media segment that begins with its own file type
                    file.seek(begin)
                    found.append(Section(begin, file.read(min(place - begin, _MOST))))
                begin, has_movie = None, False
    return found


def _boxes(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Place and name of each box on the outermost level (ISO/IEC 14496-12 section 4.2)."""
    place = 0
    while True:
        file.seek(place)
        head = file.read(16)
        size, name = int.from_bytes(head[:4], "big"), head[4:8]
        if size == 1:
            size = int.from_bytes(head[8:16], "big")
        if len(head) < 8 or size < 8:
            return
        yield place, name
        place += size
