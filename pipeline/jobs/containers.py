"""Which container an output is to be, told by its name, and what can make one."""

import os
import shutil
from pathlib import Path

from pipeline.errors import StorageError
from pipeline.options import FetchOptions, RemuxTool

#: Containers by the output's ending.
_CONTAINERS = {".mp4": "mp4", ".m4a": "m4a", ".mkv": "mkv"}

HOW_TO = "pip install 'hlspipe[mp4]' brings what makes MP4 files"

# Not the methods of Path: they raise for what can be no name, and that is for others to refuse.
# ruff: noqa: PTH110, PTH112, PTH113


def container_of(output: str | None, options: FetchOptions) -> str | None:
    """What `output` is to become; None if bytes are joined as they are."""
    if output is None or options.remux is RemuxTool.NONE:
        return None
    if os.path.exists(output) and not os.path.isfile(output) and not os.path.isdir(output):
        return None  # a pipe or a device: bytes leave in order
    return _CONTAINERS.get(Path(output).suffix.lower())


def find_tool(wanted: RemuxTool) -> str | None:
    """What remuxes: "pyav", or the path of an ffmpeg; None if there is nothing."""
    from importlib.util import find_spec  # noqa: PLC0415  (few are remuxed)

    if wanted in (RemuxTool.AUTO, RemuxTool.PYAV) and find_spec("av") is not None:
        return "pyav"
    return shutil.which("ffmpeg") if wanted in (RemuxTool.AUTO, RemuxTool.FFMPEG) else None


def refuse_directory(output: Path) -> None:
    """A file cannot replace a directory. Raises StorageError."""
    if os.path.isdir(output):
        raise StorageError(f"Cannot write {output}: it is a directory")
