"""How much one job may take: bytes and seconds, where its user has set limits. Decisions only."""

from typing import NamedTuple

from pipeline.errors import HlspipeError, NetworkError, StorageError
from pipeline.units import format_mb


class Limits(NamedTuple):
    """What a job ends at; None is no limit."""

    max_size: int | None = None  # bytes of its outputs together
    max_time: float | None = None  # seconds from its beginning

    def exceeded(self, size: int, elapsed: float) -> HlspipeError | None:
        """The error that the job ends with, if it has come to a limit."""
        if self.max_size is not None and size > self.max_size:
            return StorageError(
                f"The download is larger than --max-size allows ({format_mb(self.max_size)})"
            )
        if self.max_time is not None and elapsed > self.max_time:
            return NetworkError(
                f"The download takes longer than --max-time allows ({self.max_time:g} seconds)"
            )
        return None


NO_LIMITS = Limits()
