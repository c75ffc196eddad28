"""The one output: a `.part` file that gets its name when it is whole, or a stream.

Both take bytes in order. A file also takes part of an item, because it can take it back
(`rollback`); a stream only whole items, because nothing that left can be called back. Publishing
is decided by the store, which knows whether every item is in (`segments`). What the two are is in
`file_output` and `stream_output`.
"""

import os
import stat
from pathlib import Path
from typing import Protocol

from pipeline.store.care import Care
from pipeline.store.digest import Digest
from pipeline.store.file_output import FileOutput
from pipeline.store.files import storage_error
from pipeline.store.stream_output import StreamOutput, WaitWritable


class Output(Protocol):
    """Where the merged bytes go."""

    #: Whether part of an item may be written before the rest is there.
    takes_partial: bool
    #: Whether items are wanted as their turn comes, and not all at the end.
    in_turn: bool
    committed: int  # bytes of whole items
    digest: Digest
    resumed: int  # items that were there already
    notice: str | None  # what of an earlier run was left out, and why

    @property
    def examines(self) -> bool:
        """Whether `write` looks at the bytes itself, and does not only pass them on."""
        ...

    def offset_of(self, item: int) -> int:
        """Where an item begins that was there already."""
        ...

    def write(self, data: memoryview) -> None: ...
    def commit(self, index: int) -> None: ...
    def rollback(self) -> None: ...
    def reserve(self, size: int) -> None: ...
    def settle(self) -> None: ...
    def publish(self) -> None: ...
    def unpublish(self) -> None: ...
    def close(self) -> None: ...
    def discard(self) -> None: ...


def open_output(path: Path, care: Care, wait_writable: WaitWritable) -> Output:
    """The output at `path`: a file that is published, or what is a device or a pipe already.

    Renaming a file over /dev/null would replace the device. Raises HlspipeError.
    """
    try:
        mode = path.stat().st_mode
    except OSError:
        return FileOutput(path, care)
    if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
        return FileOutput(path, care)
    try:
        # Not waiting for the reader of a pipe: without one this is an error (ENXIO).
        descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise storage_error("write", path, error) from error
    return StreamOutput(descriptor, wait_writable, care)
