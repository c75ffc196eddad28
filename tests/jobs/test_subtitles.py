"""Subtitle renditions as a story: what is asked for, what is written, and what is refused."""

from pathlib import Path

import pytest

from pipeline.errors import (
    DecryptionError,
    KeyUnavailableError,
    OutputExistsError,
    PlaylistError,
)
from pipeline.hls.model import MediaPlaylist
from pipeline.hls.plan import plan
from pipeline.hls.playlist import parse
from pipeline.jobs import subtitles
from pipeline.jobs.subtitles import (
    Segments,
    Subtitles,
    Video,
    fetch_subtitles,
    video_of,
    write_subtitles,
)
from pipeline.options import SubtitlesFormat
from pipeline.processes.wishes import Document, Fetched
from tests.support.playlists import Entry, KeyTag, MapTag, media_playlist
from tests.support.streams import encrypt

ROOT = "https://example.com/"
KEY, IV = bytes(16), bytes(range(16))
VTT = b"WEBVTT\n\n00:0%d.000 --> 00:0%d.000\n%s\n"
BODIES = {"0.vtt": VTT % (1, 2, b"a"), "1.vtt": VTT % (5, 6, b"b")}


def track(*entries: Entry, output: str = "video.de.vtt") -> Subtitles:
    """A rendition with these segments, by default two."""
    text = media_playlist(entries or [Entry("0.vtt"), Entry("1.vtt")])
    playlist = parse(text.encode(), f"{ROOT}list.m3u8")
    assert isinstance(playlist, MediaPlaylist)
    return Subtitles(output, playlist, plan(playlist))


def fetched(
    tracks: tuple[Subtitles, ...], bodies: dict[str, bytes], given: dict[str, bytes] | None = None
) -> tuple[tuple[Segments, ...], list[list[Document]]]:
    """What is made of `bodies`, and the documents that were asked for, wish by wish."""
    steps, asked = fetch_subtitles(tracks, given or {}), []
    try:
        wish = next(steps)
        while True:
            asked.append(list(wish))
            answers = [Fetched(one.url, bodies[one.url.removeprefix(ROOT)]) for one in wish]
            wish = steps.send(tuple(answers))
    except StopIteration as end:
        return end.value[0], asked


def sealed(body: bytes) -> bytes:
    """The body encrypted."""
    return b"".join(map(bytes, encrypt([body], KEY, IV)))


def test_segments_know_their_places():
    """Each segment comes with its start, its length and its discontinuity number."""
    entries = Entry("0.vtt", 3.5), Entry("1.vtt", tags=["#EXT-X-DISCONTINUITY"])
    ((first, second),), _ = fetched((track(*entries),), BODIES)

    assert (first.start, first.duration, first.discontinuity) == (0.0, 3.5, 0)
    assert (second.start, second.duration, second.discontinuity) == (3.5, 4.0, 1)


def test_many_segments_are_asked_for_in_turn(monkeypatch):
    """What is held before it is counted is bounded; the order is that of the playlist."""
    monkeypatch.setattr(subtitles, "_AT_A_TIME", 3)
    entries = [Entry(f"{number % 2}.vtt") for number in range(8)]
    (segments,), asked = fetched((track(*entries),), BODIES)

    assert [len(wish) for wish in asked] == [3, 3, 2]
    assert [segment.content for segment in segments] == list(BODIES.values()) * 4


def test_more_text_than_there_can_be(monkeypatch):
    """All renditions together have a limit, which the last of them may not overstep."""
    size = sum(map(len, BODIES.values()))
    tracks = track(), track(output="video.fr.vtt")
    monkeypatch.setattr(subtitles, "_MOST_BYTES", 2 * size)
    fetched(tracks, BODIES)

    monkeypatch.setattr(subtitles, "_MOST_BYTES", 2 * size - 1)
    with pytest.raises(PlaylistError, match="larger than"):
        fetched(tracks, BODIES)


def test_byte_ranges_are_asked_for():
    """Segments may be parts of one file."""
    entries = Entry("0.vtt", byte_range="10@5"), Entry("0.vtt", byte_range="20")
    _, (asked,) = fetched((track(*entries),), BODIES)

    assert [document.byte_range for document in asked] == [(5, 10), (15, 20)]


