"""The SHA-256 of an output, computed while it is written, able to forget a failed try."""

from typing import Any


class Digest:
    """Follows an output: what is rolled back there is forgotten here."""

    def __init__(self, wanted: bool) -> None:
        """Without `wanted` it costs nothing and says nothing."""
        self._running: Any = _sha256() if wanted else None
        self._committed: Any = self._running and self._running.copy()

    @property
    def wanted(self) -> bool:
        """Whether it looks at the bytes at all."""
        return self._running is not None

    def update(self, data: memoryview) -> None:
        """`data` was written."""
        if self._running is not None:
            self._running.update(data)

    def commit(self) -> None:
        """What was written so far stays."""
        if self._running is not None:
            self._committed = self._running.copy()

    def rollback(self) -> None:
        """What was written since the last commit is taken back."""
        if self._committed is not None:
            self._running = self._committed.copy()

    def hexdigest(self) -> str | None:
        """Of what is committed."""
        return self._committed.hexdigest() if self._committed is not None else None


def _sha256() -> Any:
    import hashlib  # noqa: PLC0415  (5 ms, for OpenSSL's)

    return hashlib.sha256()
