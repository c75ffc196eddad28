import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import PlaylistError
from pipeline.media.subtitles import SubtitleSegment, merge_webvtt, to_srt
from pipeline.media.webvtt import clock, parse_webvtt

HOUR = 3600.0


def segment(start: float, *cues: str, mapping: str = "", header: str = "WEBVTT") -> SubtitleSegment:
    """A segment with these cues; a cue is "begin end text", the times in seconds."""
    text = header + (f"\nX-TIMESTAMP-MAP={mapping}" if mapping else "") + "\n\n"
    for cue in cues:
        begin, end, payload = cue.split(" ", 2)
        times = " --> ".join(clock(round(float(value) * 1000)) for value in (begin, end))
        text += f"{times}\n{payload}\n\n"
    return SubtitleSegment(text.encode(), start)


def cues(*segments: SubtitleSegment, begin: float = 0.0) -> list[str]:
    """The merged cues as "begin end text"."""
    document = parse_webvtt(merge_webvtt(segments, begin))
    return [f"{cue.start / 1000:g} {cue.end / 1000:g} {cue.payload}" for cue in document.cues]


SAME = "MPEGTS:900000,LOCAL:00:00:00.000"


def ticks(seconds: float) -> str:
    """A mapping of the cue time 0 to this time of the media's clock, which has 33 bits."""
    return f"LOCAL:00:00:00.000,MPEGTS:{round(seconds * 90_000) % (1 << 33)}"


@pytest.mark.parametrize(
    "segments",
    [
        [segment(0, "1 2 a"), segment(10, "11 12 b")],
        [segment(0, "1 2 a", mapping=SAME), segment(10, "11 12 b", mapping=SAME)],
        [segment(0, "1 2 a", mapping=ticks(10)), segment(10, "1 2 b", mapping=ticks(20))],
        [segment(0, mapping=ticks(10)), segment(0, "1 2 a"), segment(10, "11 12 b")],
        [
            segment(0, mapping=ticks(5)),
            segment(0, "1 2 a", mapping=ticks(5)),
            segment(10, "1 2 b", mapping=ticks(15)),
        ],
        [
            segment(0, "401 402 a", mapping="LOCAL:00:06:40.000,MPEGTS:7"),
            segment(10, "411 412 b", mapping="LOCAL:00:06:50.000,MPEGTS:900007"),
        ],
        [segment(0, "1 2 a", mapping=ticks(20)), segment(10, "21 22 b", mapping=ticks(10))],
    ],
    ids=[
        "no mapping",
        "one mapping for all",
        "each segment from 0",
        "a mapping without cues",
        "a blank segment first",
        "from a wall clock",
        "a mapping that goes back",
    ],
)
def test_cue_times_count_from_one_beginning(segments):
    """Cues come out at their places in the playlist, wherever their times count from."""
    assert cues(*segments) == ["1 2 a", "11 12 b"]


def test_the_media_clock_wraps():
    """Times go on when the media's clock of 33 bits begins anew."""
    wrap = (1 << 33) / 90_000
    found = cues(
        segment(0, "1 2 a", mapping=ticks(wrap - 5)), segment(10, "1 2 b", mapping=ticks(wrap + 5))
    )

    assert found == ["1 2 a", "11 12 b"]


def test_a_playlist_longer_than_the_media_clock():
    """After the clock has begun anew the segments' places tell which round it is."""
    starts = [0, 20 * HOUR, 40 * HOUR]
    found = cues(*(segment(start, "1 2 a", mapping=ticks(start)) for start in starts))

    assert found == [f"{start + 1:g} {start + 2:g} a" for start in starts]


@pytest.mark.parametrize(
    "segments",
    [
        [segment(300, "301 302 a", mapping=SAME), segment(310, "311 312 b", mapping=SAME)],
        [segment(300, "1 2 a", mapping=ticks(310)), segment(310, "1 2 b", mapping=ticks(320))],
    ],
    ids=["times of the playlist", "times of the segments"],
)
def test_a_part_of_the_playlist(segments):
    """Of a part of the playlist, times count from where that part begins."""
    assert cues(*segments, begin=300) == ["1 2 a", "11 12 b"]
    assert cues(*segments, begin=301.5) == ["0 0.5 a", "9.5 10.5 b"]
    assert cues(*segments, begin=305) == ["6 7 b"]


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        (["8 12 a"], ["8 12 a"]),
        (["10 12 a"], ["8 12 a"]),
        (["10.001 12 a"], ["8 12 a"]),
        (["9 12 a"], ["8 12 a"]),
        (["10.5 12 a"], ["8 10 a", "10.5 12 a"]),
        (["10 12 b"], ["8 10 a", "10 12 b"]),
    ],
    ids=["repeated", "cut in two", "rounded", "overlapping", "said twice", "another text"],
)
def test_cues_on_the_border(second, expected):
    """A cue that the next segment repeats or continues is one cue; another one is not."""
    first = "8 12 a" if second == ["8 12 a"] else "8 10 a"

    assert cues(segment(0, first), segment(10, *second)) == expected


