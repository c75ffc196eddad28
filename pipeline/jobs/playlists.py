"""From a URL to media playlists: what a job reads before it fetches a single segment.

Generators of wishes, like `story`: they say what is to be read and make of it what `hls` can use.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from pipeline.errors import PlaylistError
from pipeline.hls.limits import MAX_SEGMENTS_TAKEN
from pipeline.hls.model import MediaPlaylist, MultivariantPlaylist, Rendition, VariantStream
from pipeline.hls.playlist import parse
from pipeline.hls.selection import audio_language, choose_renditions, choose_variant
from pipeline.jobs.sources import PLAYLIST_CAP
from pipeline.options import SelectionOptions
from pipeline.processes.wishes import Document, Fetched, Wish
from pipeline.units import public_url

#: Media playlists that are asked for at a time, and held as text until all of them are there.
_AT_A_TIME = 8

Playlist = MediaPlaylist | MultivariantPlaylist
Steps = Generator[Wish | tuple[Wish, ...], Any, Any]


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a multivariant playlist leads to: one variant stream, and renditions beside it."""

    variant: VariantStream
    renditions: tuple[Rendition, ...]

    @property
    def urls(self) -> tuple[str, ...]:
        """The media playlists, that of the variant stream first."""
        return (self.variant.url, *(found.url for found in self.renditions if found.url))


def choose(playlist: MultivariantPlaylist, options: SelectionOptions) -> Chosen:
    """What `options` pick. Raises UsageError where nothing fits them."""
    variant = choose_variant(playlist, options.format)
    audio = options.audio
    if audio == "default":
        audio = audio_language(playlist, options.format) or audio
    return Chosen(
        variant,
        (
            *_unlike(variant, choose_renditions(playlist, variant, "AUDIO", audio)),
            *choose_renditions(playlist, variant, "SUBTITLES", options.subtitles),
        ),
    )


def _unlike(variant: VariantStream, renditions: tuple[Rendition, ...]) -> tuple[Rendition, ...]:
    """Those that are not the variant stream itself: audio-only variants list themselves."""
    return tuple(found for found in renditions if found.url != variant.url)


def read_first(fetched: Fetched, base_url: str | None) -> Generator[Wish, Fetched, Playlist]:
    """The playlist that the user asked for, out of the document that has come."""
    playlist = parse(fetched.body, fetched.url, base_url=base_url)
    if isinstance(playlist, MediaPlaylist):
        return (yield from _whole(playlist, base_url, {}))
    return playlist


def read_media(
    urls: tuple[str, ...], origin: MultivariantPlaylist
) -> Generator[Wish | tuple[Wish, ...], Any, tuple[MediaPlaylist, ...]]:
    """The media playlists at `urls`, some at a time."""
    if origin.url in urls:
        raise _no_media_playlist(origin.url)
    found: list[MediaPlaylist] = []
    for start in range(0, len(urls), _AT_A_TIME):
        some = urls[start : start + _AT_A_TIME]
        fetched = yield tuple(Document(url, PLAYLIST_CAP, "the media playlist") for url in some)
        for answer in fetched:
            playlist = parse(answer.body, answer.url, variables=origin.variables)
            if isinstance(playlist, MultivariantPlaylist):
                raise _no_media_playlist(answer.url)
            found.append((yield from _whole(playlist, None, origin.variables)))
            _check_segments(found)
    return tuple(found)


def _check_segments(playlists: list[MediaPlaylist]) -> None:
    if sum(len(each.segments) for each in playlists) > MAX_SEGMENTS_TAKEN:
        raise PlaylistError(
            f"Variant and renditions have more than {MAX_SEGMENTS_TAKEN} segments together:"
            " take fewer of them (--audio, --subtitles)"
        )


def _no_media_playlist(url: str) -> PlaylistError:
    return PlaylistError(f"{public_url(url)} was to be a media playlist and lists variants again")


def _whole(
    playlist: MediaPlaylist, base_url: str | None, variables: Mapping[str, str]
) -> Generator[Wish, Fetched, MediaPlaylist]:
    """The playlist itself, or, of a delta update (EXT-X-SKIP), all of it."""
    if not playlist.skipped_segments:
        return playlist
    fetched = yield Document(_without_skip(playlist.url), PLAYLIST_CAP, "the whole media playlist")
    whole = parse(fetched.body, fetched.url, base_url=base_url, variables=variables)
    return whole if isinstance(whole, MediaPlaylist) else playlist


def _without_skip(url: str) -> str:
    """`url` without the delivery directive that asks for a delta (rfc8216bis section 6.2.5.1).

    What is left of the query stays as it was written: it may be signed.
    """
    parts = urlsplit(url)
    kept = [part for part in parts.query.split("&") if part.partition("=")[0] != "_HLS_skip"]
    return urlunsplit(parts._replace(query="&".join(kept)))
