"""The works that tools are measured on: what is served, made once for each kind.

Sizes are plaintext bytes. Not covered: what is between them and who fetches them (`network`).
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.support.streams import Aes, build

KB, MB = 1 << 10, 1 << 20


@dataclass(frozen=True)
class Work:
    """A stream to be downloaded."""

    name: str
    segments: int
    segment_bytes: int
    encrypted: bool = True

    @property
    def title(self) -> str:
        """What it is, in a table."""
        size = (
            f"{self.segment_bytes // MB} MB"
            if self.segment_bytes >= MB
            else (f"{self.segment_bytes // KB} KB")
        )
        kind = "AES-128" if self.encrypted else "clear"
        return f"{self.segments} x {size}, {kind}"


WORKS = {
    work.name: work
    for work in (
        Work("2g", 512, 4 * MB),
        Work("500m", 125, 4 * MB),
        Work("100m", 25, 4 * MB),
        Work("10m", 25, 400 * KB),
        Work("small", 3000, 100 * KB),
        Work("500m-clear", 125, 4 * MB, encrypted=False),
        Work("small-clear", 3000, 100 * KB, encrypted=False),
    )
}


@dataclass(frozen=True)
class Fixture:
    """A work on disk."""

    work: Work
    path: str  # of the playlist, below the server's root
    bytes: int
    sha256: str


def fixture(work: Work, root: Path) -> Fixture:
    """The work below `root`, made if it is not there yet."""
    note = root / f"{work.name}.json"
    if note.exists():
        facts = json.loads(note.read_text())
        if facts.pop("recipe") == asdict(work):
            return Fixture(work=work, **facts)
    sizes = [work.segment_bytes] * work.segments
    stream = build(root / work.name, sizes, aes=Aes() if work.encrypted else None)
    path = str(stream.playlist_path.relative_to(root))
    facts = {"path": path, "bytes": stream.bytes, "sha256": stream.sha256}
    note.write_text(json.dumps(facts | {"recipe": asdict(work)}))
    return Fixture(work=work, **facts)
