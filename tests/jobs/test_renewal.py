"""Fresh URLs for old plans: what is found again, and what keeps its URL."""

from dataclasses import replace

from pipeline.hls.model import MediaPlaylist, VariantStream
from pipeline.hls.plan import plan
from pipeline.hls.playlist import parse
from pipeline.jobs.renewal import is_same_variant, renewed, still_wanted
from tests.support.playlists import Entry, KeyTag, MapTag, media_playlist

URL = "https://example.com/video.m3u8"


def playlist(token: str, numbers: range) -> MediaPlaylist:
    """Segments with these numbers in their names, their URIs with `token`."""
    entries = [
        Entry(
            f"{number}.m4s?{token}",
            tags=[KeyTag("AES-128", f"key?{token}", bytes(16)), MapTag(f"init.mp4?{token}")],
        )
        for number in numbers
    ]
    text = media_playlist(entries, media_sequence_number=numbers.start)
    found = parse(text, URL)
    assert isinstance(found, MediaPlaylist)
    return found


def test_every_url_is_renewed() -> None:
    """Segments, initialization sections and keys all get the URLs of the fresh plan."""
    old, fresh = plan(playlist("old", range(3))), plan(playlist("new", range(3)))

    assert renewed(old.items, fresh.items) == fresh.items


def test_list_has_moved_on() -> None:
    """What has left the list keeps its URL; places in the plan stay what they were."""
    old, fresh = plan(playlist("old", range(4))), plan(playlist("new", range(2, 6)))

    found = renewed(old.items, fresh.items)

    assert [item.index for item in found] == [item.index for item in old.items]
    assert [item.url.rpartition("/")[2] for item in found] == [
        "init.mp4?old",
        "0.m4s?old",
        "1.m4s?old",
        "2.m4s?new",
        "3.m4s?new",
    ]


def test_another_segment_under_the_same_number() -> None:
    """A list that began anew counts from the same number: another duration tells."""
    old, fresh = plan(playlist("old", range(2))), plan(playlist("new", range(2)))
    others = [replace(item, duration=item.duration + 1) for item in fresh.items]

    assert renewed(old.items, others) == old.items


def test_only_segments_of_the_plan_are_wanted() -> None:
    """Indexes in the list as it is now of what the plan has."""
    old = plan(playlist("old", range(10, 20)), keep=[3, 4, 9])

    assert list(still_wanted(old.items, playlist("new", range(12, 22)))) == [1, 2, 7]


def test_variant_is_known_again_by_what_it_is() -> None:
    """Its URL may change, its bandwidth may not."""
    one = VariantStream("a?1", "https://example.com/a?1", 1000, resolution=(640, 360))
    moved = one._replace(uri="a?2", url="https://example.com/a?2")

    assert is_same_variant(one, moved)
    assert is_same_variant(None, None)
    assert not is_same_variant(one, moved._replace(bandwidth=2000))
    assert not is_same_variant(one, None)
