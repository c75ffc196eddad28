"""Payload bytes kept in memory: a pool of slabs that goes back to the system when it is emptied.

Covers the memory mode only. Anonymous maps and not `bytes` objects, because the switch to disk is
to give memory back: a map goes back as a whole, freed objects may stay with the allocator.
"""

import mmap

from pipeline.units import MIB

#: One map. Small enough that the switch to disk gives memory back as it goes, large enough that
#: 50 MB need thirteen maps and not two hundred.
SLAB_BYTES = 4 * MIB


class _Slab:
    """One anonymous map, filled from its start.

    It goes back to the system with the last reference to it. Closing it by hand would raise as
    long as any slice of a piece is alive, in the frames of an exception under way, say.
    """

    def __init__(self) -> None:
        self.view = memoryview(mmap.mmap(-1, SLAB_BYTES))
        self.used = 0


class MemoryPiece:
    """A run of stored bytes. `release` it exactly once."""

    __slots__ = ("view",)

    def __init__(self, view: memoryview) -> None:
        self.view = view  # of a slab, which it keeps alive

    def release(self) -> None:
        """Give the memory back: with the last piece of a slab, the slab."""
        self.view.release()


class MemoryPool:
    """Takes copies of bytes; the memory in use is the sum of the pieces, up to one slab."""

    def __init__(self) -> None:
        self._current: _Slab | None = None

    def store(self, payload: memoryview) -> list[MemoryPiece]:
        """Copy `payload` in, as one piece or, across the end of a slab, several.

        Raises OSError when the system has no memory left; nothing of `payload` is kept then.
        """
        pieces = []
        while payload:
            slab = self._roomy()
            size = min(len(payload), SLAB_BYTES - slab.used)
            view = slab.view[slab.used : slab.used + size]
            view[:] = payload[:size]
            slab.used += size
            pieces.append(MemoryPiece(view))
            payload = payload[size:]
        return pieces

    def _roomy(self) -> _Slab:
        if self._current is None or self._current.used == SLAB_BYTES:
            self._current = _Slab()
        return self._current
