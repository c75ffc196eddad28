"""Packed audio beside a video: its time is in ID3 tags, and nowhere else."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.media.packed import Tag, TaggedTime, tags
from pipeline.media.remux import remux
from pipeline.media.tracks import Chapter, RemuxPlan, Source
from tests.media.programs import ffmpeg, ffprobe

WRAP = 1 << 33
OWNER = b"com.apple.streaming.transportStreamTimestamp\0"


def tag(seconds: float) -> bytes:
    """An ID3v2.4 tag with one PRIV frame, as it stands before a segment (RFC 8216 3.4)."""
    private = OWNER + (round(seconds * 90_000) % WRAP).to_bytes(8, "big")
    frame = b"PRIV" + len(private).to_bytes(4, "big") + b"\0\0" + private
    return b"ID3\4\0\0" + bytes([0, 0, len(frame) >> 7, len(frame) & 0x7F]) + frame


@pytest.fixture(scope="session")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds of MPEG-TS whose clock begins at ten."""
    path = tmp_path_factory.mktemp("video") / "video.ts"
    picture = ("-f", "lavfi", "-i", "testsrc2=s=160x120:r=25:d=4")
    encoded = ("-c:v", "libx264", "-preset", "ultrafast", "-threads", "1")
    ffmpeg(*picture, *encoded, "-output_ts_offset", "10", "-muxdelay", "0", path)
    return path


