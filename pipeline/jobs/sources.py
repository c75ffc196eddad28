"""Where a playlist may come from: the web, a file on this machine, standard input."""

from pathlib import Path
from urllib.parse import urlsplit

from pipeline.errors import UsageError
from pipeline.units import public_url

#: In the place of a URL: the playlist comes on standard input.
STDIN = "-"


def is_web(source: str) -> bool:
    """Whether `source` is an http or https URL. Raises UsageError for another scheme."""
    scheme = urlsplit(source).scheme.lower()
    if scheme in ("http", "https"):
        return True
    if scheme and scheme != "file" and "://" in source:
        raise UsageError(f"{public_url(source)} is neither an http(s) URL nor a local file")
    return False


def local_url(source: str) -> str:
    """A path, or a file: URL, as an absolute file: URL."""
    if urlsplit(source).scheme.lower() == "file":
        return source
    return Path(source).absolute().as_uri()
