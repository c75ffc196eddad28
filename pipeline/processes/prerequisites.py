"""What an item needs before it can be decrypted, besides its own bytes: keys and sections."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pipeline.hls.methods import SAMPLE_METHODS

if TYPE_CHECKING:
    from pipeline.hls.plan import PlannedItem


@dataclass(frozen=True, slots=True)
class Need:
    """Something small that items wait for, fetched once."""

    kind: str  # "key" or "initialization section"
    url: str = field(repr=False)
    byte_range: tuple[int, int] | None
    method: str

    def is_same_file(self, other: "Need") -> bool:
        """Whether the two differ by nothing but a token in the query."""
        return _without_query(self) == _without_query(other)


class Prerequisites:
    """What the items of one plan need."""

    def __init__(self, items: "Sequence[PlannedItem]") -> None:
        """Looks through the plan once."""
        self._items = items
        #: Initialization sections of sample-encrypted segments: they say how, and are cleared.
        self.sealed = {
            item.section_index
            for item in items
            if item.section_index is not None and _samples(item)
        }

    def of(self, item: "PlannedItem") -> Iterator[Need]:
        """All that must be there before `item` can be fetched."""
        if item.decryption is None or self.is_sealed_section(item):
            return
        method = item.decryption.method
        yield Need("key", item.decryption.key_url, None, method)
        if item.section_index is not None and _samples(item):
            section = self._items[item.section_index]
            yield Need("initialization section", section.url, section.byte_range, method)

    def key(self, item: "PlannedItem") -> Need | None:
        """The key among the needs of `item`."""
        return next((need for need in self.of(item) if need.kind == "key"), None)

    def section(self, item: "PlannedItem") -> Need | None:
        """The initialization section among the needs of `item`."""
        return next((need for need in self.of(item) if need.kind != "key"), None)

    def is_sealed_section(self, item: "PlannedItem") -> bool:
        """Whether `item` is an initialization section that speaks of encrypted samples."""
        return item.index in self.sealed


def _without_query(need: Need) -> Need:
    return replace(need, url=need.url.partition("?")[0])


def _samples(item: "PlannedItem") -> bool:
    return item.decryption is not None and item.decryption.method in SAMPLE_METHODS
