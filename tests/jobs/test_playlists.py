"""What a job reads before its first segment: driven by hand, without a pipeline."""

from collections.abc import Generator, Mapping
from typing import Any

import pytest

from pipeline.errors import PlaylistError, UsageError
from pipeline.hls.model import MultivariantPlaylist
from pipeline.hls.playlist import parse
from pipeline.jobs import playlists
from pipeline.jobs.playlists import Chosen, choose, read_first, read_media
from pipeline.options import SelectionOptions
from pipeline.processes.wishes import Document, Fetched
from tests.support.playlists import Entry, Variant, media_playlist, multivariant_playlist

ROOT = "https://example.com/"
MEDIA = media_playlist([Entry("0.ts"), Entry("1.ts")])
DELTA = MEDIA.replace("#EXTINF", "#EXT-X-SKIP:SKIPPED-SEGMENTS=2\n#EXTINF", 1)
AUDIO = '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="{0}",LANGUAGE="{0}",URI="{1}"'
SUBTITLES = '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="{0}",LANGUAGE="{0}",URI="{0}.m3u8"'


def granted(steps: Generator[Any, Any, Any], texts: Mapping[str, str]) -> tuple[Any, list[str]]:
    """What the steps return when `texts` answer them, and the paths that they asked for."""
    asked: list[str] = []

    def answer(document: Document) -> Fetched:
        path = document.url.removeprefix(ROOT)
        asked.append(path)
        return Fetched(document.url, texts[path].encode())

    try:
        wish = next(steps)
        while True:
            many = isinstance(wish, tuple)
            wish = steps.send(tuple(map(answer, wish)) if many else answer(wish))
    except StopIteration as end:
        return end.value, asked


def multivariant(*tags: str, more: str = 'AUDIO="a",SUBTITLES="s"') -> MultivariantPlaylist:
    """A multivariant playlist with one variant stream."""
    text = multivariant_playlist([Variant("video.m3u8", 1, more=more)], tags)
    playlist = parse(text.encode(), f"{ROOT}main.m3u8")
    assert isinstance(playlist, MultivariantPlaylist)
    return playlist


def read(path: str, texts: Mapping[str, str], base_url: str | None = None) -> tuple[Any, list[str]]:
    """What `read_first` makes of the playlist at `path`."""

    def steps() -> Generator[Any, Any, Any]:
        fetched = yield Document(ROOT + path, 1000, "the playlist")
        return (yield from read_first(fetched, base_url))

    return granted(steps(), texts)


def names(chosen: Chosen) -> list[str | None]:
    """The names of the renditions."""
    return [one.name for one in chosen.renditions]


def test_a_media_playlist_takes_one_request():
    """A playlist that is whole is asked for once."""
    playlist, asked = read("list.m3u8", {"list.m3u8": MEDIA})

    assert len(playlist.segments) == 2
    assert asked == ["list.m3u8"]


@pytest.mark.parametrize(
    ("query", "without"),
    [("?_HLS_skip=YES", ""), ("?a=1&_HLS_skip=v2&b=", "?a=1&b="), ("?a=1", "?a=1"), ("", "")],
    ids=["alone", "among others", "not there", "no query"],
)
def test_a_delta_update_is_asked_for_as_a_whole(query, without):
    """A playlist that skips segments is asked for again, without the directive that it answers."""
    texts = {f"list.m3u8{without}": MEDIA, f"list.m3u8{query}": DELTA}
    _, asked = read(f"list.m3u8{query}", texts)

    assert asked == [f"list.m3u8{query}", f"list.m3u8{without}"]


def test_the_whole_of_a_delta_update_has_the_same_base():
    """What `--base-url` says of a delta update holds for the whole playlist."""
    elsewhere = "https://example.org/there/"
    texts = {"list.m3u8?_HLS_skip=YES": DELTA, "list.m3u8": MEDIA}
    playlist, _ = read("list.m3u8?_HLS_skip=YES", texts, elsewhere)

    assert playlist.segments[0].url == f"{elsewhere}0.ts"


