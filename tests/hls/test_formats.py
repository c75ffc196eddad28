"""The rows of `-F/--list-formats`."""

from pipeline.hls.formats import Format, describe_rendition, describe_variant, list_formats
from tests.hls.reading import multivariant

PLAYLIST = multivariant(
    '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="English",LANGUAGE="en",DEFAULT=YES,URI="en"',
    '#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=100,URI="i"',
    '#EXT-X-STREAM-INF:BANDWIDTH=2000000,RESOLUTION=1280x720,CODECS="avc1",AUDIO="a"',
    "v",
    "#EXT-X-STREAM-INF:",
    "\x1b[31mw",
)


def test_everything_there_is_has_a_row() -> None:
    """Variants with the number that `-f` takes, then I-frames, then renditions."""
    first, second, frames, sound = list_formats(PLAYLIST)

    assert first == Format(
        kind="variant",
        id=0,
        url="http://host/a/v",
        resolution="1280x720",
        bandwidth=2_000_000,
        codecs="avc1",
        group="a",
    )
    assert (second.id, second.resolution) == (1, None)
    assert (frames.kind, frames.id, frames.url) == ("iframes", None, "http://host/a/i")
    assert (sound.kind, sound.group, sound.language) == ("audio", "a", "en")
    assert (sound.name, sound.default) == ("English", True)


def test_descriptions_are_short_and_fit_to_print() -> None:
    """What is unknown is left out; server text is escaped."""
    described = [describe_variant(one) for one in PLAYLIST.variants]

    assert described == ["1280x720, 2.0 Mbit/s, avc1", r"\u001b[31mw"]
    assert describe_rendition(PLAYLIST.renditions[0]) == "en (English)"