def test_keys_are_fetched_once():
    """Encrypted segments are decrypted, and a key that renditions share is one request."""
    key = KeyTag("AES-128", "key", IV)
    tracks = track(Entry("0.vtt", tags=[key])), track(Entry("1.vtt", tags=[key]))
    bodies = {"key": KEY, **{name: sealed(body) for name, body in BODIES.items()}}
    found, asked = fetched(tracks, bodies)

    assert [[segment.content for segment in one] for one in found] == [[b] for b in BODIES.values()]
    assert [len(wish) for wish in asked] == [1, 1, 1]


def test_given_keys_are_not_asked_for():
    """A key that is here already is taken."""
    key = KeyTag("AES-128", "key", IV)
    bodies = {"0.vtt": sealed(BODIES["0.vtt"])}
    _, asked = fetched((track(Entry("0.vtt", tags=[key])),), bodies, {f"{ROOT}key": KEY})

    assert len(asked) == 1


@pytest.mark.parametrize(
    ("body", "key", "error"),
    [
        (b"", KEY, DecryptionError),
        (bytes(17), KEY, DecryptionError),
        (bytes(32), KEY, DecryptionError),
        (sealed(BODIES["0.vtt"]), bytes(5), KeyUnavailableError),
    ],
    ids=["empty", "no whole blocks", "wrong padding", "a key of another size"],
)
def test_what_cannot_be_decrypted(body, key, error):
    """Segments that do not decrypt are an error of keys."""
    entry = Entry("0.vtt", tags=[KeyTag("AES-128", "key", IV)])
    with pytest.raises(error) as caught:
        fetched((track(entry),), {"0.vtt": body, "key": key})

    assert caught.value.exit_code == 5


def test_what_is_no_webvtt():
    """Another text is an error while segments are fetched, not only when they are merged."""
    with pytest.raises(PlaylistError, match="Subtitle segment 1 is no WebVTT"):
        fetched((track(),), {**BODIES, "1.vtt": b"<html>"})


def test_subtitles_in_fragmented_mp4():
    """Subtitles with an initialization section are another format, which is refused."""
    with pytest.raises(PlaylistError, match="fMP4"):
        fetched((track(Entry("0.m4s", tags=[MapTag("init.mp4")])),), {})


@pytest.mark.parametrize(
    ("kind", "begins"),
    [(SubtitlesFormat.VTT, "WEBVTT\n\n00:00:01.000"), (SubtitlesFormat.SRT, "1\n00:00:01,000")],
    ids=["vtt", "srt"],
)
def test_what_is_written(kind, begins, tmp_path):
    """The document is written in the form that is asked for, in UTF-8."""
    one = track(output=str(tmp_path / "video.de"))
    ((segments),), _ = fetched((one,), {**BODIES, "1.vtt": VTT % (5, 6, "ü".encode())})
    write_subtitles(one, segments, Video(), kind, force=False)
    text = (tmp_path / "video.de").read_text(encoding="utf-8")

    assert text.startswith(begins)
    assert "ü" in text
    assert [path.name for path in tmp_path.iterdir()] == ["video.de"]


def test_times_count_from_where_the_video_begins(tmp_path):
    """Without a clock, a video that begins at its second segment takes that one's place off."""
    one = track(output=str(tmp_path / "video.vtt"))
    ((segments),), _ = fetched((one,), BODIES)
    write_subtitles(one, segments, Video(begin=4.0), SubtitlesFormat.VTT, force=False)

    assert (tmp_path / "video.vtt").read_text() == ("WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nb\n")


def test_an_output_that_exists(tmp_path):
    """An output that is there is not written over."""
    path = tmp_path / "video.vtt"
    path.write_text("mine")
    one = track(output=str(path))
    with pytest.raises(OutputExistsError):
        write_subtitles(one, (), Video(), SubtitlesFormat.VTT, force=False)

    assert path.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [path]


def test_where_a_video_begins(tmp_path):
    """A video begins where the first segment does that was taken of its playlist."""
    playlist = track().playlist
    output = Path(tmp_path / "video.ts")
    output.write_bytes(b"no timestamp")

    assert video_of(playlist, plan(playlist), str(output)) == Video(0.0, None)
    assert video_of(playlist, plan(playlist, keep=[1]), str(output)) == Video(4.0, None)
    assert video_of(playlist, plan(playlist), str(tmp_path / "gone")) == Video(0.0, None)