def test_the_whole_of_a_delta_update_has_the_same_variables():
    """What a delta update imports, the whole playlist imports too."""
    define = '#EXT-X-DEFINE:IMPORT="where"\n#EXTINF'
    importing = MEDIA.replace("#EXTINF", define, 1).replace("0.ts", "{$where}/0.ts")
    skipping = importing.replace("#EXTINF", "#EXT-X-SKIP:SKIPPED-SEGMENTS=2\n#EXTINF", 1)
    origin = multivariant('#EXT-X-DEFINE:NAME="where",VALUE="there"')
    texts = {"video.m3u8?_HLS_skip=YES": skipping, "video.m3u8": importing}
    steps = read_media((f"{ROOT}video.m3u8?_HLS_skip=YES",), origin)
    (playlist,), _ = granted(steps, texts)

    assert playlist.segments[0].url == f"{ROOT}there/0.ts"


def test_media_playlists_are_asked_for_side_by_side():
    """Variant stream and renditions are one wish."""
    steps = read_media((f"{ROOT}a.m3u8", f"{ROOT}b.m3u8"), multivariant())

    assert [one.url for one in next(steps)] == [f"{ROOT}a.m3u8", f"{ROOT}b.m3u8"]


def test_many_media_playlists_are_asked_for_in_turn():
    """A thousand renditions are not held as text at the same time."""
    urls = tuple(f"{ROOT}{number}.m3u8" for number in range(20))
    texts = {url.removeprefix(ROOT): MEDIA for url in urls}
    found, asked = granted(read_media(urls, multivariant()), texts)

    assert len(next(read_media(urls, multivariant()))) == 8
    assert asked == list(texts)
    assert [playlist.url for playlist in found] == list(urls)


def test_no_more_segments_than_two_playlists_may_have(monkeypatch):
    """Each rendition may be as long as can be, and all of them together not."""
    monkeypatch.setattr(playlists, "MAX_SEGMENTS_TAKEN", 5)
    urls = tuple(f"{ROOT}{number}.m3u8" for number in range(3))
    texts = {url.removeprefix(ROOT): MEDIA for url in urls}

    granted(read_media(urls[:2], multivariant()), texts)
    with pytest.raises(PlaylistError, match="more than 5 segments together"):
        granted(read_media(urls, multivariant()), texts)


def test_a_variant_that_lists_variants():
    """A multivariant playlist in the place of a media playlist is an error."""
    text = multivariant_playlist([Variant("again.m3u8", 1)])
    with pytest.raises(PlaylistError, match="lists variants again"):
        granted(read_media((f"{ROOT}video.m3u8",), multivariant()), {"video.m3u8": text})


def test_a_variant_that_is_the_list_itself():
    """It cannot be a media playlist: nobody asks for it once more."""
    origin = multivariant()

    with pytest.raises(PlaylistError, match=r"main\.m3u8 was to be a media playlist"):
        next(read_media((f"{ROOT}video.m3u8", origin.url), origin))


def test_renditions_that_are_asked_for():
    """Audio by default, and subtitles by their language; their URLs follow the variant's."""
    playlist = multivariant(AUDIO.format("en", "en.m3u8"), SUBTITLES.format("de"))
    chosen = choose(playlist, SelectionOptions(subtitles="de"))

    assert names(chosen) == ["en", "de"]
    assert chosen.urls == tuple(f"{ROOT}{name}.m3u8" for name in ("video", "en", "de"))


def test_a_rendition_that_is_the_variant_itself():
    """A variant of audio alone lists itself as a rendition: it is not fetched twice."""
    chosen = choose(multivariant(AUDIO.format("en", "video.m3u8")), SelectionOptions())

    assert names(chosen) == []


def test_the_rule_for_variants_may_name_the_audio():
    """`audio=` among the rules picks the rendition; an option of its own goes first."""
    playlist = multivariant(AUDIO.format("en", "en.m3u8"), AUDIO.format("de", "de.m3u8"))

    assert names(choose(playlist, SelectionOptions("audio=de"))) == ["de"]
    assert names(choose(playlist, SelectionOptions("audio=de", "en"))) == ["en"]


def test_a_language_that_is_not_there():
    """The user's error names what there is."""
    with pytest.raises(UsageError, match="de"):
        choose(multivariant(SUBTITLES.format("de")), SelectionOptions(subtitles="fi"))
