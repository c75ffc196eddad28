"""One download: what is asked for, and what has become of it so far.

What is done to get there is `story`. That is imported when the first document has been asked for,
and while it is on its way: over a long line, what it takes to be imported takes no time then.
"""

import os
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.events import Event
from pipeline.jobs.sources import PLAYLIST_CAP
from pipeline.options import FetchOptions
from pipeline.processes.wishes import Document, Renewal, Transferred, Wish

if TYPE_CHECKING:
    from pipeline.hls.model import MediaPlaylist, Rendition, VariantStream
    from pipeline.hls.plan import Plan
    from pipeline.jobs.story import Story

STDOUT = "-"

#: In the place of an output's ending: the one that fits what is inside. Until that is known, the
#: name may turn out as any of them.
ANY_ENDING = ".{ext}"

Steps = Generator[Wish | tuple[Wish, ...], Any, Any]


@dataclass(frozen=True, slots=True)
class Track:
    """One output: the variant stream's, or a rendition's."""

    output: str
    playlist: "MediaPlaylist"
    plan: "Plan"
    rendition: "Rendition | None" = None

    @property
    def is_subtitles(self) -> bool:
        """Whether it is text, and not media."""
        return self.rendition is not None and self.rendition.type == "SUBTITLES"


@dataclass
class Job:
    """What is asked for, and what has become of it so far."""

    url: str = field(repr=False)
    output: str | None  # a path, "-" for standard output, None for a name from the URL
    options: FetchOptions
    tell: Callable[[Event], None]
    text: bytes | None = field(default=None, repr=False)  # the playlist, if it is here already
    local: bool = False  # the playlist may name files on this machine
    variant: "VariantStream | None" = None  # chosen of a multivariant playlist
    tracks: list[Track] = field(default_factory=list)
    remuxed: bool = False  # what is fetched is put into another container afterwards
    skipped: bool = False  # the output was there already, and that was fine
    transferred: tuple[Transferred, ...] = ()
    subtitles: dict[str, int] = field(default_factory=dict)  # outputs written, and their sizes
    _story: "Story | None" = None

    def steps(self) -> Steps:
        """The whole story. Raises HlspipeError where it cannot go on."""
        first = (yield self.document) if self.text is None else None
        from pipeline.jobs.story import Story  # noqa: PLC0415  (see above)

        self._story = Story(self)
        yield from self._story.steps(first)

    @staticmethod
    def get_ready() -> None:
        """Import what `steps` goes on with, while its first document is on its way."""
        import_module("pipeline.jobs.story")

    @property
    def document(self) -> Document:
        """The first thing to fetch."""
        return Document(self.url, PLAYLIST_CAP, "the playlist")

    @property
    def media(self) -> list[Track]:
        """The tracks that are transferred; subtitles are documents."""
        return [track for track in self.tracks if not track.is_subtitles]

    @property
    def output_exists(self) -> bool:
        """Whether the output is there before we began: something that is no directory."""
        path = str(self.output)
        return (
            self.output not in (None, STDOUT) and os.path.lexists(path) and not Path(path).is_dir()
        )

    @property
    def renewal(self) -> Renewal | None:
        """How to read the playlist again; None if it did not come from a server."""
        return self._read_again if self.text is None else None

    def _read_again(self) -> Steps:
        fetched = yield self.document
        assert self._story is not None  # noqa: S101  (nothing is renewed that was not begun)
        return (yield from self._story.read_again(fetched))
