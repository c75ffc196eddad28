"""Multivariant playlists (RFC 8216 section 4.3.4)."""

import pytest

from pipeline.errors import PlaylistError
from pipeline.hls.model import Rendition, VariantStream
from tests.hls.reading import multivariant


def test_a_variant_is_its_tag_and_the_uri_behind_it() -> None:
    """Section 4.3.4.2."""
    playlist = multivariant(
        "#EXT-X-VERSION:7",
        "#EXT-X-START:TIME-OFFSET=2",
        "#EXT-X-STREAM-INF:BANDWIDTH=2000000,AVERAGE-BANDWIDTH=1800000,FRAME-RATE=29.970,"
        'CODECS="avc1.4d401f,mp4a.40.2",RESOLUTION=1280x720,AUDIO="aac",VIDEO="v",'
        'SUBTITLES="s",CLOSED-CAPTIONS=NONE,NAME="720p"',
        "# a comment",
        "720p/i.m3u8",
    )

    assert playlist.version == 7
    assert playlist.start_time_offset == 2
    assert playlist.variants == (
        VariantStream(
            uri="720p/i.m3u8",
            url="http://host/a/720p/i.m3u8",
            bandwidth=2_000_000,
            average_bandwidth=1_800_000,
            codecs="avc1.4d401f,mp4a.40.2",
            resolution=(1280, 720),
            frame_rate=29.97,
            audio="aac",
            video="v",
            subtitles="s",
            closed_captions="NONE",
            name="720p",
        ),
    )


def test_i_frame_variants_carry_their_uri() -> None:
    """Section 4.3.4.3; without a URI there is nothing to list."""
    playlist = multivariant(
        '#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI="i.m3u8"',
        "#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1",
    )

    assert [one.url for one in playlist.i_frame_variants] == ["http://host/a/i.m3u8"]
    assert playlist.variants == ()


def test_renditions() -> None:
    """Section 4.3.4.1; without a URI a rendition is part of the variant stream."""
    playlist = multivariant(
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="aac",NAME="English",LANGUAGE="en",DEFAULT=YES,'
        'AUTOSELECT=YES,URI="en.m3u8",CHANNELS="2"',
        '#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="cc",NAME="CC",INSTREAM-ID="CC1"',
        '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="Deutsch",FORCED=YES,URI="de.m3u8"',
    )

    assert playlist.renditions == (
        Rendition(
            type="AUDIO",
            group_id="aac",
            name="English",
            language="en",
            uri="en.m3u8",
            url="http://host/a/en.m3u8",
            default=True,
            autoselect=True,
            channels="2",
        ),
        Rendition(type="CLOSED-CAPTIONS", group_id="cc", name="CC", instream_id="CC1"),
        Rendition(
            type="SUBTITLES",
            group_id="s",
            name="Deutsch",
            uri="de.m3u8",
            url="http://host/a/de.m3u8",
            forced=True,
        ),
    )


def test_session_keys() -> None:
    """Section 4.3.4.5; METHOD=NONE is no key."""
    playlist = multivariant(
        "#EXT-X-STREAM-INF:BANDWIDTH=1",
        "v",
        '#EXT-X-SESSION-KEY:METHOD=AES-128,URI="k"',
        "#EXT-X-SESSION-KEY:METHOD=NONE",
    )

    assert [key.url for key in playlist.session_keys] == ["http://host/a/k"]


def test_unreadable_numbers_are_absent() -> None:
    """They inform; a variant with a bad bandwidth can still be taken."""
    (variant,) = multivariant(
        "#EXT-X-STREAM-INF:BANDWIDTH=high,RESOLUTION=hd,FRAME-RATE=x", "v"
    ).variants

    assert (variant.bandwidth, variant.resolution, variant.frame_rate) == (None, None, None)


def test_lines_without_a_tag_are_ignored() -> None:
    """A URI line belongs to the EXT-X-STREAM-INF right before it."""
    playlist = multivariant("junk", "#EXT-X-STREAM-INF:BANDWIDTH=1", "v", "junk")

    assert [one.uri for one in playlist.variants] == ["v"]


def test_a_playlist_cut_before_its_only_uri_is_an_error() -> None:
    """There is nothing that could be taken."""
    with pytest.raises(PlaylistError, match="before the URI"):
        multivariant("#EXT-X-STREAM-INF:BANDWIDTH=1")


@pytest.mark.parametrize(
    ("lines", "what"),
    [
        (["#EXT-X-STREAM-INF:BANDWIDTH=1", "v"], "variants"),
        (['#EXT-X-I-FRAME-STREAM-INF:URI="i"'], "I-frame variants"),
        (["#EXT-X-MEDIA:TYPE=AUDIO"], "renditions"),
    ],
)
def test_each_kind_is_capped(lines: list[str], what: str) -> None:
    """A thousand of each."""
    multivariant(*lines * 1000)

    with pytest.raises(PlaylistError, match=f"more than 1000 {what}"):
        multivariant(*lines * 1001)


def test_session_keys_are_capped() -> None:
    """A thousand, too; alone they would make no multivariant playlist."""
    variant = ("#EXT-X-STREAM-INF:BANDWIDTH=1", "v")
    key = ['#EXT-X-SESSION-KEY:METHOD=AES-128,URI="k"']

    multivariant(*variant, *key * 1000)

    with pytest.raises(PlaylistError, match="more than 1000 session keys"):
        multivariant(*variant, *key * 1001)
