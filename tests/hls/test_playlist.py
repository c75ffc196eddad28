"""The door: which kind of playlist it is, where it came from, and what it costs."""

import subprocess
import sys

import pytest

from pipeline.errors import PlaylistError
from pipeline.hls.model import MediaPlaylist, MultivariantPlaylist
from pipeline.hls.playlist import parse
from tests.hls.reading import URL, text
from tests.support.effort import check_linear


@pytest.mark.parametrize(
    ("lines", "kind"),
    [
        pytest.param(["#EXT-X-STREAM-INF:BANDWIDTH=1", "v"], MultivariantPlaylist, id="variants"),
        pytest.param(['#EXT-X-MEDIA:TYPE=AUDIO,URI="a"'], MultivariantPlaylist, id="renditions"),
        pytest.param(
            ['#EXT-X-I-FRAME-STREAM-INF:URI="i"'], MultivariantPlaylist, id="I-frame variants"
        ),
        pytest.param(["#EXTINF:1,", "a"], MediaPlaylist, id="segments"),
        pytest.param(["#EXT-X-TARGETDURATION:1"], MediaPlaylist, id="a target duration only"),
        pytest.param([], MediaPlaylist, id="nothing"),
        pytest.param(
            ['#EXT-X-SESSION-KEY:METHOD=AES-128,URI="k"', "#EXTINF:1,", "a"],
            MediaPlaylist,
            id="segments and tags of the other kind",
        ),
        pytest.param(
            ["#EXT-X-STREAM-INF:BANDWIDTH=1", "v", "#EXT-X-ENDLIST"],
            MultivariantPlaylist,
            id="variants and an end list",
        ),
    ],
)
def test_the_kind_shows_in_the_tags(lines: list[str], kind: type) -> None:
    """RFC 8216 section 4.1: a playlist is one or the other; segments decide where it is both."""
    assert type(parse(text(*lines), URL)) is kind


def test_bytes_and_text_are_the_same() -> None:
    """Text in any script, as UTF-8."""
    playlist = text("#EXTINF:1,Ünïcode 日本", "ü.ts")

    assert parse(playlist, URL) == parse(playlist.encode(), URL)


def test_a_base_url_replaces_the_playlists_own() -> None:
    """For playlists that were saved to a file; their own URL is still known."""
    playlist = parse(text("#EXTINF:1,", "s.ts"), "i.m3u8", base_url="http://host/b/")

    assert isinstance(playlist, MediaPlaylist)
    assert playlist.url == "i.m3u8"
    assert playlist.segments[0].url == "http://host/b/s.ts"


def test_a_base_url_that_is_none_is_an_error_of_the_line_that_needs_it() -> None:
    """Never another exception."""
    with pytest.raises(PlaylistError, match="Line 3"):
        parse(text("#EXTINF:1,", "s.ts"), "http://[::1/")


#: Each about 64 KB.
HOSTILE = {
    "quotes": "#EXT-X-STREAM-INF:" + '"' * 65_000,
    "quotes that pair up": "#EXT-X-STREAM-INF:" + 'A="b,' * 13_000,
    "commas and blanks": "#EXT-X-STREAM-INF:" + ", " * 32_000,
    "attributes": "#EXT-X-STREAM-INF:" + "A=1," * 16_000,
    "dots in a URI": "#EXTINF:1,\n" + "../" * 21_000,
    "open references": "#EXTINF:1,\n" + "{$" * 32_000,
    "comments": "\n".join(["#"] * 32_000),
    "smallest segments": "#EXTINF:1,\na\n" * 5_000,
    "changing keys": '#EXT-X-KEY:METHOD=AES-128,URI="k",IV=1\n#EXTINF:1,\na\n' * 1_200,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_half_a_megabyte_takes_no_time(name: str) -> None:
    """Whatever is in it: time grows with the number of bytes, and not faster."""
    check_linear(lambda size: parse(text(*[HOSTILE[name]] * size, "v"), URL), size=2)


def test_reading_playlists_loads_little() -> None:
    """No HTTP, no other parser: what it imports, every process of the pipeline pays for."""
    heavy = "{'m3u8', 'requests', 'urllib.request', 'http', 'email', 'multiprocessing'}"
    program = (
        "import sys; before = set(sys.modules); import pipeline.hls.model;"
        "import pipeline.hls.playlist, pipeline.hls.plan, pipeline.hls.inspection;"
        f"print(sorted({heavy} & (set(sys.modules) - before)))"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"
