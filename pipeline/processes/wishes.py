"""What a job asks of the pipeline, and what it gets.

A job is a generator: it yields wishes (one, or a tuple of them to be granted side by side) and is
sent the answers in the same shape; a wish that cannot be granted is raised in it. So a job reads
like a straight story, knows nothing of processes, and is tested without any.
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from pipeline.hls.plan import PlannedItem


@dataclass(frozen=True, slots=True)
class Document:
    """Fetch a small document. Answered by `Fetched`."""

    url: str = field(repr=False)
    cap: int  # bytes
    what: str  # "the playlist": for messages
    byte_range: tuple[int, int] | None = None  # (offset, length)


@dataclass(frozen=True, slots=True)
class Fetched:
    """A document's bytes, and the URL that they came from after redirects."""

    url: str = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Transfer:
    """Fetch the items of a plan into one output. Answered by `Transferred`."""

    items: "tuple[PlannedItem, ...]"
    output: str | None  # None: the stream that the pipeline was started with
    name: str  # the output in words, for events
    duration: float
    force: bool = False
    checksum: bool = False
    fsync: bool = False
    kept_as: str | None = None  # identity of the plan
    allow_gaps: bool = False
    strip_images: bool = False  # pictures before segments are no part of them
    known_bytes: int | None = None
    marks: tuple[int, ...] = ()  # items whose places in the output are wanted
    #: Keys that need not be fetched, by their URL.
    keys: Mapping[str, bytes] = field(default_factory=dict, repr=False)


class Transferred(NamedTuple):
    """The output is whole, but for `missing` segments (allowed gaps)."""

    size: int
    missing: tuple[int, ...]
    sha256: str | None
    offsets: tuple[int, ...] = ()  # of the marked items, in bytes


Wish = Document | Transfer
Job = Generator[Wish | tuple[Wish, ...], Any, Any]

#: Begins a story whose result is the items of each transfer of a job once more, in the order of the
#: transfers and of their plans, with the URLs that they have now.
Renewal = Callable[[], Job]
