"""The list of a batch, line by line."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.jobs.entries import Entry, parse_entries
from pipeline.options import FetchOptions, HttpOptions

URL = "http://host/a.m3u8"


def entries(text: str) -> list[Entry]:
    """All of a list."""
    return list(parse_entries(text.splitlines(keepends=True)))


def test_a_url_a_line() -> None:
    """Comments and empty lines are passed over; lines are counted all the same."""
    found = entries(f"# list\n\n{URL}\n  # not an option\nhttp://host/b.m3u8\n")

    assert [(entry.line, entry.url) for entry in found] == [(3, URL), (5, "http://host/b.m3u8")]


def test_options_under_a_url() -> None:
    """Indented by blanks or tabs, for the URL above them alone."""
    (first, second) = entries(
        f"{URL}\n  out=x.ts\n\tdir=films\n  header=A: b:c\n  referer=http://h/\n"
        f"  user-agent=me\n  format=720p\n  audio=en\n  subtitles=all\n"
        f"  id=7\n  priority=-2\n{URL}\n"
    )

    assert first == Entry(
        line=1,
        url=URL,
        output="x.ts",
        directory="films",
        id="7",
        priority=-2,
        headers=(("A", "b:c"), ("Referer", "http://h/"), ("User-Agent", "me")),
        format="720p",
        audio="en",
        subtitles="all",
    )
    assert second == Entry(12, URL)


def test_objects() -> None:
    """JSON Lines, also among other lines."""
    line = json.dumps(
        {"url": URL, "output": "x.ts", "headers": {"A": "b"}, "priority": 3, "id": "7"}
    )
    found = entries(f"{URL}\n{line}\n")

    assert found[1] == Entry(2, URL, "x.ts", id="7", priority=3, headers=(("A", "b"),))


@pytest.mark.parametrize(
    "text",
    [
        f"{URL}\n  nonsense=1",
        f"{URL}\n  no option",
        f"{URL}\n  priority=high",
        f"{URL}\n  header=nothing",
        f"{URL}\n  format=<<<",
        f"{URL}\n  out=..",
        "{",
        "{}",
        '{"url": 5}',
        '{"url": "http://h/", "priority": true}',
        '{"url": "http://h/", "headers": []}',
        '{"url": "http://h/", "nonsense": "x"}',
        '{"url": "http://h/\\nb"}',
        '{"url": "http://h/\\ud800"}',
        '{"url": "http://h/", "output": "x\\ud800.ts"}',
        '{"url": "http://h/", "headers": {"X A": "b"}}',
        '{"url": "http://h/", "headers": {"A": "b\\rc"}}',
        "x" * 70_000,
    ],
    ids=lambda text: text[-20:],
)
def test_line_that_is_none(text: str) -> None:
    """It is an entry with an error, and those around it are as they were."""
    (before, bad, after) = entries(f"{URL}\n{text}\n{URL}\n")

    assert bad.error
    assert before.error is after.error is None


def test_options_of_an_entry() -> None:
    """Its own go before those of the batch; headers are added."""
    (entry,) = entries(f"{URL}\n  header=B: 2\n  format=worst\n")
    common = FetchOptions(http=HttpOptions(headers=(("A", "1"),)), force=True)
    found = entry.options(common)

    assert found.http.headers == (("A", "1"), ("B", "2"))
    assert (found.selection.format, found.selection.audio, found.force) == (
        "worst",
        "default",
        True,
    )


@given(st.text(max_size=200))
def test_any_text_is_a_list(text: str) -> None:
    """Whatever is in it."""
    for entry in entries(text):
        assert entry.url or entry.error


def test_an_object_with_an_option_that_is_none() -> None:
    """It is named, whatever its value."""
    (entry,) = parse_entries(['{"url": "http://h/", "bad": 1}'])

    assert entry.error == "there is no option 'bad'"
