"""Is there room? Free space for outputs and segment files, as far as it can be known."""

from pathlib import Path

from pipeline.errors import StorageError
from pipeline.options import MergeMode
from pipeline.store.files import free_bytes, storage_error
from pipeline.store.tempdir import Place, choose_place
from pipeline.units import MIB, format_mb

#: Room for segment files while the output is written as it comes: only out-of-turn segments that
#: did not fit in the arena go there.
_STREAMING_NEED = 64 * MIB


def check_room(directory: Path, needed: int | None) -> None:
    """Refuse an output of `needed` bytes that `directory` has no room for. None: not known.

    Raises StorageError.
    """
    try:
        free = free_bytes(directory)
    except OSError as error:
        raise storage_error("examine", directory, error) from error
    if needed is not None and free < needed:
        raise StorageError(
            f"{directory} has {format_mb(free)} free and the video needs {format_mb(needed)}"
        )


def place_for(
    asked: Path | None, beside: Path | None, expected: int | None, merge: MergeMode
) -> Place:
    """Where the temp directory goes, for a video of `expected` bytes (None: not known)."""
    needed = _STREAMING_NEED
    if expected is not None:
        needed = expected if merge is MergeMode.END else min(expected, needed)
    return choose_place(asked, beside, needed)
