"""The spool: files with jobs that somebody moves into a directory.

`*.url` has a URL a line, `*.jsonl` a JSON object a line. A file is taken when it is there under its
name, so it is to be written elsewhere and renamed in. All of its jobs are taken, or none: it moves
to `done/`, or to `failed/` with its reason beside it. Covers reading and moving; what a job may ask
for is `intake`'s business.
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from pipeline.errors import HlspipeError
from pipeline.jobs.strictjson import read_json
from pipeline.service.refusals import UnacceptableError
from pipeline.store.files import storage_error
from pipeline.units import MIB, format_mb

#: Bytes of one file: ten thousand jobs with a token each.
_MOST_BYTES = 16 * MIB

_ENDINGS = (".url", ".jsonl")


class Spool:
    """One directory."""

    def __init__(self, directory: Path) -> None:
        """Make it, if it is not there. Raises StorageError."""
        self._directory = directory
        try:
            for folder in (directory, directory / "done", directory / "failed"):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise storage_error("make the spool", directory, error) from error

    def waiting(self) -> Iterator[Path]:
        """Files that are to be taken, in the order of their names. Raises StorageError."""
        try:
            names = sorted(path for path in self._directory.iterdir() if path.suffix in _ENDINGS)
        except OSError as error:
            raise storage_error("read the spool", self._directory, error) from error
        yield from (path for path in names if path.is_file() and not path.is_symlink())

    def taken(self, path: Path) -> None:
        """Its jobs are in the queue."""
        self._move(path, "done")

    def refused(self, path: Path, error: HlspipeError) -> None:
        """Its jobs are not, because of `error`."""
        reason = self._directory / "failed" / f"{path.name}.reason"
        with suppress(OSError):  # the file itself says as much by its place
            reason.write_text(f"{error.message}\n")
        self._move(path, "failed")

    def _move(self, path: Path, folder: str) -> None:
        """Out of the way. Raises StorageError: what stays would be taken again and again."""
        try:
            path.replace(self._directory / folder / path.name)
        except OSError as error:
            raise storage_error("move", path, error) from error


def read_entries(path: Path) -> list[object]:
    """The jobs in a file, as they are written there. Raises HlspipeError."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise UnacceptableError(f"It is larger than {format_mb(_MOST_BYTES)}")
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnacceptableError("It is no text in UTF-8") from error
    except OSError as error:
        raise storage_error("read", path, error) from error
    lines = [line.strip() for line in text.splitlines()]
    found = [line for line in lines if line and not line.startswith("#")]
    if not found:
        raise UnacceptableError("There is no job in it")
    if path.suffix == ".url":
        return [{"url": line} for line in found]
    return [_object(number, line) for number, line in enumerate(found, start=1)]


def _object(number: int, line: str) -> object:
    try:
        return read_json(line)
    except (ValueError, RecursionError) as error:
        raise UnacceptableError(f"Job {number} is no JSON") from error
