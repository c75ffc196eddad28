"""Names for the outputs of a batch."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import UsageError
from pipeline.jobs.batch_names import check_template, outputs
from pipeline.jobs.entries import Entry


def test_names_come_from_urls() -> None:
    """Without an ending, which is not known yet; those that are alike get a number."""
    entries = [Entry(1, "http://h/show.m3u8"), Entry(2, "http://h/x/show.m3u8?t")]

    assert outputs(entries, None) == ["show.{ext}", "show-2.{ext}"]


def test_names_of_their_own() -> None:
    """As they are written, in their directories."""
    entries = [
        Entry(1, "http://h/a", "x.ts"),
        Entry(2, "http://h/a", "x.ts", "d"),
        Entry(3, "b", "x.ts"),
    ]

    assert outputs(entries, "{index}") == ["x.ts", "d/x.ts", "x-2.ts"]


def test_template() -> None:
    """The place in the list, the name from the URL, and the id."""
    entries = [Entry(1, "http://h/a.m3u8", id="../7"), Entry(2, "http://h/b.m3u8")]

    assert outputs(entries, "all/{index}-{name}-{id}") == ["all/1-a-7.{ext}", "all/2-b-b.{ext}"]


def test_a_dot_in_a_name_makes_no_ending() -> None:
    """Only what a template or an `out=` ends in is one."""
    entries = [Entry(1, "http://h/My.Show.S01E02.m3u8"), Entry(2, "http://h/v.mp4/playlist.m3u8")]

    assert outputs(entries, None) == ["My.Show.S01E02.{ext}", "v.mp4.{ext}"]
    assert outputs(entries, "{index}.{name}")[0] == "1.My.Show.S01E02.{ext}"
    assert outputs(entries, "{name}.mkv") == ["My.Show.S01E02.mkv", "v.mp4.mkv"]


def test_an_open_ending_may_turn_out_as_any() -> None:
    """A name that somebody has given stays; one from a URL makes way for it."""
    entries = [Entry(1, "http://h/show.m3u8"), Entry(2, "http://h/x", "show.ts")]

    assert outputs(entries, None) == ["show-2.{ext}", "show.ts"]


@pytest.mark.parametrize("template", ["{nothing}", "{", "{index.real}", "{0}"])
def test_what_is_no_template(template: str) -> None:
    """It is said what may be in one."""
    with pytest.raises(UsageError, match="template"):
        check_template(template)


@given(st.lists(st.text(max_size=30), max_size=12), st.sampled_from([None, "{name}", "x", "{id}"]))
def test_no_two_are_alike(urls: list[str], template: str | None) -> None:
    """Whatever the URLs are, and none leads out of the directory."""
    entries = [Entry(number, url, id=url) for number, url in enumerate(urls)]
    found = outputs(entries, template)

    assert len(set(found)) == len(urls)
    assert not any("/" in path or path.startswith(".") for path in found)
