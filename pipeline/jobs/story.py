"""A download as a story: playlist, choice, plans, transfers, subtitles.

A generator of wishes (`processes.wishes`): it decides what is fetched and under which name, and
leaves the fetching to whoever runs it. What has become of it is noted in its `job`.
"""

import os
from collections.abc import Collection, Generator, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline import events
from pipeline.crypto.cbc import check_key
from pipeline.errors import OutputExistsError, PlaylistError, SegmentsMissingError
from pipeline.hls.downgrade import first_insecure, urls_of
from pipeline.hls.formats import format_resolution
from pipeline.hls.methods import SAMPLE_METHODS, WHOLE_ITEM_METHODS
from pipeline.hls.model import MediaPlaylist, MultivariantPlaylist, Rendition
from pipeline.hls.plan import GivenKey, Plan, PlannedItem, plan
from pipeline.hls.playlist import parse
from pipeline.hls.sections import Picked, parse_section, pick
from pipeline.hls.urls import require_fetchable
from pipeline.jobs.job import STDOUT, Job, Steps, Track
from pipeline.jobs.naming import output_name, rendition_name, with_ending
from pipeline.jobs.patterns import compile_exclusion
from pipeline.jobs.playlists import Chosen, choose, read_first, read_media
from pipeline.jobs.renewal import is_same_variant, renewed, still_wanted
from pipeline.options import KeyOptions, SelectionOptions
from pipeline.processes.limits import Limits
from pipeline.processes.wishes import Fetched, Transfer
from pipeline.units import public_url

if TYPE_CHECKING:
    from pipeline.jobs.subtitles import Segments, Subtitles

#: Stands for the URL of a key that the user has given: nothing is fetched under this name.
_GIVEN_KEY_URL = "given:key"

_METHODS = WHOLE_ITEM_METHODS | SAMPLE_METHODS


