import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import PlaylistError
from pipeline.media.subtitles import SubtitleSegment, merge_webvtt, to_srt
from pipeline.media.webvtt import clock, parse_webvtt
from tests.support.effort import check_linear

HOUR = 3600.0


def segment(
    start: float, *cues: str, mapping: str = "", header: str = "WEBVTT", run: int = 0
) -> SubtitleSegment:
    """A segment of 10 s with these cues; a cue is "begin end text", the times in seconds."""
    text = header + (f"\nX-TIMESTAMP-MAP={mapping}" if mapping else "") + "\n\n"
    for cue in cues:
        begin, end, payload = cue.split(" ", 2)
        times = " --> ".join(clock(round(float(value) * 1000)) for value in (begin, end))
        text += f"{times}\n{payload}\n\n"
    return SubtitleSegment(text.encode(), start, 10, run)


def cues(*segments: SubtitleSegment, begin: float = 0.0, first: float | None = None) -> list[str]:
    """The merged cues as "begin end text"."""
    document = parse_webvtt(merge_webvtt(segments, begin, first))
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


def local(cue_time: str, seconds: float) -> str:
    """A mapping of this cue time to this time of the media's clock."""
    return f"LOCAL:{cue_time},MPEGTS:{round(seconds * 90_000) % (1 << 33)}"


HOUR_MAP = local("01:00:00.000", 3600)
WRAP = (1 << 33) / 90_000


@pytest.mark.parametrize(
    ("segments", "first"),
    [
        ([segment(0, "141 142 a", mapping=HOUR_MAP), segment(10, "151 152 b")], 140),
        ([segment(0, "1 2 a", mapping=SAME), segment(10, "11 12 b", mapping=SAME)], 10),
        ([segment(0, "3 4 a", mapping=SAME), segment(10, "13 14 b", mapping=SAME)], 12),
        (
            [segment(0, "3 4 a", mapping=ticks(WRAP - 7)), segment(10, "3 4 b", mapping=ticks(3))],
            WRAP - 5,
        ),
        ([segment(0, mapping=SAME), segment(10, "1 2 a", "11 12 b", mapping=SAME)], 10),
        ([segment(0, "1 2 a"), segment(10, "11 12 b")], 1.4),
    ],
    ids=[
        "the map is elsewhere",
        "the map is the beginning",
        "the map is before the beginning",
        "around the wrap",
        "a cue of the segment before",
        "no map",
    ],
)
def test_the_video_says_where_its_time_begins(segments, first):
    """A mapped cue is shown as long after the video's first timestamp as its own says."""
    assert cues(*segments, first=first) == ["1 2 a", "11 12 b"]


def test_a_cue_before_the_video():
    """What is over before the video begins is left out; what is cut by rounding is not."""
    found = cues(segment(0, "0 1 a", "0.999 3 b", "4 5 c", mapping=ticks(10)), first=11)

    assert found == ["0 2 b", "3 4 c"]


@pytest.mark.parametrize("first", [None, 5000, 140])
def test_cues_that_are_far_from_their_segment(first):
    """Where no clock makes sense, cues are shown where the playlist has their segments."""
    strange = [segment(20, "9000 9001 a", mapping=SAME), segment(30, "9012 9013 b", mapping=SAME)]

    assert cues(segment(0), segment(10), *strange, first=first) == ["20 21 a", "32 33 b"]


def test_far_cues_without_a_video():
    """A map that is about a time before the segments leads to no empty document."""
    found = cues(
        segment(0, "140 142 a", mapping=HOUR_MAP), segment(10, "150 152 b", mapping=HOUR_MAP)
    )

    assert found == ["0 2 a", "10 12 b"]


@pytest.mark.parametrize("first", [None, 140], ids=["without a video", "with a video"])
@pytest.mark.parametrize(
    "behind",
    [
        segment(20, "161 162 b", mapping=HOUR_MAP, run=1),
        segment(20, "1 2 b", mapping=HOUR_MAP, run=1),
        segment(20, "1 2 b", mapping=local("00:00:00.000", 7), run=1),
        segment(20, "21 22 b", mapping=local("00:00:20.000", 7), run=1),
        segment(20, "4001 4002 b", mapping=local("01:06:40.000", 1.4), run=1),
    ],
    ids=[
        "the clock goes on",
        "the clock starts at 0",
        "the clock starts at the map",
        "cue times go on",
        "cue times from elsewhere",
    ],
)
def test_a_discontinuity(behind, first):
    """Behind a discontinuity the clock goes on, or is set by the segment's place."""
    before = segment(0, "140 142 a", mapping=HOUR_MAP)

    assert cues(before, behind, first=first) == ["0 2 a", "21 22 b"]


def test_a_clock_that_restarts_unannounced():
    """A clock may be set anew without a word: far cues are put where their segment is."""
    found = cues(
        segment(100, "1 2 a", mapping=ticks(210)),
        segment(110, "11 12 b", mapping=ticks(210)),
        segment(120, "1 2 c", mapping=ticks(10)),
        segment(130, "11 12 d", mapping=ticks(10)),
        first=110,
    )

    assert found == ["101 102 a", "111 112 b", "121 122 c", "131 132 d"]


def test_a_part_of_a_video_with_timestamps():
    """Of a part, too, times count from the first timestamp: its first segment's."""
    part = [segment(300, "301 302 a", mapping=SAME), segment(310, "311 312 b", mapping=SAME)]

    assert cues(*part, begin=295, first=305.5) == ["5.5 6.5 a", "15.5 16.5 b"]


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
        (f"a&#{'9' * 5000};b&#x{'f' * 5000};c", "a\ufffdb\ufffdc"),
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
    """A megabyte of tags, whole or not: time grows with their number, and not faster."""
    check_linear(lambda size: srt("<" + part * (size // len(part))), size=256 * 1024)
