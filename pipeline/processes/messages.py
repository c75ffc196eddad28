"""What the processes say to each other, besides segment bytes: instructions down, reports up.

Named tuples, imperative for an instruction and past tense for a report. The union types let mypy
prove that every message is handled. Not covered: their bytes (`wire`) and their way (`channel`).

Not dataclasses: making one of those takes 0.5 ms, and each process would make all of them before it
does anything. Keys and URLs are in messages, so none of them shows its fields (`_shown`).
"""

from typing import Any, NamedTuple

# -- supervisor -> downloader ------------------------------------------------------------------


class OpenContext(NamedTuple):
    """Requests in this context are made like this (`HttpOptions`), on behalf of `origin`."""

    context: int
    origin: str  # the URL that the user gave: who may see the user's headers
    headers: list[list[str]]
    header_all_hosts: bool
    cookies: str | None
    proxy: str | None
    verify: bool
    strict_tls: bool
    timeout: float
    retries: int
    retry_sleep: float
    block_private: bool
    origin_private: bool | None  # whether `origin` has a private address, if that is known
    local: bool  # the playlist is a file on this machine, and may name others


class OriginSeen(NamedTuple):
    """What kind of address the origin of a context has: that decides how far its requests reach."""

    context: int
    private: bool


class CookiesSet(NamedTuple):
    """An answer from `url` has set cookies, in these fields. To the others, and from the first.

    A session begins with the playlist, and goes on in whatever process fetches its segments.
    """

    context: int
    url: str
    fields: list[str]


class LimitConnections(NamedTuple):
    """Have no more than so many tasks under way at a time."""

    connections: int


class ReturnTasks(NamedTuple):
    """Give back what has not been begun: it is for others, or for later."""


class CloseContext(NamedTuple):
    """No more requests are made in this context."""

    context: int


class FetchSegment(NamedTuple):
    """Fetch an item, decrypt it, hand it to storage.

    `method` is that of EXT-X-KEY, or empty for a clear item. Sample encryption in fMP4 also wants
    the initialization section; an item that is one itself has `section` None.
    """

    context: int
    job: int
    item_index: int
    lease: int
    url: str
    offset: int | None
    length: int | None
    tries: int = 0  # that have failed already
    method: str = ""
    key: bytes = b""
    iv: bytes = b""
    section: bytes | None = None
    strip_images: bool = False  # a picture before the segment is no part of it


class FetchDocument(NamedTuple):
    """Fetch something small, a playlist or a key, and report its bytes."""

    context: int
    lease: int
    url: str
    cap: int  # bytes; more is a failure
    offset: int | None = None
    length: int | None = None


class Connect(NamedTuple):
    """Have so many connections to where `url` leads: requests are about to follow.

    Nothing is reported: what is wrong with them, the requests will find out.
    """

    context: int
    url: str
    connections: int


class Disconnect(NamedTuple):
    """Close connections that were made to where `url` leads and not used, but for so many.

    They would not be used.
    """

    context: int
    url: str
    but: int


class AskEarly(NamedTuple):
    """Send the request for an item that is to be fetched as soon as its key is here.

    Nothing is reported: if that cannot be done, the item is asked for in its turn.
    """

    context: int
    url: str
    offset: int | None
    length: int | None


class Stop(NamedTuple):
    """End now; what is unfinished is forgotten."""


# -- downloader -> supervisor ------------------------------------------------------------------


class FetchFailed(NamedTuple):
    """The try `lease`, of an item or a document, failed."""

    lease: int
    error: str  # class of pipeline.errors
    reason: str
    patience: str  # net.retry.Patience
    retry_after: float | None


class TryContinued(NamedTuple):
    """The try `lease` broke off, and asks for the rest of the item after `pause` seconds."""

    context: int
    lease: int
    reason: str
    pause: float


class ChangedOver(NamedTuple):
    """A try that lagged has asked for its rest over another connection."""

    context: int


class Ending(NamedTuple):
    """What is fetched as `lease` is about to end: its connection could be asked for more."""

    lease: int


class FarAway(NamedTuple):
    """The first connection of the context in this process leads to where `url` does, a long way.

    Those for the next requests should be made meanwhile.
    """

    context: int
    url: str


class TlsLeft(NamedTuple):
    """A server has redirected a request of the context from https to `url`, which is http."""

    context: int
    url: str


class TasksReturned(NamedTuple):
    """These leases have not been begun, and are not going to be."""

    leases: list[int]


class DocumentFetched(NamedTuple):
    """The document asked for as `lease`, and the URL that it came from in the end."""

    lease: int
    url: str
    body: bytes
    origin_private: bool | None = None  # as far as it has shown
    round_trip: float = 0.0  # seconds to there, if a connection has been kept


class Alive(NamedTuple):
    """The sender is well (once a second); with figures if it is a downloader."""

    received: int = 0  # bytes that have come in
    site: str = ""  # that was connected to last
    round_trip: float = 0.0  # seconds there and back, as that connection began


