import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import PlaylistError
from pipeline.media.webvtt import Cue, TimestampMap, parse_webvtt
from tests.support.effort import check_linear

CUE = Cue(1_000, 2_500, "", "", "Hello")


@pytest.mark.parametrize(
    "text",
    [
        "WEBVTT\n\n00:00:01.000 --> 00:00:02.500\nHello\n",
        "WEBVTT\n\n00:01.000 --> 00:02.500\nHello",
        "WEBVTT - a title\n\n00:00:01.000 --> 00:00:02.500\nHello\n\n\n\n",
        "\ufeffWEBVTT\r\n\r\n00:00:01.000 --> 00:00:02.500\r\nHello\r\n",
        "WEBVTT\r\r00:00:01.000-->00:00:02.500\rHello\r",
        "WEBVTT\n\n00:00:01,000 --> 00:00:02,500\nHello\n",
        "WEBVTT\n00:00:01.000 --> 00:00:02.500\nHello\n",
        b"\xef\xbb\xbfWEBVTT\n\n00:00:01.000\t-->  0:00:02.500 \nHello\n",
    ],
    ids=[
        "plain",
        "without hours",
        "with a title",
        "byte order mark and CRLF",
        "CR",
        "commas",
        "no blank line",
        "bytes",
    ],
)
def test_what_players_read(text):
    """A cue is read whatever the line ends, and however its times are written."""
    assert parse_webvtt(text).cues == (CUE,)


def test_a_whole_document():
    """Header, mapping, blocks and cues with all their parts are told apart."""
    document = parse_webvtt(
        "WEBVTT - title\nX-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:01.000\nLanguage: en\n\n"
        "STYLE\n::cue { color: red }\n\n"
        "REGION\nid:fred\n\n"
        "NOTE a remark\nof two lines\n\n"
        "NOTEBOOK\n00:01.000 --> 00:02.000 align:start  line:0%\nfirst\nsecond\n\n"
        "12\n100:00:00.000 --> 100:00:01.000\nlate\n"
    )

    assert document.header == ("WEBVTT - title", "Language: en")
    assert document.timestamp_map == TimestampMap(900_000, 1_000)
    assert document.blocks == (
        "STYLE\n::cue { color: red }",
        "REGION\nid:fred",
        "NOTE a remark\nof two lines",
    )
    assert document.cues == (
        Cue(1_000, 2_000, "NOTEBOOK", "align:start line:0%", "first\nsecond"),
        Cue(360_000_000, 360_001_000, "12", "", "late"),
    )


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("X-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000", TimestampMap(900_000, 0)),
        ("X-TIMESTAMP-MAP=LOCAL:01:00:00.500,MPEGTS:183003", TimestampMap(183_003, 3_600_500)),
        ("X-TIMESTAMP-MAP=LOCAL:00:10.000, MPEGTS: 5", TimestampMap(5, 10_000)),
        ("X-TIMESTAMP-MAP=MPEGTS:900000", None),
        ("X-TIMESTAMP-MAP=MPEGTS:many,LOCAL:soon", None),
        ("X-TIMESTAMP-MAP", None),
    ],
)
def test_timestamp_maps(line, expected):
    """The two parts of a mapping come in either order; half a mapping is none."""
    assert parse_webvtt(f"WEBVTT\n{line}\n\n").timestamp_map == expected


@pytest.mark.parametrize("text", ["", "\n\n", " \r\n", "\ufeff", "WEBVTT", "WEBVTT\n\n\n", b""])
def test_blank_segments(text):
    """A segment in which nobody speaks is a document without cues."""
    assert parse_webvtt(text).cues == ()


@pytest.mark.parametrize(
    "block",
    [
        "00:00:02.000 --> 00:00:01.000\nbackwards",
        "00:00:0x.000 --> 00:00:01.000\nno time",
        "only a name",
        "name\nno times",
    ],
)
def test_blocks_that_are_no_cues(block):
    """What cannot be shown is left out, and the cue behind it is read."""
    assert parse_webvtt(f"WEBVTT\n\n{block}\n\n00:01.000 --> 00:02.500\nHello").cues == (CUE,)


@pytest.mark.parametrize(
    "text",
    ["<html>\n", "WEBVTTX\n", "1\n00:00:01,000 --> 00:00:02,000\nSubRip", "\x1b[2J", b"\xff"],
)
def test_what_is_no_webvtt(text):
    """Another text is an error that shows its first line, harmless."""
    with pytest.raises(PlaylistError, match="No WebVTT") as caught:
        parse_webvtt(text)

    assert str(caught.value).isprintable()


LINES = st.sampled_from(
    [
        "WEBVTT",
        "",
        "STYLE",
        "NOTE x",
        "id",
        "00:01.000 --> 00:02.500 line:0",
        "text",
        "-->",
        "X-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:1",
    ]
)
TEXTS = st.lists(LINES | st.text(max_size=20), max_size=30).map("\n".join)


@given(TEXTS.map("WEBVTT\n{}".format))
def test_what_is_written_is_read_again(text):
    """A document that was read and written is the same when it is read again."""
    document = parse_webvtt(text)
    again = parse_webvtt(str(document))

    assert (again.blocks, again.cues) == (document.blocks, document.cues)


@given(TEXTS | st.binary(max_size=200))
def test_any_text_has_an_answer(text):
    """Any text is a document, whose cues have times, or a PlaylistError."""
    try:
        document = parse_webvtt(text)
    except PlaylistError:
        return

    assert all(cue.start >= 0 and cue.end >= 0 for cue in document.cues)


@pytest.mark.parametrize(
    "part", ["-->", "00:", "00:01.000 --> ", "\n", "a\n", "<", "WEBVTT ", "X-TIMESTAMP-MAP="]
)
@pytest.mark.parametrize("beginning", ["WEBVTT\n\n", "WEBVTT\n"])
def test_long_texts_take_no_time(beginning, part):
    """A megabyte of anything: time grows with the length, and not faster."""
    check_linear(lambda size: parse_webvtt(beginning + part * (size // len(part))), size=256 * 1024)
