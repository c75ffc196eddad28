"""What a run may leave behind: processes, temp directories, `.part` files, shared memory.

A `Snapshot` taken before and one taken after tell what is new. Processes are those with a
workspace's marker; files are those below given roots; shared memory and semaphores are the whole
machine's, so that anything of the kind that runs beside the tests must be told apart by name.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.support import proc

TEMP_DIRECTORY = "m3u8-segments-*"
PARTIAL = ("*.part", "*.part.*")
_SHARED = (Path("/dev/shm"), Path("/dev/mqueue"))
#: What multiprocessing makes in the temp folder (forkserver's sockets, for one).
_MULTIPROCESSING = "pymp-*"


def _below(roots: Iterable[Path], *patterns: str) -> frozenset[str]:
    found: set[str] = set()
    for root in roots:
        for pattern in patterns:
            found |= {str(path) for path in root.rglob(pattern)}
    return frozenset(found)


def _entries(directories: Iterable[Path]) -> frozenset[str]:
    return frozenset(
        entry.path for place in directories if place.is_dir() for entry in os.scandir(place)
    )


@dataclass(frozen=True)
class Snapshot:
    """What is there now."""

    processes: frozenset[str]
    temp_directories: frozenset[str]
    partial_files: frozenset[str]
    shared_memory: frozenset[str]

    @classmethod
    def take(cls, marker: str, roots: Iterable[Path]) -> Self:
        """Look at the marker's processes and at the files below `roots`."""
        places = list(roots)
        return cls(
            processes=frozenset(
                f"{pid} {proc.state(pid)} {proc.command_line(pid)}" for pid in proc.marked(marker)
            ),
            temp_directories=_below(places, TEMP_DIRECTORY, _MULTIPROCESSING),
            partial_files=_below(places, *PARTIAL),
            shared_memory=_entries(_SHARED),
        )

    def since(self, before: "Snapshot") -> list[str]:
        """What is here and was not there, one line each."""
        pairs = (
            ("process", self.processes - before.processes),
            ("temp directory", self.temp_directories - before.temp_directories),
            ("partial file", self.partial_files - before.partial_files),
            ("shared memory", self.shared_memory - before.shared_memory),
        )
        return [f"{kind}: {name}" for kind, names in pairs for name in sorted(names)]


NOTHING = Snapshot(frozenset(), frozenset(), frozenset(), frozenset())


@dataclass(frozen=True)
class Descriptors:
    """Open descriptors of this process, by number and target (for tests without a subprocess)."""

    targets: frozenset[tuple[str, str]]

    @classmethod
    def take(cls) -> Self:
        """Look at /proc/self/fd."""
        found = set()
        for entry in Path("/proc/self/fd").iterdir():
            try:
                found.add((entry.name, str(entry.readlink())))
            except OSError:  # the descriptor that lists the directory
                continue
        return cls(frozenset(found))

    def since(self, before: "Descriptors") -> list[str]:
        """What is open now and was not."""
        return sorted(f"{number} {target}" for number, target in self.targets - before.targets)
