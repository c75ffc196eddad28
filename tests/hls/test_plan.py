"""Media playlist to plan."""

import pytest

from pipeline.errors import PlaylistError, UnsupportedError
from pipeline.hls.plan import Decryption, GivenKey, Plan, PlannedItem, plan
from tests.hls.reading import media

KEY = '#EXT-X-KEY:METHOD=AES-128,URI="k"'


def planned(*lines: str) -> Plan:
    """The plan of the media playlist of these lines."""
    return plan(media(*lines))


def names(found: Plan) -> list[str]:
    """The last path part of each item's URL."""
    return [item.url.rpartition("/")[2] for item in found.items]


def test_a_segment_becomes_an_item() -> None:
    """With its URL, and its place both in the plan and among the segments."""
    found = planned("#EXT-X-MEDIA-SEQUENCE:7", "#EXTINF:4,", "a.ts", "#EXTINF:3.5,", "b.ts")

    assert found == Plan(
        items=(
            PlannedItem(0, 0, "http://host/a/a.ts", None, None, 7, 4.0),
            PlannedItem(1, 1, "http://host/a/b.ts", None, None, 8, 3.5),
        ),
        gaps=(),
        discontinuities=0,
        jumps=0,
        duration=7.5,
        known_bytes=None,
        extension=".ts",
    )


def test_an_initialization_section_comes_before_its_first_segment() -> None:
    """RFC 8216 section 4.3.2.5; the items that need it say where it is."""
    found = planned('#EXT-X-MAP:URI="i.mp4"', "#EXTINF:4,", "a.m4s", "#EXTINF:4,", "b.m4s")

    assert names(found) == ["i.mp4", "a.m4s", "b.m4s"]
    assert [item.segment_index for item in found.items] == [None, 0, 1]
    assert [item.section_index for item in found.items] == [None, 0, 0]
    assert found.items[0].duration == 0


def test_an_initialization_section_is_written_once_per_change() -> None:
    """A, B, A is written A, B, A; a tag that repeats what is in force writes nothing."""
    a, b = '#EXT-X-MAP:URI="A"', '#EXT-X-MAP:URI="B"'

    found = planned(
        a, "#EXTINF:1,", "1", a, "#EXTINF:1,", "2", b, "#EXTINF:1,", "3", a, "#EXTINF:1,", "4"
    )

    assert names(found) == ["A", "1", "2", "B", "3", "A", "4"]
    assert [item.section_index for item in found.items] == [None, 0, 0, None, 3, None, 5]


def test_where_another_timeline_begins() -> None:
    """Behind a discontinuity, from the second item on; another section alone is none."""
    a, b, jump = '#EXT-X-MAP:URI="A"', '#EXT-X-MAP:URI="B"', "#EXT-X-DISCONTINUITY"

    found = planned(
        *(jump, a, "#EXTINF:1,", "1", b, "#EXTINF:1,", "2", b, "#EXTINF:1,", "3"),
        *(jump, "#EXTINF:1,", "4", jump, a, "#EXTINF:1,", "5"),
    )

    assert names(found) == ["A", "1", "B", "2", "3", "4", "A", "5"]
    assert found.breaks == (5, 6)


def test_sections_of_one_file_differ_by_their_byte_range() -> None:
    """Two ranges of one URL are two sections."""
    found = planned(
        '#EXT-X-MAP:URI="A",BYTERANGE="10@0"',
        "#EXTINF:1,",
        "1",
        '#EXT-X-MAP:URI="A",BYTERANGE="10@10"',
        "#EXTINF:1,",
        "2",
    )

    assert names(found) == ["A", "1", "A", "2"]


def test_the_explicit_iv_is_taken() -> None:
    """As 16 bytes."""
    found = planned(f"{KEY},IV=0x10", "#EXTINF:1,", "a")

    assert found.items[0].decryption == Decryption(
        "AES-128", "http://host/a/k", bytes(15) + b"\x10"
    )


def test_the_implied_iv_is_the_media_sequence_number() -> None:
    """RFC 8216 section 5.2, across 2^32."""
    found = planned(KEY, "#EXT-X-MEDIA-SEQUENCE:4294967295", *["#EXTINF:1,", "a"] * 2)

    ivs = [item.decryption and item.decryption.iv for item in found.items]
    assert ivs == [(2**32 - 1).to_bytes(16, "big"), (2**32).to_bytes(16, "big")]


def test_keys_rotate_and_end() -> None:
    """Each item has the key in force at its place, or none."""
    found = planned(
        KEY,
        "#EXTINF:1,",
        "a",
        '#EXT-X-KEY:METHOD=AES-256,URI="l"',
        "#EXTINF:1,",
        "b",
        "#EXT-X-KEY:METHOD=NONE",
        "#EXTINF:1,",
        "c",
    )

    keys = [one and (one.method, one.key_url) for one in (item.decryption for item in found.items)]
    assert keys == [("AES-128", "http://host/a/k"), ("AES-256", "http://host/a/l"), None]


