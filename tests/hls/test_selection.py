"""Choosing variant streams and renditions."""

import pytest

from pipeline.errors import PlaylistError, UsageError
from pipeline.hls.selection import audio_language, choose_renditions, choose_variant
from tests.hls.reading import multivariant

PLAYLIST = multivariant(
    '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="Deutsch",LANGUAGE="de",URI="de.m3u8"',
    '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="English",LANGUAGE="en-US",DEFAULT=YES,'
    'URI="en.m3u8"',
    '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="Inside",LANGUAGE="fr"',
    '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="b",NAME="Suomi",LANGUAGE="fi",URI="fi.m3u8"',
    '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="Deutsch",LANGUAGE="de",URI="de-s.m3u8"',
    '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="English",LANGUAGE="en",URI="en-s.m3u8"',
    '#EXT-X-STREAM-INF:BANDWIDTH=800000,RESOLUTION=640x360,CODECS="avc1.1,mp4a.40.2",'
    'FRAME-RATE=25,AUDIO="b",NAME="small"',
    "360.m3u8",
    '#EXT-X-STREAM-INF:BANDWIDTH=5000000,RESOLUTION=1920x1080,CODECS="hvc1.2,mp4a.40.2",'
    'FRAME-RATE=50,AUDIO="a",SUBTITLES="s"',
    "1080.m3u8",
    "#EXT-X-STREAM-INF:BANDWIDTH=2000000,AVERAGE-BANDWIDTH=1900000,RESOLUTION=1280x720,"
    'CODECS="avc1.3,mp4a.40.2",AUDIO="a",SUBTITLES="s"',
    "720.m3u8",
    '#EXT-X-STREAM-INF:BANDWIDTH=64000,CODECS="mp4a.40.2"',
    "sound.m3u8",
)


@pytest.mark.parametrize(
    ("rules", "uri"),
    [
        ("best", "1080.m3u8"),
        ("", "1080.m3u8"),
        ("worst", "sound.m3u8"),
        ("720p", "720.m3u8"),
        ("640x360", "360.m3u8"),
        ("2", "720.m3u8"),
        ("height<=720", "720.m3u8"),
        ("height>100,worst", "360.m3u8"),
        ("width<1000", "360.m3u8"),
        ("bandwidth<4M", "720.m3u8"),
        ("bandwidth=64k", "sound.m3u8"),
        ("average_bandwidth>1M", "720.m3u8"),
        ("fps>30", "1080.m3u8"),
        ("codecs=hvc1", "1080.m3u8"),
        ("codecs=HVC1", "1080.m3u8"),
        ("codecs!=hvc1", "720.m3u8"),
        ("height<=1080,codecs=avc1,bandwidth<4M", "720.m3u8"),
        ("audio=fi", "360.m3u8"),
        ("audio=en", "1080.m3u8"),
        ("audio=Deutsch,worst", "720.m3u8"),
        ("name=small", "360.m3u8"),
        ("2160p/720p/best", "720.m3u8"),
    ],
)
def test_rules_pick_a_variant(rules: str, uri: str) -> None:
    """All conditions hold, and the one of most (or least) bandwidth is taken."""
    assert choose_variant(PLAYLIST, rules).uri == uri


def test_by_default_the_most_bandwidth() -> None:
    """The first of equals, unless one is larger."""
    playlist = multivariant(
        "#EXT-X-STREAM-INF:BANDWIDTH=9",
        "a",
        "#EXT-X-STREAM-INF:BANDWIDTH=9,RESOLUTION=2x2",
        "b",
        "#EXT-X-STREAM-INF:BANDWIDTH=9,RESOLUTION=2x2",
        "c",
        "#EXT-X-STREAM-INF:",
        "d",
    )

    assert choose_variant(playlist).uri == "b"


def test_nothing_matches() -> None:
    """The error lists what there is."""
    with pytest.raises(UsageError) as caught:
        choose_variant(PLAYLIST, "height>2000")

    message = str(caught.value)
    assert 'No variant stream matches "height>2000"' in message
    assert "1920x1080, 5.0 Mbit/s, hvc1.2,mp4a.40.2" in message
    assert message.count(" | ") == 3


def test_a_long_list_is_cut() -> None:
    """A dozen and a count."""
    playlist = multivariant(*["#EXT-X-STREAM-INF:BANDWIDTH=1", "v"] * 50)

    with pytest.raises(UsageError, match=r"and 38 more$"):
        choose_variant(playlist, "720p")


def test_no_variants_at_all() -> None:
    """That is the playlist's fault, not the rule's."""
    with pytest.raises(PlaylistError, match="lists no variant streams"):
        choose_variant(multivariant('#EXT-X-MEDIA:TYPE=AUDIO,URI="a"'))


@pytest.mark.parametrize(
    ("kind", "wanted", "uris"),
    [
        ("AUDIO", "default", ["en.m3u8"]),
        ("AUDIO", "all", ["de.m3u8", "en.m3u8"]),
        ("AUDIO", "none", []),
        ("AUDIO", "en", ["en.m3u8"]),
        ("AUDIO", "EN-us", ["en.m3u8"]),
        ("AUDIO", "deutsch", ["de.m3u8"]),
        ("AUDIO", "fr", []),
        ("AUDIO", "en,de,en", ["en.m3u8", "de.m3u8"]),
        ("SUBTITLES", "de", ["de-s.m3u8"]),
        ("SUBTITLES", "default", ["de-s.m3u8"]),
        ("SUBTITLES", "all", ["de-s.m3u8", "en-s.m3u8"]),
    ],
)
def test_renditions_of_the_variants_group(kind: str, wanted: str, uris: list[str]) -> None:
    """By language or name; those without a URI are inside the variant stream already."""
    variant = choose_variant(PLAYLIST, "720p")

    assert [one.uri for one in choose_renditions(PLAYLIST, variant, kind, wanted)] == uris


def test_a_language_that_is_not_there() -> None:
    """The error lists those that are, and only those of the variant's own group."""
    variant = choose_variant(PLAYLIST, "720p")

    with pytest.raises(UsageError) as caught:
        choose_renditions(PLAYLIST, variant, "AUDIO", "fi")

    assert 'No audio rendition is "fi"' in str(caught.value)
    assert "en-US (English)" in str(caught.value)
    assert "Suomi" not in str(caught.value)


def test_a_variant_without_a_group_has_no_renditions() -> None:
    """Its sound is inside; asking for a language names none."""
    variant = choose_variant(PLAYLIST, "worst")

    assert choose_renditions(PLAYLIST, variant, "AUDIO") == ()
    with pytest.raises(UsageError, match="there are: none"):
        choose_renditions(PLAYLIST, variant, "AUDIO", "en")


def test_the_language_among_the_rules() -> None:
    """`audio=` picks both the variant and its rendition."""
    assert audio_language(PLAYLIST, "audio=en/best") == "en"
    assert audio_language(PLAYLIST, "audio!=en") is None


def test_the_language_of_a_rule_that_does_not_fit() -> None:
    """Nobody asks for it when another rule has picked the variant."""
    assert audio_language(PLAYLIST, "audio=xx/best") is None