def test_repeated_cues_with_other_names():
    """The same cue twice is one cue, even if each segment numbers its cues anew."""
    text = "WEBVTT\n\n{}\n00:08.000 --> 00:12.000\na\n"
    found = cues(SubtitleSegment(text.format(7), 0), SubtitleSegment(text.format(1), 10))

    assert found == ["8 12 a"]


def test_parts_with_other_names_stay_apart():
    """Cues that touch are joined only if they have the same name."""
    text = "WEBVTT\n\n{}\n00:{:02}.000 --> 00:{:02}.000\na\n"
    found = cues(
        SubtitleSegment(text.format("x", 8, 10), 0), SubtitleSegment(text.format("y", 10, 12), 10)
    )

    assert found == ["8 10 a", "10 12 a"]


def test_cues_of_one_segment_stay_apart():
    """Within a segment nothing is joined: whoever wrote it wanted two cues."""
    assert cues(segment(0, "1 2 a", "2 3 a")) == ["1 2 a", "2 3 a"]


def test_header_and_blocks_come_once():
    """The first header is kept, and each style, region and note once, without the mapping."""
    style = "STYLE\n::cue { color: red }"
    header = f"WEBVTT - title\nX-TIMESTAMP-MAP={SAME}\nLanguage: en\n\n{style}"
    merged = merge_webvtt(
        [
            SubtitleSegment("", 0),
            segment(0, "1 2 a", header=header),
            segment(10, "11 12 b", header=header + "\n\nNOTE second"),
        ]
    )

    assert merged == (
        "WEBVTT - title\nLanguage: en\n\n"
        f"{style}\n\n"
        "NOTE second\n\n"
        "00:00:01.000 --> 00:00:02.000\na\n\n"
        "00:00:11.000 --> 00:00:12.000\nb\n"
    )


@pytest.mark.parametrize("segments", [[], [segment(0)], [SubtitleSegment(b"", 0)] * 3])
def test_nobody_speaks(segments):
    """Without cues there is an empty document."""
    assert merge_webvtt(segments) == "WEBVTT\n"


def test_a_segment_that_is_no_webvtt():
    """Another text among the segments is an error that says which."""
    with pytest.raises(PlaylistError, match=r"Subtitle segment 1 is no WebVTT: .*<html>"):
        merge_webvtt([segment(0), SubtitleSegment(b"<html>", 10)])


@given(
    st.lists(st.tuples(st.integers(0, 1 << 34), st.integers(0, 9_999_999)), max_size=5),
    st.floats(0, 1e6),
)
def test_any_mappings_have_an_answer(mappings, begin):
    """Whatever segments say of their clocks, the cues come out in order and after the beginning."""
    segments = [
        segment(10 * i, "1 2 a", "3 4 b", mapping=f"LOCAL:{clock(local)},MPEGTS:{mpegts}")
        for i, (mpegts, local) in enumerate(mappings)
    ]
    merged = parse_webvtt(merge_webvtt(segments, begin)).cues

    assert [cue.start for cue in merged] == sorted(cue.start for cue in merged)
    assert all(0 <= cue.start < cue.end for cue in merged)


def srt(payload: str) -> str:
    """The text of the only cue in SubRip."""
    return to_srt(f"WEBVTT\n\n00:01.000 --> 00:02.000\n{payload}\n").partition("2,000\n")[2]


@pytest.mark.parametrize(
    ("payload", "text"),
    [
        ("plain", "plain"),
        ("<b>b</b> <i>i</i> <u>u</u>", "<b>b</b> <i>i</i> <u>u</u>"),
        ("<i.loud.red>i</i>", "<i>i</i>"),
        ("<v Roger Bingham>Hi</v>", "Hi"),
        ("<c.yellow.bg_blue>colour</c>", "colour"),
        ("<ruby>kan<rt>ji</rt></ruby>", "kanji"),
        ("<00:00:01.500>word by <00:00:01.800>word", "word by word"),
        ("a &amp; b &lt;c&gt; &#39;d&#39;", "a & b <c> 'd'"),
        ("left&lrm;right&nbsp;end", "left\u200eright\u00a0end"),
        ("a < b", "a < b"),
        ("one\ntwo", "one\ntwo"),
        ("one&#10;&#10;two", "one\ntwo"),
    ],
)
def test_subrip_text(payload, text):
    """Of tags only bold, italic and underline are left; entities become characters."""
    assert srt(payload) == text + "\n\n"


def test_subrip_document():
    """Cues are numbered from 1 without settings; a cue without text is left out."""
    document = (
        "WEBVTT\n\nname\n00:01.000 --> 00:02.500 line:0\na\n\n"
        "00:03.000 --> 00:04.000\n<c></c>\n\n"
        "01:00:05.000 --> 01:00:06.000\nb\n"
    )

    assert to_srt(document) == (
        "1\n00:00:01,000 --> 00:00:02,500\na\n\n2\n01:00:05,000 --> 01:00:06,000\nb\n\n"
    )


@pytest.mark.parametrize("part", ["<", "<a", "a", "&", "<b>", "</"])
def test_long_cues_take_no_time(part):
    """A megabyte of tags, whole or not, is gone through in less than a second."""
    begin = time.monotonic()
    srt("<" + part * (1_000_000 // len(part)))

    assert time.monotonic() - begin < 1