@pytest.fixture(scope="session")
def frames(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """ADTS frames, 46.875 of them a second."""
    path = tmp_path_factory.mktemp("frames") / "sound.aac"
    ffmpeg("-f", "lavfi", "-i", "sine=d=4", "-ar", "48000", "-c:a", "aac", path)
    data, found, at = path.read_bytes(), [], 0
    while at < len(data):
        size = int.from_bytes(data[at + 3 : at + 6], "big") >> 5 & 0x1FFF
        found.append(data[at : at + size])
        at += size
    return found


Sound = Callable[[Path], tuple[float, float]]


def starts_and_ends(video: Path, sound: bytes, output: Path) -> tuple[float, float]:
    """When the sound of a file of both begins, and ends."""
    merged = output.with_name("sound.aac")
    merged.write_bytes(sound)
    sources = (Source(video, "main"), Source(merged, "audio", "en"))
    remux(RemuxPlan(sources, output, "mp4"), lambda done, total: None)
    shown = ("-select_streams", "a", "-show_entries", "packet=pts_time", "-of", "json")
    packets = json.loads(ffprobe(*shown, output))["packets"]
    times = [float(packet["pts_time"]) for packet in packets]
    return times[0], times[-1]


@pytest.mark.parametrize("late", [0.0, 1.5, 60.0])
def test_sound_that_begins_later(
    video: Path, frames: list[bytes], tmp_path: Path, late: float
) -> None:
    """As late as the tags say; a clock that has nothing to do with the video's is not asked."""
    sound = tag(10 + late) + b"".join(frames[:94]) + tag(12.005333 + late) + b"".join(frames[94:])

    start, end = starts_and_ends(video, sound, tmp_path / "video.mp4")

    expected = late if late < 10 else 0
    assert start == pytest.approx(expected, abs=0.002)
    assert end - start == pytest.approx(1024 / 48000 * (len(frames) - 1), abs=0.002)


def test_a_clock_that_is_about_to_wrap(frames: list[bytes], tmp_path: Path) -> None:
    """Sound and picture stay together where 33 bits end, wherever each begins to count."""
    video, before = tmp_path / "video.ts", WRAP / 90_000 - 1
    picture = ("-f", "lavfi", "-i", "testsrc2=s=160x120:r=25:d=4")
    encoded = ("-c:v", "libx264", "-preset", "ultrafast", "-threads", "1")
    ffmpeg(*picture, *encoded, "-output_ts_offset", f"{before:.6f}", "-muxdelay", "0", video)
    parts = [tag(before + 0.5 + 47 * n * 1024 / 48000) for n in range(3)]
    sound = b"".join(
        begin + b"".join(frames[47 * n : 47 * n + 47]) for n, begin in enumerate(parts)
    )

    start, end = starts_and_ends(video, sound, tmp_path / "video.mp4")

    assert start == pytest.approx(0.5, abs=0.002)
    assert end == pytest.approx(0.5 + 140 * 1024 / 48000, abs=0.002)


def test_a_gap(video: Path, frames: list[bytes], tmp_path: Path) -> None:
    """A segment that is missing leaves its time empty: what follows stays with the picture."""
    sound = tag(10) + b"".join(frames[:47]) + tag(13) + b"".join(frames[-47:])

    start, end = starts_and_ends(video, sound, tmp_path / "video.mp4")

    assert start == pytest.approx(0, abs=0.002)
    assert end == pytest.approx(3 + 46 * 1024 / 48000, abs=0.002)


@pytest.mark.parametrize(
    "sound",
    [
        [None, 12],  # nobody knows when it begins: there is no gap before the first tag, either
        [None, 5000],
        [10, 40_000, 12],  # a tag that no other one bears out
        [10, 5000],  # nor may the last one say anything
        [11, 12],  # earlier than what came before it
    ],
    ids=str,
)
def test_tags_that_cannot_be_right(frames: list[bytes], sound: list[float | None]) -> None:
    """Silence is made only where two tags agree on it, or where it is short."""
    parts, step = [], len(frames) // len(sound)
    for number, seconds in enumerate(sound):
        parts.append((number * step, seconds))
    found = [Tag(at, round(seconds * 90_000)) for at, seconds in parts if seconds is not None]
    time = TaggedTime(found)

    times = [at * 1024 / 48_000 + time.shift(at, at * 1024 / 48_000) for at in range(len(frames))]

    expected = sound[0] or 0.0
    assert times[0] == pytest.approx(expected, abs=0.001)
    assert times[-1] - times[0] == pytest.approx((len(frames) - 1) * 1024 / 48_000, abs=0.02)
    assert time.is_told == (sound[0] is not None)


@given(st.integers(0, 3_000_000), st.integers(1, 5000))
@settings(max_examples=20)
def test_tags_across_pieces(
    tmp_path_factory: pytest.TempPathFactory, before: int, between: int
) -> None:
    """A file is read a piece at a time: no tag is missed, and none is found twice."""
    path = tmp_path_factory.getbasetemp() / "pieces"
    first, second = tag(1), tag(2)
    path.write_bytes(bytes(before) + first + bytes(between) + second)

    assert tags(path) == (
        Tag(before, 90_000),
        Tag(before + len(first) + between, 180_000),
    )


def test_a_frame_that_ffmpeg_cannot_take(frames: list[bytes], tmp_path: Path) -> None:
    """Four blocks in one frame, with checksums: it is left out, and the rest is there."""
    odd = bytes([0xFF, 0xF0, 0x4C, 0x40, 100 >> 3, (100 & 7) << 5 | 0x1F, 0xFF]) + bytes(93)
    (tmp_path / "sound.aac").write_bytes(b"".join([*frames[:50], odd, *frames[50:]]))
    output = tmp_path / "sound.m4a"

    plan = RemuxPlan((Source(tmp_path / "sound.aac", "main"),), output, "m4a")
    done = remux(plan, lambda done, total: None)

    assert done.warnings == ("1 damaged packets were left out",)
    shown = ("-count_packets", "-show_entries", "stream=nb_read_packets", "-of", "csv=p=0")
    assert int(ffprobe(*shown, output)) == len(frames)


def test_no_tags(video: Path, frames: list[bytes], tmp_path: Path) -> None:
    """Nobody knows when it begins: with the picture, then."""
    start, _ = starts_and_ends(video, b"".join(frames), tmp_path / "video.mp4")

    assert start == pytest.approx(0, abs=0.002)


def test_where_tags_are(tmp_path: Path) -> None:
    """Each is found, with the place at which it begins."""
    path = tmp_path / "sound.aac"
    first, second = tag(1), tag(WRAP / 90_000 + 2)
    path.write_bytes(first + bytes(1000) + second)

    found = tags(path)

    assert found == (Tag(0, 90_000), Tag(len(first) + 1000, 180_000))


@given(st.integers(0, WRAP - 1), st.lists(st.floats(0.5, 10), min_size=1, max_size=9))
def test_segments_in_a_row_are_moved_alike(begin: int, durations: list[float]) -> None:
    """However long they are, and wherever the clock of 33 bits wraps: a row has no gaps."""
    found, seconds = [], 0.0
    for number, duration in enumerate(durations):
        found.append(Tag(number, round(begin + seconds * 90_000) % WRAP))
        seconds += duration
    time, passed = TaggedTime(found), 0.0
    for number, duration in enumerate(durations):
        assert time.shift(number, passed) == pytest.approx(begin / 90_000)
        passed += duration


def test_sound_that_begins_earlier(video: Path, frames: list[bytes], tmp_path: Path) -> None:
    """The picture comes later then, and so do subtitles and chapters, which count with it."""
    (tmp_path / "sound.aac").write_bytes(tag(9) + b"".join(frames))
    (tmp_path / "text.vtt").write_text("WEBVTT\n\n00:01.000 --> 00:02.000\nHello\n")
    sources = (
        Source(video, "main"),
        Source(tmp_path / "sound.aac", "audio", "en"),
        Source(tmp_path / "text.vtt", "subtitles", "en"),
    )
    output, chapters = tmp_path / "video.mp4", (Chapter(0, 2, "One"), Chapter(2, 4, "Two"))

    remux(RemuxPlan(sources, output, "mp4", chapters), lambda done, total: None)

    shown = ("-show_entries", "stream=codec_type,start_time", "-show_chapters", "-of", "json")
    found = json.loads(ffprobe(*shown, output))
    begins = {one["codec_type"]: float(one["start_time"]) for one in found["streams"]}
    assert begins["audio"] == pytest.approx(0, abs=0.002)
    assert begins["video"] == pytest.approx(1, abs=0.002)
    assert float(found["chapters"][1]["start_time"]) == 3
    ffmpeg("-i", output, "-map", "0:s", tmp_path / "text.srt")
    assert "00:00:02,000 --> 00:00:03,000" in (tmp_path / "text.srt").read_text()
