"""The directory for what an output is made of: `.NAME.work` beside it.

It is one run's for as long as that holds the lock of the output's `.part`. It outlives a run that
wants it kept, together with what that has noted once everything was in. Not covered: what is noted,
and what becomes of the files.
"""

import json
import os
import shutil
import stat
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from pipeline.errors import HlspipeError
from pipeline.store.files import close_quietly, is_still, remove_all, storage_error
from pipeline.store.part import journal_path, open_locked, part_path

#: Bytes of an output's name that its directory is called after: ".", ".work" and more have room.
_LONGEST_STEM = 200

_IDENTITY, _NOTE = "key", "complete.json"

#: Seconds between two tries to remove what somebody else is still removing files from.
_PAUSE = 0.05


def work_path(output: Path) -> Path:
    """The directory of `output`."""
    stem = os.fsencode(output.name)[:_LONGEST_STEM]
    return output.with_name(f".{os.fsdecode(stem)}.work")


class WorkDirectory:
    """The directory of one output, and the lock that it is held by."""

    def __init__(self, output: Path) -> None:
        """Nothing is touched yet."""
        self.path = work_path(output)
        self.part = part_path(output)  # where the output is until it is whole
        self._lock = -1

    def take(self, identity: str, *, resume: bool) -> Any:
        """Lock the output. The directory is empty then, and this is None.

        With `resume`, it has what an earlier run has kept. If that was of the same `identity`, this
        is what it has noted; of another one only what is unfinished stays, with the journal that
        says what it is of. Raises OutputBusyError, StorageError.
        """
        self._lock = _open_fresh(self.part)
        try:
            key = self._key() if resume else None
            if key is None:
                shutil.rmtree(self.path, ignore_errors=True)
                self.path.mkdir(mode=0o700)
            noted = self._noted() if key == identity else None
            if noted is None:
                self.forget_note()
            if resume and key != identity:  # without, what is in it is used up as it is read
                (self.path / _IDENTITY).write_text(identity)
        except OSError as error:
            raise storage_error("create", self.path, error) from error
        return noted

    def _key(self) -> str | None:
        """The identity of what an earlier run has kept; None if nothing is, or not by this user."""
        with suppress(OSError, ValueError):
            found = self.path.lstat()
            if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid():
                return (self.path / _IDENTITY).read_text()
        return None

    def _noted(self) -> Any:
        with suppress(OSError, ValueError):
            return json.loads((self.path / _NOTE).read_text())
        return None

    def note(self, facts: Any) -> None:
        """Everything is in, and `facts` (JSON) say what. Raises StorageError."""
        try:
            fresh = self.path / f"{_NOTE}.new"
            fresh.write_text(json.dumps(facts))
            fresh.replace(self.path / _NOTE)
        except OSError as error:
            raise storage_error("write", self.path, error) from error

    def forget_note(self) -> None:
        """Not everything is in: what is whole is fetched again, what is not is gone on with.

        Raises StorageError.
        """
        try:
            for path in self.path.iterdir():
                if path.name != _IDENTITY and not path.name.endswith((".part", ".journal")):
                    path.unlink()
        except OSError as error:
            raise storage_error("remove from", self.path, error) from error

    def close(self, *, keep: bool) -> None:
        """Let go of the output; of the directory nothing stays unless it is to be kept."""
        if self._lock < 0:  # it never was ours
            return
        if not keep:
            shutil.rmtree(self.path, ignore_errors=True)
        with suppress(OSError):
            if is_still(self.part, self._lock):  # not renamed, and no other run's by now
                self.part.unlink(missing_ok=True)
        close_quietly(self._lock)
        self._lock = -1


def _open_fresh(part: Path) -> int:
    """A locked `.part` that is a new file: an orphan may still be writing into an old one."""
    old = open_locked(part)
    with suppress(OSError):
        part.unlink()
    close_quietly(old)
    return open_locked(part)


def forget_work(output: Path, patience: float = 0.0) -> None:
    """Remove the directory of `output`, and its `.part`, unless another run is at them.

    For `patience` seconds it is tried again: processes of the run that has left them may still be
    ending.
    """
    work, part = work_path(output), part_path(output)
    deadline = time.monotonic() + patience
    while os.path.lexists(work) or os.path.lexists(part):
        with suppress(HlspipeError, OSError):
            descriptor = open_locked(part)
            shutil.rmtree(work, ignore_errors=True)
            with suppress(OSError):
                remove_all([part, journal_path(part)])
            close_quietly(descriptor)
        if time.monotonic() >= deadline:
            return
        time.sleep(_PAUSE)
