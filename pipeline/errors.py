"""The error tree: one class for each cause that a user can tell apart, each with its exit code.

Every message is one sentence that says what happened, to which segment or file, and what to do.
URLs enter a message through `pipeline.units.public_url` only (no query, no credentials), server
text through `pipeline.units.printable`.

An error crosses process boundaries as its class name and its message (`to_wire`, `from_wire`),
never as a pickle. What this module does not cover: translating foreign exceptions, which happens
once, at the edge that calls the foreign code.
"""

import signal


class HlspipeError(Exception):
    """Base of every error that hlspipe raises on purpose."""

    exit_code = 1

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        #: The `pipeline.Receipt` of the download that ended with this error, where there is one.
        self.receipt: object | None = None

    def __str__(self) -> str:
        return self.message


class InternalError(HlspipeError):
    """A broken promise inside hlspipe: always a bug worth a report."""


class UsageError(HlspipeError):
    """The command or call cannot be carried out as it was written."""

    exit_code = 2


class NetworkError(HlspipeError):
    """A server could not be reached, or did not answer as HTTP promises."""

    exit_code = 3


class NotThereError(NetworkError):
    """The server says that it does not have it, or not for us: asking again will not help."""


class PlaylistError(HlspipeError):
    """The text is no valid playlist (RFC 8216 section 4)."""

    exit_code = 4


class UnsupportedError(PlaylistError):
    """The playlist is valid, and asks for what hlspipe does not do (DRM, say)."""


class KeyUnavailableError(HlspipeError):
    """A key could not be had, or is not a key."""

    exit_code = 5


class KeyUnreachableError(KeyUnavailableError):
    """The key's server did not answer as it should, which may pass."""


class DecryptionError(HlspipeError):
    """A segment did not decrypt to what its key and its playlist promise."""

    exit_code = 5


class SegmentsMissingError(HlspipeError):
    """The server does not have one or more segments of the playlist."""

    exit_code = 6


class StorageError(HlspipeError):
    """A file or directory could not be made, read or written."""

    exit_code = 7


class RemuxFailed(HlspipeError):
    """The streams could not be put into another container."""


class ScarcityError(HlspipeError):
    """The system has no memory, process, thread or descriptor left to give."""

    exit_code = 7


class ProcessDiedError(HlspipeError):
    """A process of the pipeline died, or hung, beyond recovery."""

    exit_code = 8


class OutputExistsError(HlspipeError):
    """The output is already there, and `--force` was not given."""

    exit_code = 9


class OutputBusyError(HlspipeError):
    """Another run is writing the same output."""

    exit_code = 9


class AlreadyRunningError(HlspipeError):
    """A service with the same state directory, or socket, runs already."""

    exit_code = 9


class OutputClosedError(HlspipeError):
    """The reader of standard output went away."""

    exit_code = 128 + signal.SIGPIPE


class StoppedError(HlspipeError):
    """One download of several was stopped before its end, because somebody wanted it so."""

    exit_code = 128 + signal.SIGTERM


class Interrupted(KeyboardInterrupt):
    """A signal asked the run to stop, and everything has been cleaned up.

    Not an `HlspipeError`: like the `KeyboardInterrupt` that it is, it passes through
    `except Exception` in a program that calls the library.
    """

    def __init__(self, signum: int) -> None:
        super().__init__(signum)
        self.signum = signum
        self.receipt: object | None = None

    @property
    def exit_code(self) -> int:
        """128 + the signal's number, as shells report it."""
        return 128 + self.signum

    def __str__(self) -> str:
        return f"Stopped by {signal.Signals(self.signum).name}"


def _tree(cls: type[HlspipeError]) -> dict[str, type[HlspipeError]]:
    found = {cls.__name__: cls}
    for child in cls.__subclasses__():
        found |= _tree(child)
    return found


def to_wire(error: HlspipeError) -> tuple[str, str]:
    """The error as two strings that any process can read."""
    return type(error).__name__, error.message


def from_wire(name: str, message: str) -> HlspipeError:
    """The error that `to_wire` described; an unknown name becomes an `InternalError`."""
    return _tree(HlspipeError).get(name, InternalError)(message)
