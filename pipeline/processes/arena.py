"""The arena: shared memory through which segment bytes travel, cut into blocks.

Made by the supervisor before the children start and handed to them as a descriptor. It has no
name in any file system: nothing is left of it when the last process is gone, however that ends,
and a container's small /dev/shm does not matter. Who holds which block is not decided here: the
storage process lends them (`lending`).
"""

import errno
import mmap
import os
from dataclasses import dataclass

from pipeline.processes.scarcity import needed_to
from pipeline.store.files import reserve
from pipeline.units import KIB, MIB

#: One block. Smaller ones cost more calls, larger ones leave the caches. CPU seconds per GB read
#: from a socket and decrypted in place (OpenSSL, 24 blocks in turn): 16 KiB 0.31, 64 KiB 0.20,
#: 256 KiB 0.18, 1 MiB 0.21.
BLOCK_BYTES = 256 * KIB

#: The arena of all downloaders together. It is filled only where segments wait out of turn: with
#: 4 MB segments on 8 connections that is 28 MB when all are equally fast. 32 MiB in two partitions
#: still spilled 60 to 130 MB of a 500 MB video; 48 MiB spilled 2 to 49 MB, and stays below what
#: the memory mode has taken before (docs/decisions/003).
ARENA_BYTES = 48 * MIB

#: Blocks for each connection at least: two in flight (one filled, one being filled), two on the
#: way back, and four that may wait out of turn.
BLOCKS_PER_CONNECTION = 8


@dataclass(frozen=True, slots=True)
class Partitions:
    """How the arena is shared out: each downloader has `size` blocks of its own."""

    count: int
    size: int

    @classmethod
    def for_downloaders(
        cls, downloaders: int, connections: int, memory: int | None = None
    ) -> "Partitions":
        """Equal partitions for `downloaders` processes with `connections` in all.

        `memory` is what a container grants: the arena takes a quarter of it at the most.
        """
        threads = -(-connections // downloaders)
        arena = ARENA_BYTES if memory is None else min(ARENA_BYTES, memory // 4)
        share = arena // BLOCK_BYTES // downloaders
        return cls(count=downloaders, size=max(share, threads * BLOCKS_PER_CONNECTION))

    @property
    def total_bytes(self) -> int:
        """Bytes of address space; memory is used only where blocks are filled."""
        return self.count * self.size * BLOCK_BYTES

    def blocks(self, partition: int) -> range:
        """The block numbers of one partition."""
        return range(partition * self.size, (partition + 1) * self.size)

    def of(self, block: int) -> int:
        """The partition that `block` is in."""
        return block // self.size


def create_arena(size: int) -> int:
    """A descriptor of `size` bytes of shared memory without a name. Raises ScarcityError."""
    with needed_to("allocate shared memory"):
        descriptor = _memory()
        if descriptor is None:
            descriptor = _unlinked()
            reserve(descriptor, size)
        os.ftruncate(descriptor, size)  # `ulimit -f` counts this memory as a file, too
    return descriptor


def _memory() -> int | None:
    """A file in memory; None where there is no such call (macOS, old kernels, some sandboxes)."""
    if not hasattr(os, "memfd_create"):
        return None
    try:
        return os.memfd_create("hlspipe-arena", os.MFD_CLOEXEC)
    except OSError as error:
        if error.errno == errno.ENOSYS:
            return None
        raise


def _unlinked() -> int:
    import tempfile  # noqa: PLC0415  (5 ms that are seldom needed)

    descriptor, path = tempfile.mkstemp()
    os.unlink(path)  # noqa: PTH108  (mkstemp hands out a string)
    return descriptor


class Arena:
    """A process's view of the whole arena."""

    def __init__(self, descriptor: int, size: int) -> None:
        """Map the arena; the descriptor may be closed afterwards. Raises ScarcityError."""
        with needed_to("map the shared memory"):
            self._view = memoryview(mmap.mmap(descriptor, size))

    def block(self, number: int) -> memoryview:
        """The whole of a block."""
        start = number * BLOCK_BYTES
        return self._view[start : start + BLOCK_BYTES]