def test_a_section_has_its_own_key() -> None:
    """RFC 8216 section 4.3.2.5: that in force at EXT-X-MAP."""
    found = planned(
        '#EXT-X-MAP:URI="clear"',
        f"{KEY},IV=1",
        "#EXTINF:1,",
        "a",
        '#EXT-X-MAP:URI="hidden"',
        "#EXT-X-KEY:METHOD=NONE",
        "#EXTINF:1,",
        "b",
    )

    assert [item.decryption is not None for item in found.items] == [False, True, True, False]


def test_a_section_without_iv_takes_the_number_of_its_segment() -> None:
    """RFC 8216 section 4.3.2.5 demands an IV there; without one this is what FFmpeg does."""
    found = planned("#EXT-X-MEDIA-SEQUENCE:9", KEY, '#EXT-X-MAP:URI="i"', "#EXTINF:1,", "a")

    assert [item.decryption and item.decryption.iv[-1] for item in found.items] == [9, 9]


def test_each_byte_range_is_an_item_of_known_size() -> None:
    """Offset and length, sections included; the sum is known when all have a range."""
    ranged = ['#EXT-X-MAP:URI="f",BYTERANGE="5@0"', "#EXT-X-BYTERANGE:10@5", "#EXTINF:1,", "f"]

    whole = planned(*ranged, "#EXT-X-BYTERANGE:20", "#EXTINF:1,", "f")
    part = planned(*ranged, "#EXTINF:1,", "g")

    assert [item.byte_range for item in whole.items] == [(0, 5), (5, 10), (15, 20)]
    assert (whole.known_bytes, part.known_bytes) == (35, None)


@pytest.mark.parametrize(("stated", "asked"), [(100, 112), (112, 112), (113, 128)])
def test_an_encrypted_section_fills_whole_cipher_blocks(stated: int, asked: int) -> None:
    """Where its range states the clear size, the rest of the last block belongs to it."""
    key, section = '#EXT-X-KEY:METHOD=AES-128,URI="k",IV=0x1', '#EXT-X-MAP:URI="f",BYTERANGE='
    segment = ["#EXT-X-BYTERANGE:100@200", "#EXTINF:1,", "f"]

    sealed = planned(key, f'{section}"{stated}@8"', *segment)
    clear = planned(f'{section}"{stated}@8"', key, *segment)

    assert [item.byte_range for item in sealed.items] == [(8, asked), (200, 100)]
    assert [item.byte_range for item in clear.items] == [(8, stated), (200, 100)]


def test_timestamps_may_jump_between_segments_only() -> None:
    """A discontinuity in front of the first one is no place where anything is joined."""
    segment = ["#EXTINF:1,", "a"]
    found = planned("#EXT-X-DISCONTINUITY", *segment, *segment, "#EXT-X-DISCONTINUITY", *segment)

    assert (found.discontinuities, found.jumps) == (2, 1)
    assert found.breaks == (2,)


def test_where_a_timeline_begins() -> None:
    """At the initialization section, if there is one; behind what was left out, too."""
    lines = [
        *('#EXT-X-MAP:URI="i"', "#EXTINF:1,", "a"),
        *("#EXT-X-DISCONTINUITY", '#EXT-X-MAP:URI="j"', "#EXTINF:1,", "b"),
        *("#EXT-X-DISCONTINUITY", "#EXTINF:1,", "c", "#EXTINF:1,", "d"),
        *("#EXT-X-DISCONTINUITY", "#EXT-X-GAP", "#EXTINF:1,", "e", "#EXTINF:1,", "f"),
    ]
    found, picked = planned(*lines), plan(media(*lines), keep=[0, 3, 5])

    assert names(found) == ["i", "a", "j", "b", "c", "d", "f"]
    assert found.breaks == (2, 4, 6)
    assert names(picked) == ["i", "a", "j", "d", "f"]
    assert picked.breaks == (2, 4)


def test_gaps_are_left_out_and_listed() -> None:
    """RFC 8216bis section 4.4.4.7: there is nothing to ask the server for."""
    found = planned(
        '#EXT-X-MAP:URI="i"',
        "#EXT-X-GAP",
        "#EXTINF:4,",
        "a",
        '#EXT-X-MAP:URI="j"',
        "#EXT-X-DISCONTINUITY",
        "#EXTINF:3,",
        "b",
    )

    assert names(found) == ["j", "b"]
    assert (found.gaps, found.discontinuities, found.duration) == ((0,), 1, 3.0)
    assert found.jumps == 0
    assert [item.segment_index for item in found.items] == [None, 1]


