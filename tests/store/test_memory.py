import gc
import weakref

from hypothesis import given
from hypothesis import strategies as st

from pipeline.store import memory
from pipeline.store.memory import SLAB_BYTES, MemoryPool


@given(st.lists(st.binary(max_size=100)))
def test_what_is_stored_is_a_copy(payloads):
    """The bytes stay what they were, whatever becomes of the block they came in."""
    pool, stored = MemoryPool(), []
    for payload in payloads:
        block = bytearray(payload)
        stored.append(pool.store(memoryview(block)))
        block[:] = bytes(len(block))

    assert [b"".join(piece.view for piece in pieces) for pieces in stored] == payloads


def test_payload_across_slabs():
    """What does not fit in one slab goes on in the next, in order."""
    pool = MemoryPool()
    payload = bytes(range(251)) * (2 * SLAB_BYTES // 251)
    pool.store(memoryview(bytes(SLAB_BYTES - 10)))
    pieces = pool.store(memoryview(payload))

    assert [len(piece.view) for piece in pieces][:2] == [10, SLAB_BYTES]
    assert b"".join(piece.view for piece in pieces) == payload


def test_full_slab_goes_with_its_last_piece(monkeypatch):
    """Memory goes back to the system when every piece of a slab is released."""
    monkeypatch.setattr(memory, "SLAB_BYTES", 10)
    maps = []

    class Watched(bytearray):
        """A buffer that can be watched; a map cannot."""

    def new_map(_, size):
        buffer = Watched(size)
        maps.append(weakref.ref(buffer))
        return buffer

    monkeypatch.setattr(memory.mmap, "mmap", new_map)
    pool = MemoryPool()
    first, second = pool.store(memoryview(b"12345")) + pool.store(memoryview(b"67890"))
    pool.store(memoryview(b"next slab"))
    first.release()
    gc.collect()
    assert maps[0]() is not None
    assert second.view == b"67890"
    second.release()
    gc.collect()

    assert maps[0]() is None
