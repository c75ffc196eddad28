"""What a user may ask for, as frozen values. Sizes are bytes, times are seconds.

Covers the options of one download and their defaults; parsing text ("50MB") is `units`, and
spelling, environment and configuration file belong to the `cli` room.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from pipeline.units import MIB

DEFAULT_MEMORY_THRESHOLD = 50 * MIB


class MergeMode(StrEnum):
    """When the output is written, once storage has gone to disk."""

    STREAM = "stream"  # while downloading: each byte is on disk about once
    END = "end"  # when all segments are in: the classic staging, each byte twice


@dataclass(frozen=True, slots=True)
class HttpOptions:
    """How requests are made."""

    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    header_all_hosts: bool = False
    cookies: Path | None = None
    proxy: str | None = field(default=None, repr=False)
    verify: bool = True
    #: Refuse to go from https to http, by playlist or by redirect.
    strict_tls: bool = False
    #: Refuse private addresses (`net.addresses`), unless the user's own URL leads to one.
    block_private: bool = False
    #: Seconds without a byte (connecting or reading) after which a try has failed.
    timeout: float = 20.0
    #: Further tries after the first, for each segment, key and playlist.
    retries: int = 8
    #: Seconds before the first retry; doubled for each further one, with jitter.
    retry_sleep: float = 0.5
    #: Bytes per second of segments that all connections together may take; None is no limit.
    limit_rate: int | None = None


@dataclass(frozen=True, slots=True)
class StorageOptions:
    """Where bytes rest until the output is whole."""

    #: Bytes from which storage goes to disk; None never does.
    memory_threshold: int | None = DEFAULT_MEMORY_THRESHOLD
    temp_dir: Path | None = None
    merge: MergeMode = MergeMode.STREAM
    #: Leave the segment files. Implies `MergeMode.END`, and disk from the first byte.
    keep_segments: bool = False

    @property
    def effective_merge(self) -> MergeMode:
        """The merge mode that these options lead to."""
        return MergeMode.END if self.keep_segments else self.merge

    @property
    def effective_threshold(self) -> int | None:
        """The threshold that these options lead to: segments that are kept need a file each."""
        return 0 if self.keep_segments else self.memory_threshold


#: Options of a download that answer the same question, by the names of their fields.
EXCLUSIVE = (("force", "skip_existing"), ("key", "key_url"))


class RemuxTool(StrEnum):
    """What puts streams into an MP4 or Matroska file."""

    AUTO = "auto"  # PyAV, else an ffmpeg
    PYAV = "pyav"
    FFMPEG = "ffmpeg"
    NONE = "none"  # the bytes are joined as they are, whatever the name says


class SubtitlesFormat(StrEnum):
    """How subtitles are written."""

    VTT = "vtt"
    SRT = "srt"


@dataclass(frozen=True, slots=True)
class SelectionOptions:
    """What is taken of what the playlist offers."""

    #: Which variant stream: "best", "worst", "720p", "height<=1080,codecs=hvc1" (`hls.rules`).
    format: str = "best"
    #: Audio renditions besides the variant's own: "default", "all", "none", or languages.
    audio: str = "default"
    #: Subtitle renditions: "all", "none", or languages.
    subtitles: str = "none"
    subtitles_format: SubtitlesFormat = SubtitlesFormat.VTT
    #: Segments that cover this span only: "05:00-20:00", "300-1200" (`hls.sections`).
    section: str | None = None
    #: A regular expression: segments in whose URI it is found are left out.
    exclude: str | None = None


@dataclass(frozen=True, slots=True)
class KeyOptions:
    """What a user knows better than the playlist about its encryption."""

    key: bytes | None = field(default=None, repr=False)  # 16 or 32 bytes, for every segment
    key_url: str | None = field(default=None, repr=False)  # where to fetch it instead
    iv: bytes | None = field(default=None, repr=False)  # 16 bytes, for every segment


@dataclass(frozen=True, slots=True)
class FetchOptions:
    """Everything about one download, apart from its URL and its output."""

    http: HttpOptions = HttpOptions()
    storage: StorageOptions = StorageOptions()
    selection: SelectionOptions = SelectionOptions()
    keys: KeyOptions = KeyOptions()
    #: Connections in all; None finds out how many pay.
    concurrent: int | None = None
    #: Connections to one host at the most; None is no limit but that of all connections.
    max_per_host: int | None = None
    #: Downloader processes; None is one for each CPU that this process may use.
    processes: int | None = None
    base_url: str | None = None
    force: bool = False
    skip_existing: bool = False
    #: What makes an output that is named .mp4, .m4a or .mkv one.
    remux: RemuxTool = RemuxTool.AUTO
    allow_gaps: bool = False
    #: Take off the pictures that some servers put before segments (`crypto.images`).
    strip_images: bool = False
    #: Bytes of all outputs together, and seconds of the whole run, at which a download is given up.
    max_size: int | None = None
    max_time: float | None = None
    #: Keep what is written of an unfinished output, and take up what an earlier run has kept. An
    #: output that is whole already is left alone: the run before may have been killed that late.
    resume: bool = False
    #: Compute the SHA-256 of the output while it is written, for the receipt.
    checksum: bool = False
    #: Write the file to the disk before it gets its name, and its name after that.
    fsync: bool = False
    #: Measure the memory of the process tree twice a second, for the receipt.
    measure_memory: bool = True

    @property
    def accepts_existing(self) -> bool:
        """Whether an output that is there already is as good as a download."""
        return self.skip_existing or (self.resume and not self.force)


#: Downloads of a batch side by side: enough for small ones to pass a large one, few enough for each
#: to have connections of its own.
DEFAULT_JOBS = 4


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """How many downloads go on together, and what their failures mean."""

    jobs: int = DEFAULT_JOBS
    #: Further passes over the downloads that have failed.
    retry_failed: int = 0
    exit_on_error: bool = False
    #: A list of what is done: it is not done again.
    archive: Path | None = None


@dataclass(frozen=True, slots=True)
class ServiceOptions:
    """Everything about one daemon (`hlspipe serve`)."""

    #: Where the queue, the token and the lock are; one daemon for each.
    state_dir: Path
    #: The directory below which jobs write.
    root: Path
    #: The unix socket of the REST API.
    socket: Path
    #: Host and port on which the API is served as well, with a token; None is nowhere.
    listen: tuple[str, int] | None = None
    #: Further names under which clients may speak to `listen`, in their Host header.
    allow_hosts: tuple[str, ...] = ()
    #: A directory from which files with jobs are taken; None is none.
    spool: Path | None = None
    #: Jobs that are downloaded at a time.
    jobs: int = 4
    #: Attempts of a job before it has failed, and seconds before the second one; then doubled.
    attempts: int = 3
    attempt_wait: float = 30.0
    #: Days after which jobs that have ended are forgotten.
    keep_days: float = 7.0
    #: How the log is written: "text" or "json".
    log_format: str = "text"
    #: What jobs are downloaded with, as far as they do not say otherwise.
    fetch: FetchOptions = FetchOptions()
