"""Answers that are given by hand, with the interface of `pipeline.net.answers.Answer`."""

from collections.abc import Mapping


class Given:
    """A head, and a body that comes in pieces of `step` bytes."""

    def __init__(
        self,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        *,
        length: int | None = None,
        step: int = 1 << 16,
    ) -> None:
        self.url = "http://host/file"
        self.status = status
        self.reason = "Reason"
        self.headers = headers or {}
        self.length = length
        self.until_close = length is None
        self.released = False
        self.idle_share = 0.0
        self._body = memoryview(body)
        self._step = step

    def read_into(self, view: memoryview) -> int:
        """Some bytes of the body."""
        size = min(len(view), len(self._body), self._step)
        view[:size] = self._body[:size]
        self._body = self._body[size:]
        return size

    def release(self) -> None:
        """Note that nobody reads any further."""
        self.released = True