def test_only_the_segments_to_keep() -> None:
    """Their indexes stay those of the playlist, and sections come along."""
    playlist = media('#EXT-X-MAP:URI="i"', *(f"#EXTINF:1,\n{name}" for name in "abcd"))

    found = plan(playlist, keep=(1, 3))

    assert names(found) == ["i", "b", "d"]
    assert [item.segment_index for item in found.items] == [None, 1, 3]


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(["#EXTINF:1,", "file:///etc/passwd"], id="segment"),
        pytest.param(['#EXT-X-MAP:URI="file:///x"', "#EXTINF:1,", "a"], id="section"),
        pytest.param(['#EXT-X-KEY:METHOD=AES-128,URI="file:///x"', "#EXTINF:1,", "a"], id="key"),
        pytest.param(
            ['#EXT-X-KEY:METHOD=AES-128,URI="data:;base64,AA=="', "#EXTINF:1,", "a"], id="data"
        ),
        pytest.param(["#EXTINF:1,", "concat:a|b"], id="another scheme"),
    ],
)
def test_a_remote_playlist_leads_to_http_only(lines: list[str]) -> None:
    """Before the first request: no file, no other protocol."""
    with pytest.raises(PlaylistError, match="only http and https"):
        planned(*lines)


def test_a_local_playlist_may_lead_to_files_and_keys_may_be_data() -> None:
    """Each only where the caller allows it."""
    local = media(KEY, "#EXTINF:1,", "a.ts", url="/tmp/i.m3u8")
    data = media('#EXT-X-KEY:METHOD=AES-128,URI="data:;base64,AA=="', "#EXTINF:1,", "a")

    assert plan(local, allow_local=True).items[0].url == "/tmp/a.ts"
    assert plan(data, allow_data_keys=True).items[0].decryption is not None


def test_what_needs_drm_is_refused_by_name() -> None:
    """Before the first request, with the system's name."""
    lines = (
        '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://1",KEYFORMAT="com.apple.streamingkeydelivery"',
        "#EXTINF:1,",
        "a",
    )

    with pytest.raises(UnsupportedError, match=r"FairPlay \(com.apple.streamingkeydelivery\)"):
        planned(*lines)


def test_methods_are_what_the_caller_can_decrypt() -> None:
    """A sample method is refused until there is code for it; it leaves sections clear."""
    playlist = media(
        '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="k",IV=1', '#EXT-X-MAP:URI="i"', "#EXTINF:1,", "a"
    )

    with pytest.raises(UnsupportedError, match="Encrypted with SAMPLE-AES: not supported"):
        plan(playlist)
    section, segment = plan(playlist, methods={"SAMPLE-AES"}).items
    assert section.decryption is None
    assert segment.decryption is not None
    assert segment.decryption.method == "SAMPLE-AES"


def test_drm_on_the_section_of_clear_segments_is_none() -> None:
    """Sample encryption does not touch sections, so nothing is missing."""
    found = planned(
        '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://1",KEYFORMAT="com.apple.streamingkeydelivery"',
        '#EXT-X-MAP:URI="i"',
        "#EXT-X-KEY:METHOD=NONE",
        "#EXTINF:1,",
        "a",
    )

    assert [item.decryption for item in found.items] == [None, None]


def test_a_given_key_stands_for_all() -> None:
    """Also for those that only a DRM system would hand out."""
    playlist = media(
        '#EXT-X-KEY:METHOD=AES-128,URI="skd://1",KEYFORMAT="com.widevine"', "#EXTINF:1,", "a"
    )

    (item,) = plan(playlist, given=GivenKey("given:key", b"i" * 16)).items

    assert item.decryption == Decryption("AES-128", "given:key", b"i" * 16)


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([], "no segments"),
        (["#EXT-X-SKIP:SKIPPED-SEGMENTS=5", "#EXTINF:1,", "a"], "delta update without 5"),
        (["#EXT-X-KEY:METHOD=AES-128", "#EXTINF:1,", "a"], "METHOD=AES-128 has no URI"),
        (["#EXT-X-MEDIA-SEQUENCE:-1", KEY, "#EXTINF:1,", "a"], "implies no initialization"),
    ],
)
def test_what_cannot_be_planned(lines: list[str], reason: str) -> None:
    """Each with its own sentence."""
    with pytest.raises(PlaylistError, match=reason):
        planned(*lines)


def test_secrets_stay_out_of_what_is_printed() -> None:
    """The IV of an item and a given key."""
    (item,) = planned(f"{KEY},IV=0xABCDEF", "#EXTINF:1,", "a").items

    assert "cdef" not in repr(item).lower()
    assert "secret" not in repr(GivenKey("secret", b"secret"))


def test_nothing_but_gaps_is_an_empty_plan() -> None:
    """What is missing is for the caller to judge: the playlist itself is valid."""
    made = plan(media("#EXT-X-GAP", "#EXTINF:1,", "a"))

    assert made.items == ()
    assert made.gaps == (0,)
