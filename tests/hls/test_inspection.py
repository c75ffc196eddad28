"""The form of `inspect --json`."""

from pipeline.hls.inspection import inspect_dict
from tests.hls.reading import media, multivariant

NOTHING: dict[str, list[object]] = {"variants": [], "iframe_variants": [], "renditions": []}


def test_a_media_playlist() -> None:
    """Every key is there, and what is absent is None."""
    found = inspect_dict(
        media(
            "#EXT-X-VERSION:7",
            "#EXT-X-TARGETDURATION:6",
            "#EXT-X-MEDIA-SEQUENCE:16",
            '#EXT-X-KEY:METHOD=AES-128,URI="k"',
            '#EXT-X-MAP:URI="i.mp4",BYTERANGE="5@0"',
            "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00Z",
            "#EXT-X-BYTERANGE:10@5",
            "#EXTINF:4.5,Title",
            "a.mp4",
            "#EXT-X-ENDLIST",
        )
    )

    assert found == {
        "kind": "media",
        "version": 7,
        "target_duration": 6,
        "media_sequence": 16,
        "discontinuity_sequence": 0,
        "playlist_type": None,
        "endlist": True,
        "iframes_only": False,
        "start_time_offset": None,
        "total_duration": 4.5,
        "segments": [
            {
                "uri": "a.mp4",
                "url": "http://host/a/a.mp4",
                "duration": 4.5,
                "title": "Title",
                "byterange": {"length": 10, "offset": 5},
                "key": {
                    "method": "AES-128",
                    "url": "http://host/a/k",
                    "iv": None,
                    "iv_effective": "00000000000000000000000000000010",
                },
                "map": {
                    "url": "http://host/a/i.mp4",
                    "byterange": {"length": 5, "offset": 0},
                },
                "discontinuity": False,
                "discontinuity_sequence": 0,
                "media_sequence_number": 16,
                "program_date_time": "2026-01-01T00:00:00.000Z",
                "gap": False,
            }
        ],
        **NOTHING,
    }


def test_a_bare_segment() -> None:
    """Everything optional is None."""
    (segment,) = inspect_dict(media("#EXTINF:1,", "a"))["segments"]

    absent = ("title", "byterange", "key", "map", "program_date_time")
    assert [segment[name] for name in absent] == [None] * len(absent)


def test_an_iv_as_32_digits_in_lower_case() -> None:
    """However it was written; where none can be implied there is none."""
    key = '#EXT-X-KEY:METHOD=AES-128,URI="k"'

    (given,) = inspect_dict(media(f"{key},IV=0XAB", "#EXTINF:1,", "a"))["segments"]
    (negative,) = inspect_dict(media("#EXT-X-MEDIA-SEQUENCE:-1", key, "#EXTINF:1,", "a"))[
        "segments"
    ]

    assert given["key"]["iv"] == given["key"]["iv_effective"] == "0" * 30 + "ab"
    assert negative["key"]["iv_effective"] is None


def test_a_multivariant_playlist() -> None:
    """Variants, I-frame variants and renditions."""
    found = inspect_dict(
        multivariant(
            "#EXT-X-VERSION:6",
            '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="English",URI="en"',
            '#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI="i"',
            "#EXT-X-STREAM-INF:BANDWIDTH=2,RESOLUTION=1280x720,FRAME-RATE=30",
            "v",
        )
    )

    absent = dict.fromkeys(
        ("average_bandwidth", "codecs", "audio", "video", "subtitles", "closed_captions")
    )
    assert found == {
        "kind": "multivariant",
        "version": 6,
        "start_time_offset": None,
        "variants": [
            {
                "uri": "v",
                "url": "http://host/a/v",
                "bandwidth": 2,
                "resolution": "1280x720",
                "frame_rate": 30.0,
                **absent,
            }
        ],
        "iframe_variants": [
            {
                "uri": "i",
                "url": "http://host/a/i",
                "bandwidth": 1,
                "resolution": None,
                "frame_rate": None,
                **absent,
            }
        ],
        "renditions": [
            {
                "type": "AUDIO",
                "group_id": "a",
                "name": "English",
                "language": None,
                "uri": "en",
                "url": "http://host/a/en",
                "default": False,
                "autoselect": False,
                "forced": False,
                "instream_id": None,
            }
        ],
    }
