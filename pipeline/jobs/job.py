"""One download as a story: playlist, choice, plans, transfers, subtitles.

A generator of wishes (`processes.wishes`): it decides what is fetched and under which name, and
leaves the fetching to whoever runs it.
"""

import os
from collections.abc import Callable, Collection, Generator, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline import events
from pipeline.crypto.cbc import check_key
from pipeline.errors import OutputExistsError, PlaylistError, SegmentsMissingError
from pipeline.hls.downgrade import first_insecure, urls_of
from pipeline.hls.formats import format_resolution
from pipeline.hls.methods import SAMPLE_METHODS, WHOLE_ITEM_METHODS
from pipeline.hls.model import MediaPlaylist, MultivariantPlaylist, Rendition, VariantStream
from pipeline.hls.plan import GivenKey, Plan, PlannedItem, plan
from pipeline.hls.playlist import parse
from pipeline.hls.sections import Picked, parse_section, pick
from pipeline.hls.urls import require_fetchable
from pipeline.jobs.identity import plan_identity
from pipeline.jobs.naming import output_name, rendition_name, with_ending
from pipeline.jobs.patterns import compile_exclusion
from pipeline.jobs.playlists import PLAYLIST_CAP, Chosen, choose, read_first, read_media
from pipeline.jobs.renewal import is_same_variant, renewed, still_wanted
from pipeline.options import FetchOptions
from pipeline.processes.limits import Limits
from pipeline.processes.wishes import Document, Renewal, Transfer, Transferred, Wish
from pipeline.units import public_url

if TYPE_CHECKING:
    from pipeline.jobs.subtitles import Segments, Subtitles

STDOUT = "-"

#: Stands for the URL of a key that the user has given: nothing is fetched under this name.
_GIVEN_KEY_URL = "given:key"

_METHODS = WHOLE_ITEM_METHODS | SAMPLE_METHODS

Steps = Generator[Wish | tuple[Wish, ...], Any, Any]


