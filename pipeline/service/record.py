"""A job as the queue keeps it, and as a client asks for it: values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.service.states import State, Wish


@dataclass(frozen=True, slots=True)
class Submission:
    """A job that has been asked for, and found to be in order."""

    url: str = field(repr=False)
    #: Absolute, below the download root. May end in ".{ext}": the ending that fits what is inside.
    output: str
    #: Options as they were given, by their names in JSON (`wanted`). Secrets may be among them.
    options: dict[str, Any] = field(default_factory=dict, repr=False)
    priority: int = 0
    #: The client's own name for the job: what is submitted again under it is the same job.
    client_id: str | None = None

    @property
    def accepts_existing(self) -> bool:
        """Whether the output may be there already."""
        return _accepts_existing(self.options)


@dataclass(frozen=True, slots=True)
class Job:
    """One row of the queue. Times are seconds since 1970."""

    id: int
    client_id: str | None
    url: str = field(repr=False)
    output: str
    options: dict[str, Any] = field(repr=False)
    priority: int
    state: State
    attempts: int
    wish: Wish | None
    created: float
    started: float | None  # the first time
    ended: float | None
    not_before: float  # when it may run again, after an attempt that failed
    receipt: dict[str, Any] | None = field(repr=False)
    error: str | None
    exit_code: int | None

    @property
    def accepts_existing(self) -> bool:
        """Whether the output may be there before the job begins."""
        return _accepts_existing(self.options)


def _accepts_existing(options: Mapping[str, Any]) -> bool:
    return bool(options.get("force") or options.get("skip_existing"))
