"""Payload bytes kept in memory: a pool of slabs that goes back to the system when it is emptied.

Covers the memory mode only. Anonymous maps instead of `bytes` objects: 50 MB of them came back
to the system in full when released, where the allocator kept up to a third.
"""

import mmap

from pipeline.units import MIB

#: One map. Small enough that the switch to disk gives memory back as it goes, large enough that
#: 50 MB need thirteen maps and not two hundred.
SLAB_BYTES = 4 * MIB


class _Slab:
    """One anonymous map, filled from its start, closed when all its pieces are released."""

    def __init__(self) -> None:
        self.map = mmap.mmap(-1, SLAB_BYTES)
        self.used = 0
        self.pieces = 0

    def close_if_empty(self) -> None:
        if self.pieces == 0:
            self.map.close()


class MemoryPiece:
    """A run of stored bytes. `release` it exactly once."""

    __slots__ = ("_slab", "_view")

    def __init__(self, slab: _Slab, view: memoryview) -> None:
        self._slab = slab
        self._view = view

    @property
    def view(self) -> memoryview:
        """The bytes, without a copy."""
        return self._view

    def release(self) -> None:
        """Give the memory back."""
        self._view.release()
        self._slab.pieces -= 1
        self._slab.close_if_empty()


class MemoryPool:
    """Takes copies of bytes; the memory in use is the sum of the pieces, up to one slab."""

    def __init__(self) -> None:
        self._current: _Slab | None = None

    def store(self, payload: memoryview) -> list[MemoryPiece]:
        """Copy `payload` in, as one piece or, across the end of a slab, several."""
        pieces = []
        while payload:
            slab = self._roomy()
            size = min(len(payload), SLAB_BYTES - slab.used)
            view = memoryview(slab.map)[slab.used : slab.used + size]
            view[:] = payload[:size]
            slab.used += size
            slab.pieces += 1
            pieces.append(MemoryPiece(slab, view))
            payload = payload[size:]
        return pieces

    def _roomy(self) -> _Slab:
        if self._current is None or self._current.used == SLAB_BYTES or self._current.map.closed:
            self._current = _Slab()
        return self._current
