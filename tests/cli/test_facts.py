import pytest

from pipeline.cli.facts import facts
from tests.cli.playlists import SEGMENTS, VARIANTS, media, multivariant

FAIRPLAY = 'KEYFORMAT="com.apple.streamingkeydelivery"'
WIDEVINE = 'KEYFORMAT="urn:uuid:edef8ba9-79d6-4ace-a3c8-27dcd51d21ed"'


def told(*lines: str) -> dict[str, list[str]]:
    """What is said of the media playlist of these lines."""
    return {name: list(texts) for name, texts in facts(media(*lines))}


def test_a_plain_playlist_is_told_in_full() -> None:
    """What a playlist does not have is said too."""
    assert told("#EXT-X-VERSION:3", *SEGMENTS, "#EXT-X-ENDLIST") == {
        "Kind": ["media playlist, version 3"],
        "State": ["complete"],
        "Segments": ["2 (media sequence numbers 0 to 1)"],
        "Duration": ["0:10 (10.500 s), target duration 6 s"],
        "Encryption": ["none"],
        "Initialization": ["none"],
        "Byte ranges": ["none"],
        "Discontinuities": ["none"],
        "Gaps": ["none"],
    }


@pytest.mark.parametrize(
    ("lines", "fact", "text"),
    [
        ((), "Kind", "media playlist, version not given"),
        (("#EXT-X-I-FRAMES-ONLY",), "Kind", "I-frame playlist, version not given"),
        ((), "State", "live: it has no end yet"),
        (("#EXT-X-PLAYLIST-TYPE:EVENT",), "State", "live: it has no end yet (EVENT)"),
        (("#EXT-X-PLAYLIST-TYPE:VOD", "#EXT-X-ENDLIST"), "State", "complete (VOD)"),
        (("#EXT-X-MEDIA-SEQUENCE:7",), "Segments", "2 (media sequence numbers 7 to 8)"),
        (('#EXT-X-MAP:URI="init.mp4"',), "Initialization", "1 section"),
        (("#EXT-X-START:TIME-OFFSET=-9.5",), "Start", "at -9.5 s"),
    ],
)
def test_what_stands_at_the_top(lines: tuple[str, ...], fact: str, text: str) -> None:
    """Tags of the whole playlist lead to their fact."""
    assert told(*lines, *SEGMENTS)[fact] == [text]


@pytest.mark.parametrize(
    ("lines", "fact", "text"),
    [
        (("#EXT-X-BYTERANGE:10@0",), "Byte ranges", "1 segment in 1 resource"),
        (("#EXT-X-DISCONTINUITY",), "Discontinuities", "1"),
        (("#EXT-X-GAP",), "Gaps", "1 (counted from 0: 2)"),
        (
            ("#EXT-X-PROGRAM-DATE-TIME:2026-01-31T12:00:10.5Z",),
            "Dates",
            "2026-01-31T12:00:00.000Z to 2026-01-31T12:00:10.500Z",
        ),
        (("stray",), "Ignored", "1 line that no tag announces as a segment"),
    ],
)
def test_what_stands_at_a_segment(lines: tuple[str, ...], fact: str, text: str) -> None:
    """Tags of segments are counted."""
    assert told(*SEGMENTS, *lines, "#EXTINF:6,", "c.ts")[fact] == [text]


def test_a_playlist_without_anything() -> None:
    """A live stream that has not begun is a playlist too."""
    found = told("#EXT-X-TARGETDURATION:6")

    assert found["Segments"] == ["none"]
    assert found["Duration"] == ["0:00 (0.000 s), target duration 6 s"]


def test_a_delta_update_is_known_as_such() -> None:
    """Segments that EXT-X-SKIP leaves out are counted."""
    found = told("#EXT-X-VERSION:9", "#EXT-X-SKIP:SKIPPED-SEGMENTS=5", *SEGMENTS)

    assert found["Left out"] == ["5 segments: this is a delta update (EXT-X-SKIP)"]


def test_encryption_is_told_by_method() -> None:
    """Segments and different keys are counted, and so is what is in the clear."""
    found = told(
        *("#EXTINF:6,", "clear.ts"),
        *('#EXT-X-KEY:METHOD=AES-128,URI="k1"', "#EXTINF:6,", "a.ts", "#EXTINF:6,", "b.ts"),
        *('#EXT-X-KEY:METHOD=AES-128,URI="k2"', "#EXTINF:6,", "c.ts"),
    )

    assert found["Encryption"] == ["AES-128: 3 segments, 2 keys", "in the clear: 1 segment"]
    assert "DRM" not in found


def test_drm_systems_are_named() -> None:
    """Who cannot download a stream learns whose players can play it."""
    found = told(
        f'#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://1",{FAIRPLAY}',
        f'#EXT-X-KEY:METHOD=SAMPLE-AES,URI="data:,x",{WIDEVINE}',
        *SEGMENTS,
    )

    assert found["Encryption"][0] == (
        "SAMPLE-AES (com.apple.streamingkeydelivery): 2 segments, 1 key"
    )
    assert len(found["DRM"]) == 1
    assert "FairPlay" in found["DRM"][0]
    assert "Widevine" in found["DRM"][0]


def test_a_key_for_everybody_makes_drm_harmless() -> None:
    """Where an ordinary key is offered too, DRM is in nobody's way."""
    found = told(
        f'#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://1",{FAIRPLAY}',
        '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="key.bin"',
        *SEGMENTS,
    )

    assert len(found["Encryption"]) == 2
    assert "DRM" not in found


def test_long_lists_are_cut_short() -> None:
    """A playlist made of gaps does not fill the screen."""
    segments = [line for _ in range(20) for line in ("#EXT-X-GAP", "#EXTINF:6,", "a.ts")]

    assert told(*segments)["Gaps"] == ["20 (counted from 0: 0, 1, 2, 3, 4, 5, 6, 7, and 12 more)"]


def test_a_multivariant_playlist_is_counted() -> None:
    """Variants and renditions are numbers here; their tables come below."""
    assert dict(facts(multivariant("#EXT-X-VERSION:6", *VARIANTS))) == {
        "Kind": ["multivariant playlist, version 6"],
        "Variants": ["2"],
        "I-frame variants": ["1"],
        "Renditions": ["2 audio, 1 closed-captions"],
    }


def test_session_keys_tell_of_drm_early() -> None:
    """A multivariant playlist may name the key systems of what it leads to."""
    key = f'#EXT-X-SESSION-KEY:METHOD=SAMPLE-AES,URI="skd://1",{FAIRPLAY}'
    found = dict(facts(multivariant(key, *VARIANTS)))

    assert found["Session keys"] == ["SAMPLE-AES (com.apple.streamingkeydelivery)"]
    assert "FairPlay" in found["DRM"][0]


@pytest.mark.parametrize(
    "line",
    [
        '#EXT-X-KEY:METHOD=\x1b[2J,URI="k"',
        '#EXT-X-KEY:METHOD=A,URI="k",KEYFORMAT="\x1b[2J"',
        "#EXT-X-PLAYLIST-TYPE:\x1b[2J",
    ],
    ids=["method", "key format", "playlist type"],
)
def test_server_text_is_escaped(line: str) -> None:
    """No fact can move the cursor."""
    said = str([text for texts in told(line, *SEGMENTS).values() for text in texts])

    assert "\x1b" not in said
    assert "\\x1b" not in said