class Crashed(NamedTuple):
    """The sender met an error that it has no plan for, and ends."""

    error: str
    message: str
    traceback: str


# -- supervisor -> storage ---------------------------------------------------------------------


class OpenOutput(NamedTuple):
    """Take the output of `job`; `path` None is the stream that storage was started with."""

    job: int
    path: str | None
    items: int
    known_bytes: int | None  # size of the whole, where the playlist tells
    force: bool
    checksum: bool
    fsync: bool
    kept_as: str | None  # identity of the plan, if an unfinished output is kept and taken up
    marks: list[int]  # items whose offsets in the output are wanted


class SkipItem(NamedTuple):
    """Do without this item."""

    job: int
    item_index: int


class Publish(NamedTuple):
    """Every item is stored or skipped: complete the outputs and give them their names, or none."""

    jobs: list[int]


class Abandon(NamedTuple):
    """Give up on `job`: nothing of it stays."""

    job: int


class ForgetDownloader(NamedTuple):
    """The downloader of `partition` is dead: take back its blocks, and lend it none."""

    partition: int


class ServeDownloader(NamedTuple):
    """A new downloader takes over `partition`: lend it blocks."""

    partition: int


# -- storage -> supervisor ---------------------------------------------------------------------


class OutputOpened(NamedTuple):
    """The output of `job` is ours; `items` of it, `size` bytes, were there already."""

    job: int
    items: int
    size: int
    notice: str | None  # what an earlier run has left and is not taken up, and why


class ItemsStored(NamedTuple):
    """The items `indexes` are in; `job_bytes` of payload are, of the whole job."""

    job: int
    indexes: list[int]
    job_bytes: int
    unverified: list[int]  # those of `indexes` whose length no server has announced


class DiskUsed(NamedTuple):
    """Storage has left memory; `starved` if the system had none to give."""

    stored_bytes: int
    starved: bool


class TempDirectoryMade(NamedTuple):
    """Where the segment files are."""

    path: str
    reason: str | None


class TempDirectoryGone(NamedTuple):
    """The segment files are removed; `kept` if they were left on purpose."""

    path: str
    kept: bool


class StorageState(NamedTuple):
    """Figures for progress and receipt."""

    job_bytes: list[list[int]]  # [job, payload bytes that are in, partial items included]
    temp_bytes: int
    peak_temp_bytes: int
    spilled_bytes: int


class Published(NamedTuple):
    """The output of `job` is whole and has its name."""

    job: int
    size: int
    sha256: str | None
    offsets: list[int]  # of the marked items; one that was left out has that of what follows


class JobFailed(NamedTuple):
    """Storage cannot go on with `job`, and has removed what there was of it."""

    job: int
    error: str
    message: str


class Complained(NamedTuple):
    """Something that the user should know, and that changes nothing: a file cannot be removed."""

    text: str


class DownloaderForgotten(NamedTuple):
    """The partition is clean: a new downloader may start."""

    partition: int


class Stopped(NamedTuple):
    """Storage has cleaned up and ends."""


# -- supervisor -> remuxer, and back -----------------------------------------------------------


class Remux(NamedTuple):
    """Put sources into one file (`media.tracks.RemuxPlan`) with "pyav" or the ffmpeg at `tool`."""

    sources: list[list[Any]]
    output: str
    container: str
    chapters: list[list[Any]]
    may_consume: bool
    tool: str


class RemuxProgressed(NamedTuple):
    """So many of so many bytes have been read."""

    done: int
    total: int


class RemuxDone(NamedTuple):
    """The file is whole."""

    duration: float
    tracks: int
    warnings: list[str]


# -- who may say what ----------------------------------------------------------------------------

ToDownloader = (
    OpenContext
    | OriginSeen
    | CookiesSet
    | LimitConnections
    | ReturnTasks
    | CloseContext
    | FetchSegment
    | FetchDocument
    | Connect
    | Disconnect
    | AskEarly
    | Stop
)
FromDownloader = (
    FetchFailed
    | TryContinued
    | ChangedOver
    | Ending
    | FarAway
    | TlsLeft
    | CookiesSet
    | TasksReturned
    | DocumentFetched
    | Alive
    | Crashed
)
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
    | Complained
    | DownloaderForgotten
    | Alive
    | Crashed
    | Stopped
)
FromRemuxer = RemuxProgressed | RemuxDone | Crashed
Message = ToDownloader | FromDownloader | ToStorage | FromStorage | Remux | FromRemuxer

#: The kinds by their names, which are what is on the wire.
KINDS: dict[str, Any] = {kind.__name__: kind for kind in Message.__args__}


def _shown(message: Message) -> str:
    return f"<{type(message).__name__}>"


for _kind in KINDS.values():
    _kind.__repr__ = _shown
