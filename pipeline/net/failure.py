"""A try that failed: what it means for the run, and how much patience it deserves.

Values only, so that the supervisor can reason about failures without importing an HTTP library;
`translation` makes them of what those libraries raise.
"""

from enum import StrEnum

from pipeline.errors import HlspipeError, NetworkError, NotThereError, SegmentsMissingError


class Patience(StrEnum):
    """How many further tries make sense."""

    FULL = "full"  # passing: a reset, a 503, a timeout
    BUSY = "busy"  # passing, and the server has too much to do: a 429, a 503
    FEW = "few"  # hardly ever passing: a 404, a wrong key
    EXPIRED = "expired"  # this URL is no longer good: another one of the same thing may be
    NEVER = "never"  # the same every time: a bad certificate, a refused scheme


class FetchFailure(Exception):
    """One try failed. `error` is the class that the run ends with if no further try helps."""

    def __init__(
        self,
        error: type[HlspipeError],
        reason: str,
        patience: Patience,
        retry_after: float | None = None,
    ) -> None:
        """`reason` is printable and free of secrets; `retry_after` is what the server asked for."""
        super().__init__(reason)
        self.error = error
        self.reason = reason
        self.patience = patience
        self.retry_after = retry_after

    def document_error(self, message: str) -> HlspipeError:
        """The error for a playlist: only a segment can be missing (exit code 6)."""
        kind = NotThereError if self.error is SegmentsMissingError else self.error
        return kind(message)


def broken(reason: str) -> FetchFailure:
    """A failure of the network that another try may mend."""
    return FetchFailure(NetworkError, reason, Patience.FULL)