@dataclass(frozen=True, slots=True)
class Track:
    """One output: the variant stream's, or a rendition's."""

    output: str
    playlist: MediaPlaylist
    plan: Plan
    rendition: Rendition | None = None

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
    tell: Callable[[events.Event], None]
    text: bytes | None = field(default=None, repr=False)  # the playlist, if it is here already
    local: bool = False  # the playlist may name files on this machine
    variant: VariantStream | None = None  # chosen of a multivariant playlist
    tracks: list[Track] = field(default_factory=list)
    remuxed: bool = False  # what is fetched is put into another container afterwards
    skipped: bool = False  # the output was there already, and that was fine
    transferred: tuple[Transferred, ...] = ()
    subtitles: dict[str, int] = field(default_factory=dict)  # outputs written, and their sizes
    _insecurity_told: bool = False
    _fetched: "tuple[tuple[Subtitles, Segments], ...]" = ()
    _fetched_keys: Mapping[str, bytes] = field(default_factory=dict, repr=False)

    def steps(self) -> Steps:
        """The whole story. Raises HlspipeError where it cannot go on."""
        playlists, chosen = yield from self._read()
        self._plan(playlists, chosen)
        if self.options.accepts_existing and self.output_exists:
            self.skipped = True
            return
        yield from self._fetch_subtitles()
        self.transferred = yield tuple(self._transfer(track) for track in self.media)
        self._write_subtitles()

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

    # -- reading -----------------------------------------------------------------------------

    def _read(
        self,
    ) -> Generator[Any, Any, tuple[tuple[MediaPlaylist, ...], tuple[Rendition | None, ...]]]:
        """The media playlists to download, and which rendition each is (None: the main one)."""
        document = Document(self.url, PLAYLIST_CAP, "the playlist")
        base = self.options.base_url
        if self.text is None:
            playlist = yield from read_first(document, base)
        else:
            playlist = parse(self.text, self.url, base_url=base)
        if isinstance(playlist, MediaPlaylist):
            return (playlist,), (None,)
        chosen = choose(playlist, self.options.selection)
        if self.output == STDOUT and chosen.renditions:
            self.tell(events.Warned("Separate audio and subtitles do not go to standard output"))
            chosen = Chosen(chosen.variant, ())
        for url in chosen.urls:
            require_fetchable(url, allow_local=self.local)
        self._look_at_security(playlist.url, chosen.urls)
        self.variant = chosen.variant
        self._tell_variant(playlist, chosen)
        media = yield from read_media(chosen.urls, playlist)
        return media, (None, *chosen.renditions)

    def _tell_variant(self, playlist: MultivariantPlaylist, chosen: Chosen) -> None:
        variant = chosen.variant
        self.tell(
            events.VariantChosen(
                public_url(variant.url),
                variant.bandwidth,
                format_resolution(variant.resolution),
                variant.codecs,
                len(playlist.variants),
            )
        )

    @property
    def renewal(self) -> Renewal | None:
        """How to read the playlist again; None if it did not come from a server."""
        return self._read_again if self.text is None else None

    def _read_again(self) -> Generator[Any, Any, tuple[tuple[PlannedItem, ...], ...]]:
        """The items of each transfer with the URLs that the playlist names now."""
        again = Job(self.url, self.output, self.options, lambda _: None, local=self.local)
        playlists, renditions = yield from again._read()
        if not is_same_variant(self.variant, again.variant):
            raise PlaylistError("The playlist has changed: the variant is not there any more")
        found = dict(zip(map(_without_url, renditions), playlists, strict=True))
        return tuple(
            self._renewed(track, found.get(_without_url(track.rendition))) for track in self.media
        )

    def _renewed(self, track: Track, playlist: MediaPlaylist | None) -> tuple[PlannedItem, ...]:
        items = track.plan.items
        if playlist is None or not (keep := still_wanted(items, playlist)):
            return items
        return renewed(items, self._planned(playlist, keep).items)

    # -- planning ----------------------------------------------------------------------------

    def _plan(
        self, playlists: tuple[MediaPlaylist, ...], renditions: tuple[Rendition | None, ...]
    ) -> None:
        taken: list[str] = []
        for playlist, rendition in zip(playlists, renditions, strict=True):
            made = self._plan_of(playlist)
            output = self._name(made, rendition, taken)
            taken.append(output)
            self.tracks.append(Track(output, playlist, made, rendition))
        self._look_for_existing_renditions()
        self._look_at_size()
        main = self.tracks[0].playlist
        if not main.end_list:
            self.tell(events.Warned("The playlist has no end: what it lists now is fetched"))
        if gaps := len(self.tracks[0].plan.gaps):
            self.tell(events.Warned(f"The playlist calls {gaps} of its segments a gap: left out"))
        if (jumps := self.tracks[0].plan.jumps) and not self.remuxed:
            self.tell(events.Warned(_jump_warning(jumps)))
        if main.stray_lines:
            ignored = f"{main.stray_lines} lines of the playlist belong to no segment: left out"
            self.tell(events.Warned(ignored))

    def _look_for_existing_renditions(self) -> None:
        """Before anything is fetched; for the main output that has been done already."""
        there = [track for track in self.tracks[1:] if os.path.lexists(track.output)]
        if self.options.accepts_existing:
            self.tracks = [track for track in self.tracks if track not in there]
        elif there and not self.options.force:
            raise OutputExistsError(f"{there[0].output} exists already: --force replaces it")

    def _look_at_size(self) -> None:
        """Before anything is fetched, as far as the playlists tell."""
        least = sum(track.plan.least_bytes for track in self.media)
        if error := Limits(self.options.max_size).exceeded(least, 0.0):
            raise error

    def _look_at_security(self, source: str, urls: Iterable[str]) -> None:
        """Say once, or refuse, that a playlist leads from https to http. Raises PlaylistError."""
        first = first_insecure(source, urls)
        if first is None:
            return
        if self.options.http.strict_tls:
            raise PlaylistError(
                f"From https, the playlist leads to {public_url(first)}: --strict-tls refuses that"
            )
        if not self._insecurity_told:
            self._insecurity_told = True
            told = f"From https, the playlist leads to http: {public_url(first)}, for one"
            self.tell(events.Warned(told))

    def _plan_of(self, playlist: MediaPlaylist) -> Plan:
        made = self._planned(playlist, self._picked(playlist))
        if not made.items:
            raise SegmentsMissingError("The server has no segment: the playlist calls each a gap")
        if self.options.keys.key is not None:
            for method in {item.decryption.method for item in made.items if item.decryption}:
                check_key(self.options.keys.key, method)
        return made

    def _planned(self, playlist: MediaPlaylist, keep: Collection[int] | None) -> Plan:
        made = plan(
            playlist,
            keep=keep,
            allow_local=self.local,
            methods=_METHODS,
            given=self._given_key(),
        )
        asked = self.options.keys.key_url  # where the user wants it from
        self._look_at_security(playlist.url, (url for url in urls_of(made.items) if url != asked))
        return made

    def _picked(self, playlist: MediaPlaylist) -> tuple[int, ...] | None:
        asked = self.options.selection
        if asked.section is None and asked.exclude is None:
            return None
        picked = pick(
            playlist,
            section=parse_section(asked.section) if asked.section is not None else None,
            exclude=compile_exclusion(asked.exclude),
        )
        if not self.tracks:
            self.tell(_picked_event(picked, len(playlist.segments)))
        return picked.keep

    def _given_key(self) -> GivenKey | None:
        keys = self.options.keys
        url = _GIVEN_KEY_URL if keys.key is not None else keys.key_url
        return GivenKey(url, keys.iv) if url is not None or keys.iv is not None else None

    @property
    def _keys(self) -> Mapping[str, bytes]:
        key = self.options.keys.key
        return self._fetched_keys if key is None else {_GIVEN_KEY_URL: key}

    def _name(self, made: Plan, rendition: Rendition | None, taken: list[str]) -> str:
        if rendition is None:
            if self.output is None:
                self.output = output_name(self.url, made.extension)
            self.output = with_ending(self.output, made.extension)
            return self.output
        extension = made.extension
        if rendition.type == "AUDIO" and extension == ".mp4":
            extension = ".m4a"
        if rendition.type == "SUBTITLES":
            extension = f".{self.options.selection.subtitles_format.value}"
        main = str(self.output)
        return rendition_name(main, rendition.language, rendition.name, extension, taken)

    # -- fetching ----------------------------------------------------------------------------

    def _transfer(self, track: Track) -> Transfer:
        made = track.plan
        stream = track.output == STDOUT
        return Transfer(
            items=made.items,
            output=None if stream else str(Path(track.output).absolute()),
            name="standard output" if stream else track.output,
            duration=made.duration,
            force=self.options.force,
            checksum=self.options.checksum,
            fsync=self.options.fsync,
            resume=plan_identity(made, self.options.keys) if self.options.resume else None,
            allow_gaps=self.options.allow_gaps,
            strip_images=self.options.strip_images,
            known_bytes=made.known_bytes,
            marks=made.breaks if self.remuxed else (),
            keys=self._keys,
        )

    def _fetch_subtitles(self) -> Steps:
        """The subtitles' segments: before any output is published, so that all are or none."""
        tracks = [track for track in self.tracks if track.is_subtitles]
        if not tracks:
            return
        # Imported here: few downloads have subtitles.
        from pipeline.jobs import subtitles as story  # noqa: PLC0415

        wanted = tuple(story.Subtitles(each.output, each.playlist, each.plan) for each in tracks)
        fetched, self._fetched_keys = yield from story.fetch_subtitles(wanted, self._keys)
        self._fetched = tuple(zip(wanted, fetched, strict=True))

    def _write_subtitles(self) -> None:
        """Their times count from the video's, which is on disk by now."""
        if not self._fetched:
            return
        from pipeline.jobs import subtitles as story  # noqa: PLC0415

        main, asked = self.tracks[0], self.options.selection
        video = story.video_of(main.playlist, main.plan, main.output)
        for one, segments in self._fetched:
            kind, force = asked.subtitles_format, self.options.force
            size = story.write_subtitles(one, segments, video, kind, force)
            self.subtitles[one.output] = size
            self.tell(events.OutputPublished(one.output, size))


def _without_url(rendition: Rendition | None) -> Rendition | None:
    """The rendition as it is known again when its URL has changed."""
    return rendition and replace(rendition, uri=None, url=None)


def _jump_warning(jumps: int) -> str:
    places = "one place" if jumps == 1 else f"{jumps} places"
    return (
        f"Timestamps may jump at {places} (EXT-X-DISCONTINUITY): the bytes are joined as they are,"
        " and some players show a wrong duration"
    )


def _picked_event(picked: Picked, total: int) -> events.SegmentsPicked:
    return events.SegmentsPicked(len(picked.keep), total, picked.outside, picked.excluded)
