"""What a user wants of an output. Values only."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Care:
    """How an output is to be treated."""

    force: bool = False  # replace what is there
    checksum: bool = False
    fsync: bool = False  # the file before it gets its name, then the directory
    #: What the items are, in a word: keep what is written of them, and take up what was kept.
    kept_as: str | None = None
