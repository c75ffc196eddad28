"""An output name from a URL: safe on every file system, whatever the server calls things.

Server data never forms a path: one path part of the URL is decoded, reduced to plain letters and
given the ending that fits. Nothing is looked up on disk here.
"""

import os
import re
from collections.abc import Collection
from itertools import count
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pipeline.hls.extensions import OUTPUT_ENDINGS
from pipeline.jobs.job import ANY_ENDING

#: Names that say nothing about the video: the folder's name says more.
_SAYS_NOTHING = {
    "", "chunklist", "hls", "index", "main", "manifest", "master", "media", "playlist",
    "prog_index", "stream",
}  # fmt: skip

_PLAYLIST_ENDINGS = (".m3u8", ".m3u")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")

#: Device names on Windows, with any ending: a file copied there must not be one.
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)

#: Bytes, well below the 255 of most file systems: `.part.journal` is still to come.
_LONGEST = 200

#: Bytes in a file name, on every common file system.
_LONGEST_NAME = 255


def output_name(url: str, extension: str) -> str:
    """A file name for what `url` leads to, ending in `extension` (".ts")."""
    try:
        path = urlsplit(url).path
    except ValueError:
        return _safe("video", extension)
    parts = [unquote(part) for part in path.split("/")]
    for part in reversed(parts[-2:]):
        stem = _stem(part)
        if stem.lower() not in _SAYS_NOTHING:
            return _safe(stem, extension)
    return _safe("video", extension)


def with_ending(output: str, extension: str) -> str:
    """`output` with `extension` where it leaves the ending open ("show.{ext}")."""
    if not output.endswith(ANY_ENDING):
        return output
    return output.removesuffix(ANY_ENDING) + extension


def clashing(output: str) -> list[str]:
    """The names that nobody else must have while `output` is to be written."""
    if output.endswith(ANY_ENDING):
        return [output, *possible(output)]
    for ending in OUTPUT_ENDINGS:
        if output.endswith(ending):
            return [output, output.removesuffix(ending) + ANY_ENDING]
    return [output]


def possible(output: str) -> list[str]:
    """What `output` may be called in the end."""
    if not output.endswith(ANY_ENDING):
        return [output]
    return [with_ending(output, ending) for ending in OUTPUT_ENDINGS]


def rendition_name(
    output: str, language: str | None, name: str | None, extension: str, taken: Collection[str]
) -> str:
    """The name of a rendition beside `output`: "video.en.m4a" for "video.mp4".

    The language says which it is, else its name; a number tells apart what is in `taken`.
    """
    stem = output[: -len(Path(output).suffix)] if Path(output).suffix else output
    word = _UNSAFE.sub("_", language or name or "").strip("._-")[:40] or "rendition"
    for number in count(1):
        ending = f".{word}{'' if number == 1 else f'-{number}'}{extension}"
        found = _shortened(stem, len(ending.encode())) + ending
        if found not in taken:
            return found
    raise AssertionError("there is always another number")


def safe_name(text: str) -> str:
    """`text` reduced to letters that are safe in a file name everywhere; it may be empty."""
    return _UNSAFE.sub("_", text).strip("._-")[:_LONGEST]


def _shortened(path: str, ending: int) -> str:
    """`path` with a last part that leaves room for `ending` bytes more."""
    folder, slash, name = path.rpartition("/")
    return folder + slash + os.fsdecode(os.fsencode(name)[: _LONGEST_NAME - ending])


def _stem(part: str) -> str:
    for ending in _PLAYLIST_ENDINGS:
        if part.lower().endswith(ending):
            part = part[: -len(ending)]
    return _UNSAFE.sub("_", part.replace("\\", "/").rpartition("/")[2]).strip("._-")


def _safe(stem: str, extension: str) -> str:
    if _RESERVED.fullmatch(stem):
        stem = f"_{stem}"
    return stem[: _LONGEST - len(extension)] + extension
