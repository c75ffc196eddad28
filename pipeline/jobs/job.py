"""One download as a story: playlist, variant, plan, transfer.

A generator of wishes (`processes.wishes`): it decides what is fetched and under which name, and
leaves the fetching to whoever runs it.
"""

import os
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline import events
from pipeline.errors import PlaylistError, SegmentsMissingError
from pipeline.hls.model import MediaPlaylist, MultivariantPlaylist
from pipeline.hls.plan import Plan, plan
from pipeline.hls.playlist import parse
from pipeline.hls.selection import choose_variant
from pipeline.jobs.naming import output_name
from pipeline.options import FetchOptions
from pipeline.processes.wishes import Document, Fetched, Transfer, Transferred, Wish
from pipeline.units import MIB, public_url

#: The largest playlist that is read (RELIABILITY: 200,000 segments fit).
PLAYLIST_CAP = 16 * MIB

STDOUT = "-"

Steps = Generator[Wish, Any, None]


@dataclass
class Job:
    """What is asked for, and what has become of it so far."""

    url: str = field(repr=False)
    output: str | None  # a path, "-" for standard output, None for a name from the URL
    options: FetchOptions
    tell: Callable[[events.Event], None]
    plan: Plan | None = None
    skipped: bool = False  # the output was there already, and that was fine
    transferred: Transferred | None = None

    def steps(self) -> Steps:
        """The whole story. Raises HlspipeError where it cannot go on."""
        playlist = yield from self._media_playlist()
        if not playlist.end_list:
            self.tell(events.Warned("The playlist has no end: what it lists now is fetched"))
        self.plan = plan(playlist)
        if not self.plan.items:
            raise SegmentsMissingError("The server has no segment: the playlist calls each a gap")
        if self.output is None:
            self.output = output_name(self.url, self.plan.extension)
        if self.options.skip_existing and self.output_exists:
            self.skipped = True
            return
        self.transferred = yield self._transfer(self.plan, self.output)

    @property
    def output_exists(self) -> bool:
        """Whether the output is there before we began."""
        return self.output not in (None, STDOUT) and os.path.lexists(str(self.output))

    def _media_playlist(self) -> Generator[Wish, Fetched, MediaPlaylist]:
        playlist = yield from self._playlist(self.url, "the playlist")
        if isinstance(playlist, MultivariantPlaylist):
            playlist = yield from self._playlist(self._choose(playlist), "the media playlist")
        if isinstance(playlist, MultivariantPlaylist):
            raise PlaylistError(
                f"{public_url(self.url)} leads to variants, and the one chosen leads to variants"
                " again: that is no media playlist"
            )
        return playlist

    def _playlist(
        self, url: str, what: str
    ) -> Generator[Wish, Fetched, MediaPlaylist | MultivariantPlaylist]:
        fetched = yield Document(url, PLAYLIST_CAP, what)
        base = self.options.base_url if url == self.url else None
        return parse(fetched.body, base or fetched.url)

    def _choose(self, playlist: MultivariantPlaylist) -> str:
        variant = choose_variant(playlist)
        size = variant.resolution
        self.tell(
            events.VariantChosen(
                public_url(variant.url),
                variant.bandwidth,
                str(size) if size is not None else None,
                variant.codecs,
                len(playlist.variants),
            )
        )
        return variant.url

    def _transfer(self, what: Plan, output: str) -> Transfer:
        return Transfer(
            items=what.items,
            output=None if output == STDOUT else str(Path(output).absolute()),
            name="standard output" if output == STDOUT else output,
            duration=what.duration,
            force=self.options.force,
            allow_gaps=self.options.allow_gaps,
            known_bytes=what.known_bytes,
        )