class Story:
    """The story of one job."""

    def __init__(self, job: Job) -> None:
        """What comes of it is noted in `job`."""
        self._job = job
        self._options = job.options
        self._tell = job.tell
        self._local = job.local
        self._insecurity_told = False
        self._fetched: tuple[tuple[Subtitles, Segments], ...] = ()
        self._fetched_keys: Mapping[str, bytes] = {}

    def steps(self, first: Fetched | None) -> Steps:
        """All that follows the first document. Raises HlspipeError where it cannot go on."""
        playlists, chosen = yield from self.read(first)
        self._plan(playlists, chosen)
        job = self._job
        if self._options.accepts_existing and job.output_exists:
            job.skipped = True
            self._tell(events.AlreadyThere(str(job.output)))
            return
        yield from self._fetch_subtitles()
        job.transferred = yield tuple(self._transfer(track) for track in job.media)
        self._write_subtitles()

    # -- reading -----------------------------------------------------------------------------

    def read(
        self, first: Fetched | None
    ) -> Generator[Any, Any, tuple[tuple[MediaPlaylist, ...], tuple[Rendition | None, ...]]]:
        """The media playlists to download, and which rendition each is (None: the main one).

        `first` is the playlist that was asked for, unless the job has its text.
        """
        base, job = self._options.base_url, self._job
        if first is not None:
            playlist = yield from read_first(first, base)
        else:
            playlist = parse(job.text or b"", job.url, base_url=base)
        if isinstance(playlist, MediaPlaylist):
            return (playlist,), (None,)
        chosen = choose(playlist, self._options.selection)
        if self._job.output == STDOUT and chosen.renditions:
            self._tell(events.Warned("Separate audio and subtitles do not go to standard output"))
            chosen = Chosen(chosen.variant, ())
        for url in chosen.urls:
            require_fetchable(url, allow_local=self._local)
        self._look_at_security(playlist.url, chosen.urls)
        self._job.variant = chosen.variant
        self._tell_variant(playlist, chosen)
        media = yield from read_media(chosen.urls, playlist)
        return media, (None, *chosen.renditions)

    def _tell_variant(self, playlist: MultivariantPlaylist, chosen: Chosen) -> None:
        variant = chosen.variant
        self._tell(
            events.VariantChosen(
                public_url(variant.url),
                variant.bandwidth,
                format_resolution(variant.resolution),
                variant.codecs,
                len(playlist.variants),
            )
        )

    def read_again(
        self, first: Fetched
    ) -> Generator[Any, Any, tuple[tuple[PlannedItem, ...], ...]]:
        """The items of each transfer with the URLs that the playlist, `first`, names now."""
        job = self._job
        again = Job(job.url, job.output, self._options, lambda _: None, local=self._local)
        playlists, renditions = yield from Story(again).read(first)
        if not is_same_variant(job.variant, again.variant):
            raise PlaylistError("The playlist has changed: the variant is not there any more")
        found = dict(zip(map(_without_url, renditions), playlists, strict=True))
        return tuple(
            self._renewed(track, found.get(_without_url(track.rendition))) for track in job.media
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
            self._job.tracks.append(Track(output, playlist, made, rendition))
        self._look_for_existing_renditions()
        self._look_at_size()
        self._warn(self._job.tracks[0])

    def _warn(self, track: Track) -> None:
        """Say what the user should know of the main output."""
        main = track.playlist
        if not main.end_list:
            self._tell(events.Warned("The playlist has no end: what it lists now is fetched"))
        if gaps := len(track.plan.gaps):
            self._tell(events.Warned(f"The playlist calls {gaps} of its segments a gap: left out"))
        if (jumps := track.plan.jumps) and not self._job.remuxed:
            self._tell(events.Warned(_jump_warning(jumps)))
        if self._options.selection != SelectionOptions() or self._options.keys != KeyOptions():
            from pipeline.jobs.wanted import unused  # noqa: PLC0415  (most want the usual)

            encrypted = any(item.decryption for item in track.plan.items)
            for text in unused(self._options, self._job.variant is not None, encrypted):
                self._tell(events.Warned(text))
        if track.plan.extension == ".vtt" and Path(track.output).suffix.lower() == ".srt":
            self._tell(events.Warned("The segments are WebVTT, and joined as they are: no SubRip"))
        if main.stray_lines:
            ignored = f"{main.stray_lines} lines of the playlist belong to no segment: left out"
            self._tell(events.Warned(ignored))

    def _look_for_existing_renditions(self) -> None:
        """Before anything is fetched; for the main output that has been done already."""
        there = [track for track in self._job.tracks[1:] if os.path.lexists(track.output)]
        if self._options.accepts_existing:
            self._job.tracks = [track for track in self._job.tracks if track not in there]
        elif there and not self._options.force:
            raise OutputExistsError(f"{there[0].output} exists already: --force replaces it")

    def _look_at_size(self) -> None:
        """Before anything is fetched, as far as the playlists tell."""
        least = sum(track.plan.least_bytes for track in self._job.media)
        if error := Limits(self._options.max_size).exceeded(least, 0.0):
            raise error

    def _look_at_security(self, source: str, urls: Iterable[str]) -> None:
        """Say once, or refuse, that a playlist leads from https to http. Raises PlaylistError."""
        first = first_insecure(source, urls)
        if first is None:
            return
        if self._options.http.strict_tls:
            raise PlaylistError(
                f"From https, the playlist leads to {public_url(first)}: --strict-tls refuses that"
            )
        if not self._insecurity_told:
            self._insecurity_told = True
            told = f"From https, the playlist leads to http: {public_url(first)}, for one"
            self._tell(events.Warned(told))

    def _plan_of(self, playlist: MediaPlaylist) -> Plan:
        made = self._planned(playlist, self._picked(playlist))
        if not made.items:
            raise SegmentsMissingError("The server has no segment: the playlist calls each a gap")
        if self._options.keys.key is not None:
            for method in {item.decryption.method for item in made.items if item.decryption}:
                check_key(self._options.keys.key, method)
        return made

    def _planned(self, playlist: MediaPlaylist, keep: Collection[int] | None) -> Plan:
        made = plan(
            playlist,
            keep=keep,
            allow_local=self._local,
            methods=_METHODS,
            given=self._given_key(),
        )
        asked = self._options.keys.key_url  # where the user wants it from
        self._look_at_security(playlist.url, (url for url in urls_of(made.items) if url != asked))
        return made

    def _picked(self, playlist: MediaPlaylist) -> tuple[int, ...] | None:
        asked = self._options.selection
        if asked.section is None and asked.exclude is None:
            return None
        picked = pick(
            playlist,
            section=parse_section(asked.section) if asked.section is not None else None,
            exclude=compile_exclusion(asked.exclude),
        )
        if not self._job.tracks:
            self._tell(_picked_event(picked, len(playlist.segments)))
        return picked.keep

    def _given_key(self) -> GivenKey | None:
        keys = self._options.keys
        url = _GIVEN_KEY_URL if keys.key is not None else keys.key_url
        return GivenKey(url, keys.iv) if url is not None or keys.iv is not None else None

    @property
    def _keys(self) -> Mapping[str, bytes]:
        key = self._options.keys.key
        return self._fetched_keys if key is None else {_GIVEN_KEY_URL: key}

    def _name(self, made: Plan, rendition: Rendition | None, taken: list[str]) -> str:
        if rendition is None:
            if self._job.output is None:
                self._job.output = output_name(self._job.url, made.extension)
            self._job.output = with_ending(self._job.output, made.extension)
            return self._job.output
        extension = made.extension
        if rendition.type == "AUDIO" and extension == ".mp4":
            extension = ".m4a"
        if rendition.type == "SUBTITLES":
            extension = f".{self._options.selection.subtitles_format.value}"
        main = str(self._job.output)
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
            force=self._options.force,
            checksum=self._options.checksum,
            fsync=self._options.fsync,
            kept_as=self._identity(made),
            allow_gaps=self._options.allow_gaps,
            strip_images=self._options.strip_images,
            known_bytes=made.known_bytes,
            marks=made.breaks if self._job.remuxed else (),
            keys=self._keys,
        )

    def _identity(self, made: Plan) -> str | None:
        """What an unfinished output of the plan is known by, if it is to be taken up."""
        if not self._options.resume:
            return None
        from pipeline.jobs.identity import plan_identity  # noqa: PLC0415  (5 ms, with OpenSSL's)

        return plan_identity(made, self._options.keys)

    def _fetch_subtitles(self) -> Steps:
        """The subtitles' segments: before any output is published, so that all are or none."""
        tracks = [track for track in self._job.tracks if track.is_subtitles]
        if not tracks:
            return
        # Imported here: few downloads have subtitles.
        from pipeline.jobs import subtitles as texts  # noqa: PLC0415

        wanted = tuple(texts.Subtitles(each.output, each.playlist, each.plan) for each in tracks)
        fetched, self._fetched_keys = yield from texts.fetch_subtitles(wanted, self._keys)
        self._fetched = tuple(zip(wanted, fetched, strict=True))

    def _write_subtitles(self) -> None:
        """Their times count from the video's, which is on disk by now."""
        if not self._fetched:
            return
        from pipeline.jobs import subtitles as texts  # noqa: PLC0415

        main, asked = self._job.tracks[0], self._options.selection
        video = texts.video_of(main.playlist, main.plan, main.output)
        for one, segments in self._fetched:
            kind, force = asked.subtitles_format, self._options.force
            size = texts.write_subtitles(one, segments, video, kind, force)
            self._job.subtitles[one.output] = size
            self._tell(events.OutputPublished(one.output, size))


def _without_url(rendition: Rendition | None) -> Rendition | None:
    """The rendition as it is known again when its URL has changed."""
    return rendition and rendition._replace(uri=None, url=None)


def _jump_warning(jumps: int) -> str:
    places = "one place" if jumps == 1 else f"{jumps} places"
    return (
        f"Timestamps may jump at {places} (EXT-X-DISCONTINUITY): the bytes are joined as they are,"
        " and some players show a wrong duration"
    )


def _picked_event(picked: Picked, total: int) -> events.SegmentsPicked:
    return events.SegmentsPicked(len(picked.keep), total, picked.outside, picked.excluded)
