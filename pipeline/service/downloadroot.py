"""The download root: the one directory below which jobs write.

Names come from clients. What they lead to is looked at when a job is submitted, and again when it
begins, since somebody may have put a symbolic link there in the meantime.
"""

import errno
import os
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import StorageError
from pipeline.service.refusals import UnacceptableError
from pipeline.units import printable

#: Bytes of one part of a path, with room for ".part.journal" on every common file system.
_LONGEST_PART = 240

#: Parts of one path: a bound, and far more than anybody needs.
_DEEPEST = 16

#: What belongs to downloads that are not finished.
_OURS = (".part", ".part.journal")


@dataclass(frozen=True, slots=True)
class DownloadRoot:
    """A directory that is there, by its real path."""

    path: Path

    @classmethod
    def at(cls, path: Path) -> "DownloadRoot":
        """The root at `path`, which is made if it is missing. Raises StorageError."""
        try:
            path.mkdir(parents=True, exist_ok=True)
            return cls(path.resolve(strict=True))
        except OSError as error:
            raise StorageError(
                f"The download root {path} cannot be used: {error.strerror}"
            ) from error

    def output(self, wanted: str) -> str:
        """The absolute path of the output that a client calls `wanted`.

        Raises UnacceptableError for what is not, or would lead, below the root.
        """
        parts = wanted.split("/")
        if len(parts) > _DEEPEST or not all(map(_is_plain, parts)):
            raise UnacceptableError(
                f'The output "{printable(wanted, 100)}" is no path below the download root: it'
                " must be relative, its parts without a dot in front, and of printable characters"
            )
        if parts[-1].endswith(_OURS):
            raise UnacceptableError("The output must not end in .part or .part.journal")
        path = self.path.joinpath(*parts)
        self.check(str(path))
        return str(path)

    def check(self, output: str) -> None:
        """Refuse an output that is not below the root, or that symbolic links lead out of it.

        The first happens to jobs that were queued under another root. Raises UnacceptableError.
        """
        path = Path(output)
        where = f"{printable(output, 200)} is not below the download root {self.path}"
        if not path.is_relative_to(self.path):
            raise UnacceptableError(f"{where}: it was queued under another one")
        if _is_circle(path.parent) or path.is_symlink() or not self._holds(path.parent):
            raise UnacceptableError(f"{where}: a symbolic link leads out of it")

    def _holds(self, directory: Path) -> bool:
        return directory.resolve().is_relative_to(self.path)

    def make_directory(self, output: str) -> None:
        """Make the directory that `output` goes to, if it is missing.

        Raises UnacceptableError or StorageError.
        """
        self.check(output)
        try:
            Path(output).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(
                f"The directory of {output} cannot be made: {error.strerror}"
            ) from error
        self.check(output)

    def shown(self, output: str) -> str:
        """`output` as clients name it: relative to the root."""
        return os.path.relpath(output, self.path)


def _is_circle(path: Path) -> bool:
    """Whether symbolic links lead back to themselves."""
    try:
        path.stat()
    except OSError as error:
        return error.errno == errno.ELOOP
    return False


def _is_plain(part: str) -> bool:
    """Whether `part` may be a name in a path: neither empty, hidden, "..", nor unprintable."""
    return (
        bool(part)
        and not part.startswith(".")
        and printable(part, len(part)) == part
        and len(part.encode(errors="replace")) <= _LONGEST_PART
    )
