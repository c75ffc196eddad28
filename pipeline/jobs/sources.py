"""Where a playlist may come from: the web, a file on this machine, standard input."""

import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pipeline.errors import StorageError, UsageError
from pipeline.units import MIB, printable, public_url

#: In the place of a URL: the playlist comes on standard input.
STDIN = "-"

#: The largest playlist that is read; 200,000 segments fit.
PLAYLIST_CAP = 16 * MIB


def is_web(source: str) -> bool:
    """Whether `source` is an http or https URL. Raises UsageError for what is no source."""
    try:
        scheme = urlsplit(source).scheme.lower()
    except ValueError as error:
        raise UsageError(f"{printable(source, 100)} is no valid URL") from error
    if not source or "\0" in source:
        raise UsageError("The playlist has no name")
    if scheme in ("http", "https"):
        return True
    if scheme and scheme != "file" and "://" in source:
        raise UsageError(f"{public_url(source)} is neither an http(s) URL nor a local file")
    return False


def local_path(source: str) -> str:
    """The path that a local source stands for."""
    parts = urlsplit(source)
    return unquote(parts.path) if parts.scheme.lower() == "file" else source


def local_url(source: str) -> str:
    """A path, or a file: URL, as an absolute file: URL."""
    if urlsplit(source).scheme.lower() == "file":
        return source
    return Path(source).absolute().as_uri()


def read_here(source: str, cap: int) -> bytes:
    """The playlist in a local file or on standard input, up to one byte more than `cap`.

    Raises UsageError or StorageError.
    """
    if source != STDIN:
        return _read_file(local_path(source), cap)
    if sys.stdin is None:
        raise UsageError("The playlist is to come on standard input, which is closed")
    try:
        return sys.stdin.buffer.read(cap + 1)
    except OSError as error:  # it is a directory, say
        raise StorageError(f"Cannot read standard input: {error.strerror}") from error


def _read_file(path: str, cap: int) -> bytes:
    try:
        with Path(path).open("rb") as file:
            return file.read(cap + 1)
    except OSError as error:
        raise StorageError(f"Cannot read {printable(path)}: {error.strerror}") from error


def may_be_local(source: str, base_url: str | None) -> bool:
    """Whether the playlist may name files on this machine.

    One that is such a file may, unless it is seen from the web; one from the web never. What comes
    on standard input may have come from anywhere: it is trusted only if the user says where on
    this machine it belongs.
    """
    if base_url is not None:
        return not is_web(source) and not is_web(base_url)
    return source != STDIN and not is_web(source)
