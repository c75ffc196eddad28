"""What the processes say to each other, besides segment bytes: instructions down, reports up.

Frozen dataclasses, imperative for an instruction and past tense for a report. On the wire each is
one JSON frame (`channel`): a child that handles hostile input can say nothing but these, which a
pickle would not guarantee. The union types let mypy prove that every message is handled.
"""

import json
from dataclasses import dataclass, field, fields
from typing import Any

# -- supervisor -> downloader ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OpenContext:
    """Requests in this context are made like this (`HttpOptions`), on behalf of `origin`."""

    context: int
    origin: str  # the URL that the user gave: who may see the user's headers
    headers: list[list[str]] = field(repr=False)
    header_all_hosts: bool
    cookies: str | None
    proxy: str | None = field(repr=False)
    verify: bool
    timeout: float
    local: bool  # the playlist is a file on this machine, and may name others


@dataclass(frozen=True, slots=True)
class CloseContext:
    """No more requests are made in this context."""

    context: int


@dataclass(frozen=True, slots=True)
class FetchSegment:
    """Fetch an item, decrypt it, hand it to storage.

    `method` is that of EXT-X-KEY, or empty for a clear item. Sample encryption in fMP4 also wants
    the initialization section; an item that is one itself has `section` None.
    """

    context: int
    job: int
    index: int
    lease: int
    url: str = field(repr=False)
    offset: int | None
    length: int | None
    method: str = ""
    key: bytes = field(default=b"", repr=False)
    iv: bytes = field(default=b"", repr=False)
    section: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class FetchDocument:
    """Fetch something small, a playlist or a key, and report its bytes."""

    context: int
    lease: int
    url: str = field(repr=False)
    cap: int  # bytes; more is a failure
    offset: int | None = None
    length: int | None = None


@dataclass(frozen=True, slots=True)
class Stop:
    """End now; what is unfinished is forgotten."""


# -- downloader -> supervisor ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FetchFailed:
    """The try `lease`, of an item or a document, failed."""

    lease: int
    error: str  # class of pipeline.errors
    reason: str
    patience: str  # net.retry.Patience
    retry_after: float | None


@dataclass(frozen=True, slots=True)
class DocumentFetched:
    """The document asked for as `lease`, and the URL that it came from in the end."""

    lease: int
    url: str = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Alive:
    """The sender's main thread is well (once a second)."""


@dataclass(frozen=True, slots=True)
class Crashed:
    """The sender met an error that it has no plan for, and ends."""

    error: str
    message: str
    traceback: str


# -- supervisor -> storage ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OpenOutput:
    """Take the output of `job`; `path` None is the stream that storage was started with."""

    job: int
    path: str | None
    items: int
    known_bytes: int | None  # size of the whole, where the playlist tells
    force: bool
    checksum: bool
    fsync: bool
    resume: str | None  # identity of the plan, if an unfinished output is kept and taken up


@dataclass(frozen=True, slots=True)
class SkipItem:
    """Do without this item."""

    job: int
    index: int


@dataclass(frozen=True, slots=True)
class Publish:
    """Every item is stored or skipped: complete the output and give it its name."""

    job: int


@dataclass(frozen=True, slots=True)
class Abandon:
    """Give up on `job`: nothing of it stays."""

    job: int


@dataclass(frozen=True, slots=True)
class ForgetDownloader:
    """The downloader of `partition` is dead: take back its blocks, and lend it none."""

    partition: int


@dataclass(frozen=True, slots=True)
class ServeDownloader:
    """A new downloader takes over `partition`: lend it blocks."""

    partition: int


# -- storage -> supervisor ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OutputOpened:
    """The output of `job` is ours; `items` of it, `size` bytes, were there already."""

    job: int
    items: int
    size: int


@dataclass(frozen=True, slots=True)
class ItemsStored:
    """The items `indexes` are in; `job_bytes` of payload are, of the whole job."""

    job: int
    indexes: list[int]
    job_bytes: int


@dataclass(frozen=True, slots=True)
class DiskUsed:
    """Storage has left memory."""

    stored_bytes: int


@dataclass(frozen=True, slots=True)
class TempDirectoryMade:
    """Where the segment files are."""

    path: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class TempDirectoryGone:
    """The segment files are removed; `kept` if they were left on purpose."""

    path: str
    kept: bool


@dataclass(frozen=True, slots=True)
class StorageState:
    """Figures for progress and receipt."""

    job_bytes: list[list[int]]  # [job, payload bytes that are in, partial items included]
    temp_bytes: int
    peak_temp_bytes: int
    spilled_bytes: int


@dataclass(frozen=True, slots=True)
class Published:
    """The output of `job` is whole and has its name."""

    job: int
    size: int
    sha256: str | None


@dataclass(frozen=True, slots=True)
class JobFailed:
    """Storage cannot go on with `job`, and has removed what there was of it."""

    job: int
    error: str
    message: str


@dataclass(frozen=True, slots=True)
class DownloaderForgotten:
    """The partition is clean: a new downloader may start."""

    partition: int


@dataclass(frozen=True, slots=True)
class Stopped:
    """Storage has cleaned up and ends."""


ToDownloader = OpenContext | CloseContext | FetchSegment | FetchDocument | Stop
FromDownloader = FetchFailed | DocumentFetched | Alive | Crashed
ToStorage = OpenOutput | SkipItem | Publish | Abandon | ForgetDownloader | ServeDownloader | Stop
FromStorage = (
    OutputOpened
    | ItemsStored
    | DiskUsed
    | TempDirectoryMade
    | TempDirectoryGone
    | StorageState
    | Published
    | JobFailed
    | DownloaderForgotten
    | Alive
    | Crashed
    | Stopped
)
Message = ToDownloader | FromDownloader | ToStorage | FromStorage

_KINDS: dict[str, Any] = {kind.__name__: kind for kind in Message.__args__}
_FIELDS = {name: tuple(part.name for part in fields(kind)) for name, kind in _KINDS.items()}


def encode(message: Message) -> bytes:
    """`message` as one JSON array: its name, then its fields in order."""
    name = type(message).__name__
    values = [getattr(message, field_name) for field_name in _FIELDS[name]]
    return json.dumps([name, *values], default=_as_hex, separators=(",", ":")).encode()


def decode(frame: bytes) -> Any:
    """The message in `frame`. Raises ValueError for what `encode` did not make."""
    try:
        name, *values = json.loads(frame, object_hook=_from_hex)
        return _KINDS[name](*values)
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"not a message: {frame[:80]!r}") from error


def _as_hex(value: bytes) -> dict[str, str]:
    return {"hex": value.hex()}


def _from_hex(found: dict[str, str]) -> bytes:
    return bytes.fromhex(found["hex"])
