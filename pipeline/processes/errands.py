"""Things to fetch, as the supervisor sees them: what, for whom, and how often it has been tried."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipeline.errors import (
    HlspipeError,
    KeyUnavailableError,
    KeyUnreachableError,
    NetworkError,
    NotThereError,
    SegmentsMissingError,
)
from pipeline.processes.prerequisites import Need
from pipeline.processes.wishes import Document
from pipeline.units import public_url

if TYPE_CHECKING:
    from pipeline.processes.download import Download
    from pipeline.processes.flow import Flow

#: Deaths of downloaders on one errand that make it an error: it may well be the cause.
MAX_DEATHS = 3


@dataclass(slots=True, eq=False)
class Errand:
    """Something to fetch, and its history."""

    context: int
    url: str = field(repr=False)
    tries: int = 0  # that failed
    deaths: int = 0  # of downloaders that had it

    @property
    def what(self) -> str:
        """The thing in words, with its URL: the start of a sentence."""
        return f"{self._name} ({public_url(self.url)})"

    @property
    def _name(self) -> str:
        raise AssertionError("an errand has a kind")

    def final_error(self, error: HlspipeError) -> HlspipeError:
        """The error that the run ends with, given the one that the last try ended with."""
        return error

    def renew(self) -> bool:
        """Take over the URL that the plan has now; False if it is the one that was tried."""
        return False


@dataclass(slots=True, eq=False)
class ItemErrand(Errand):
    """An item of a download's plan."""

    download: "Download" = field(kw_only=True)
    index: int = field(kw_only=True)

    def is_among(self, download: "Download", indexes: Collection[int]) -> bool:
        """Whether it fetches one of these items."""
        return self.download is download and self.index in indexes

    def renew(self) -> bool:
        """Take over the URL that the plan has now; False if it is the one that was tried."""
        tried, self.url = self.url, self.download.items[self.index].url
        return self.url != tried

    @property
    def _name(self) -> str:
        segment = self.download.items[self.index].segment_index
        return "The initialization section" if segment is None else f"Segment {segment}"


@dataclass(slots=True, eq=False)
class NeedErrand(Errand):
    """A key, or whatever else items of a download wait for."""

    download: "Download" = field(kw_only=True)
    need: Need = field(kw_only=True)

    @property
    def _name(self) -> str:
        return f"The {self.need.kind}"

    def final_error(self, error: HlspipeError) -> HlspipeError:
        """A key that cannot be had is a matter of its own, whatever the reason."""
        may_pass = isinstance(error, NetworkError)
        return (KeyUnreachableError if may_pass else KeyUnavailableError)(error.message)

    def renew(self) -> bool:
        """Take over the URL that the plan has now; False if it is the one that was tried."""
        tried, self.need = self.need, self.download.current(self.need)
        self.url = self.need.url
        return self.need != tried


@dataclass(slots=True, eq=False)
class DocumentErrand(Errand):
    """A document that a flow has wished for; `wish` is its number among the flow's wishes."""

    document: Document = field(kw_only=True)
    wish: int = field(kw_only=True)
    flow: "Flow" = field(kw_only=True)

    @property
    def _name(self) -> str:
        return self.document.what[:1].upper() + self.document.what[1:]

    def final_error(self, error: HlspipeError) -> HlspipeError:
        """Only a segment can be missing: a playlist that is not there is a matter of HTTP."""
        return NotThereError(error.message) if isinstance(error, SegmentsMissingError) else error
