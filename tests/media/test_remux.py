"""Other containers: real streams by ffmpeg, and what ffmpeg makes of ours and of its own."""

import json
import random
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

from pipeline.errors import RemuxFailed, StorageError
from pipeline.media.remux import Remuxed, remux
from pipeline.media.tracks import Chapter, RemuxPlan, Source
from tests.media import programs

SUBTITLES = "WEBVTT\n\n00:00.200 --> 00:00.500\n<b>Hello</b>\n\n00:00.600 --> 00:00.900\nBye\n"


def ffmpeg(*arguments: str | Path) -> str:
    return programs.ffmpeg(*arguments).decode()


def put(output: Path, *sources: Source, **more: object) -> Remuxed:
    container = output.suffix[1:]
    return remux(RemuxPlan(sources, output, container, **more), lambda done, total: None)


def probed(path: Path) -> dict:
    shown = ("-show_streams", "-show_format", "-show_chapters", "-count_packets")
    return json.loads(programs.ffprobe(*shown, "-of", "json", path))


def hashes(path: Path, *maps: str) -> list[str]:
    """A hash of all that each stream carries."""
    wanted = [word for each in maps or ("0:v?", "0:a?") for word in ("-map", each)]
    lines = ffmpeg("-i", path, *wanted, "-c", "copy", "-f", "streamhash", "-").splitlines()
    return [line.split(",", 1)[1] for line in lines]


def frames(path: Path) -> str:
    """A hash of all pictures and sounds, as they are decoded."""
    return ffmpeg("-i", path, "-map", "0:v", "-map", "0:a", "-f", "streamhash", "-")


def assert_plays(path: Path) -> None:
    assert ffmpeg("-i", path, "-f", "null", "-") == ""


def seconds(path: Path) -> float:
    return float(probed(path)["format"]["duration"])


def boxes(path: Path) -> list[bytes]:
    """The names of a file's boxes, in order."""
    data, names, position = path.read_bytes(), [], 0
    while position < len(data):
        names.append(data[position + 4 : position + 8])
        position += int.from_bytes(data[position : position + 4], "big") or len(data)
    return names


@pytest.mark.parametrize("container", ["mp4", "mkv"])
@pytest.mark.parametrize(
    "name",
    ["plain.ts", "mp3.ts", "ac3.ts", "wrap.ts", "fragments.mp4", "sound.aac"],
)
def test_the_same_streams_as_ffmpeg(clip, tmp_path, name, container):
    """What is in the file is what ffmpeg's own remux of the same bytes holds, and as long."""
    ours, theirs = tmp_path / f"ours.{container}", tmp_path / "theirs.mp4"
    ffmpeg("-i", clip(name), "-c", "copy", theirs)

    result = put(ours, Source(clip(name), "main"))

    assert result.warnings == ()
    assert_plays(ours)
    assert hashes(ours) == hashes(theirs)
    assert seconds(ours) == pytest.approx(seconds(theirs), abs=0.05)
    assert result.duration == pytest.approx(seconds(ours), abs=0.05)
    assert float(probed(ours)["format"]["start_time"]) == pytest.approx(0, abs=0.03)


@pytest.mark.parametrize("name", ["sound.ts", "sound.aac", "sound.mp4"])
def test_sound_only(clip, tmp_path, name):
    """A stream without a picture becomes an M4A file."""
    ours, theirs = tmp_path / "ours.m4a", tmp_path / "theirs.m4a"
    ffmpeg("-i", clip(name), "-c", "copy", theirs)

    put(ours, Source(clip(name), "main"))

    assert_plays(ours)
    assert hashes(ours) == hashes(theirs)
    assert seconds(ours) == pytest.approx(seconds(theirs), abs=0.05)


def test_a_container_that_can_hold_nothing(clip, tmp_path):
    """It is named, with the codecs: a picture and MP3 are nothing for an M4A file."""
    with pytest.raises(RemuxFailed, match=r"m4a can hold nothing of it \(h264, mp3\): try .mkv"):
        put(tmp_path / "ours.m4a", Source(clip("mp3.ts"), "main"))


def refuse(*_: object) -> None:
    raise AssertionError("everything was read beforehand")


def test_a_glance_is_enough(clip, tmp_path, monkeypatch):
    """One long stretch of MPEG-TS is read once: the index fits into the room that was guessed."""
    source = tmp_path / "long.ts"
    source.write_bytes(clip("rich.ts").read_bytes())
    ffmpeg("-i", source, "-c", "copy", tmp_path / "theirs.mp4")
    monkeypatch.setattr("pipeline.media.demux._GLANCE_BYTES", 8 << 20)
    monkeypatch.setattr("pipeline.media.demux.Reader.measure", refuse)

    told: list[tuple[int, int]] = []
    plan = RemuxPlan((Source(source, "main"),), tmp_path / "ours.mp4", "mp4", may_consume=True)
    remux(plan, lambda done, total: told.append((done, total)))

    assert told == sorted(told)
    assert told[-1][0] == told[-1][1]
    assert all(after - before < 10 << 20 for (before, _), (after, _) in pairwise(told))
    assert_plays(tmp_path / "ours.mp4")
    assert hashes(tmp_path / "ours.mp4") == hashes(tmp_path / "theirs.mp4")
    assert seconds(tmp_path / "ours.mp4") == pytest.approx(
        seconds(tmp_path / "theirs.mp4"), abs=0.05
    )
    names = boxes(tmp_path / "ours.mp4")
    assert names.index(b"moov") < names.index(b"free") < names.index(b"mdat")


@pytest.mark.parametrize("torn", [b"", b"torn"], ids=["two parts", "torn"])
def test_where_a_glance_will_not_do(clip, tmp_path, monkeypatch, torn):
    """A second timeline, or bytes that are no packets: everything is read beforehand."""
    content = clip("rich.ts").read_bytes()
    source = tmp_path / "two.ts"
    source.write_bytes(content + torn + content)
    monkeypatch.setattr("pipeline.media.demux._GLANCE_BYTES", 8 << 20)

    put(tmp_path / "ours.mp4", Source(source, "main", breaks=() if torn else (len(content),)))

    once = seconds(clip("rich.ts"))
    assert seconds(tmp_path / "ours.mp4") == pytest.approx(2 * once, abs=0.15)


def test_the_index_comes_first(clip, tmp_path):
    """A player that loads the file from the web can begin at once."""
    put(tmp_path / "ours.mp4", Source(clip("plain.ts"), "main"))

    names = boxes(tmp_path / "ours.mp4")

    assert names.index(b"moov") < names.index(b"mdat")


def test_room_is_left_for_the_index(clip, tmp_path, monkeypatch):
    """With room left at the front, the index fits, and nothing is moved."""
    monkeypatch.setattr("pipeline.media.remux._MOST_ROOM", 100.0)

    put(tmp_path / "ours.mp4", Source(clip("plain.ts"), "main"))

    names = boxes(tmp_path / "ours.mp4")
    assert names.index(b"moov") < names.index(b"mdat")
    assert_plays(tmp_path / "ours.mp4")


def test_h265_is_what_apple_plays(clip, tmp_path):
    """H.265 in MP4 is tagged hvc1."""
    put(tmp_path / "ours.mp4", Source(clip("h265.ts"), "main"))

    assert probed(tmp_path / "ours.mp4")["streams"][0]["codec_tag_string"] == "hvc1"


@pytest.mark.parametrize("container", ["mp4", "mkv"])
def test_h265_decodes_to_the_same_frames(clip, tmp_path, container):
    """Every frame is there. The bytes differ: hvc1 has its parameter sets in the header, and

    ffmpeg 5.1 counts the zero byte of the next start code as a part of each picture.
    """
    ours = tmp_path / f"ours.{container}"

    put(ours, Source(clip("h265.ts"), "main"))

    assert_plays(ours)
    assert frames(ours) == frames(clip("h265.ts"))


@pytest.mark.parametrize("name", ["plain.ts", "fragments.mp4"])
def test_a_discontinuity(clip, tmp_path, name):
    """Clocks that begin again run on: as long, and as many packets, as both parts together."""
    twice, content = tmp_path / "twice", clip(name).read_bytes()
    twice.write_bytes(content * 2)
    put(tmp_path / "once.mp4", Source(clip(name), "main"))

    put(tmp_path / "twice.mp4", Source(twice, "main", breaks=(len(content),)))

    assert_plays(tmp_path / "twice.mp4")
    once, both = probed(tmp_path / "once.mp4"), probed(tmp_path / "twice.mp4")
    for short, long in zip(once["streams"], both["streams"], strict=True):
        assert int(long["nb_read_packets"]) == 2 * int(short["nb_read_packets"])
    assert seconds(tmp_path / "twice.mp4") == pytest.approx(
        2 * seconds(tmp_path / "once.mp4"), abs=0.05
    )


def test_a_stream_that_begins_on_the_way(clip, tmp_path):
    """Sound alone, then a picture with it, unannounced: the sound is there, and the user is told.

    Announced by a discontinuity, everything is.
    """
    sound, both = clip("sound.ts").read_bytes(), clip("sound first.ts").read_bytes()
    (tmp_path / "all.ts").write_bytes(sound + both)

    told = put(tmp_path / "one.mp4", Source(tmp_path / "all.ts", "main"))
    put(tmp_path / "two.mp4", Source(tmp_path / "all.ts", "main", breaks=(len(sound),)))

    assert told.warnings == ("A stream that begins on the way was left out",)
    assert [one["codec_type"] for one in probed(tmp_path / "one.mp4")["streams"]] == ["audio"]
    assert_plays(tmp_path / "two.mp4")
    assert [one["codec_type"] for one in probed(tmp_path / "two.mp4")["streams"]] == [
        "audio",
        "video",
    ]


def test_sound_behind_many_pictures(clip, tmp_path):
    """What the first megabytes do not show is looked for further on: no sound is lost."""
    result = put(tmp_path / "ours.mp4", Source(clip("late sound.ts"), "main"))

    assert result.warnings == ()
    streams = probed(tmp_path / "ours.mp4")["streams"]
    assert [one["codec_type"] for one in streams] == ["video", "audio"]
    assert float(streams[1]["start_time"]) == pytest.approx(4, abs=0.1)


def test_a_stream_that_becomes_another_one(clip, tmp_path):
    """The same PID has pictures after sound, unannounced: that cannot be written, which is said."""
    contents = [clip(name).read_bytes() for name in ("sound.ts", "plain.ts")]
    (tmp_path / "all.ts").write_bytes(b"".join(contents))

    with pytest.raises(RemuxFailed, match="cannot write this as mp4: Invalid argument"):
        put(tmp_path / "ours.mp4", Source(tmp_path / "all.ts", "main"))


def test_everything_in_one_file(clip, tmp_path):
    """Picture, sound in two languages, subtitles and chapters."""
    (tmp_path / "de.vtt").write_text(SUBTITLES)
    sources = (
        Source(clip("picture.mp4"), "main"),
        Source(clip("sound.mp4"), "audio", "en-US", "English", default=True),
        Source(clip("sound.aac"), "audio", "de", "Deutsch"),
        Source(tmp_path / "de.vtt", "subtitles", "de", "Untertitel"),
    )
    chapters = (Chapter(0, 0.5, "One"), Chapter(0.5, 1, "Two"))
    for name in ("all.mp4", "all.mkv"):
        put(tmp_path / name, *sources, chapters=chapters)

        assert_plays(tmp_path / name)
        found = probed(tmp_path / name)
        streams = [s for s in found["streams"] if s["codec_type"] != "data"]
        assert [s["codec_type"] for s in streams] == ["video", "audio", "audio", "subtitle"]
        assert [s["tags"]["language"] for s in streams[1:]] == ["eng", "deu", "deu"]
        assert [s["disposition"]["default"] for s in streams[1:3]] == [1, 0]
        assert [c["tags"]["title"] for c in found["chapters"]] == ["One", "Two"]
        srt = ffmpeg("-i", tmp_path / name, "-map", "0:s", "-f", "srt", "-")
        assert "00:00:00,200 --> 00:00:00,500" in srt
        assert "Hello" in srt
        assert "Bye" in srt


def test_the_source_is_released(clip, tmp_path, monkeypatch):
    """What was read is given back to the disk, and the output is the same."""
    monkeypatch.setattr("pipeline.media.slices._STEP", 4096)
    copy = tmp_path / "copy.ts"
    copy.write_bytes(clip("plain.ts").read_bytes())
    before = copy.stat().st_blocks

    put(tmp_path / "ours.mp4", Source(copy, "main"), may_consume=True)
    put(tmp_path / "kept.mp4", Source(clip("plain.ts"), "main"))

    assert copy.stat().st_blocks < before / 4
    assert hashes(tmp_path / "ours.mp4") == hashes(tmp_path / "kept.mp4")


def test_no_place_to_write(clip, tmp_path):
    """What the disk refuses is an error of the disk, and the source stays whole."""
    content = clip("plain.ts").read_bytes()
    source = tmp_path / "copy.ts"
    source.write_bytes(content)

    with pytest.raises(StorageError):
        put(tmp_path / "nowhere" / "ours.mp4", Source(source, "main"), may_consume=True)

    assert source.read_bytes() == content


@pytest.mark.parametrize("content", [b"", b"\0" * 5000, b"<html>" * 50, b"G" * 188 * 50])
def test_garbage(tmp_path, content):
    """What is no stream is refused in one sentence, and left as it was."""
    source = tmp_path / "source"
    source.write_bytes(content)

    with pytest.raises(RemuxFailed):
        put(tmp_path / "ours.mp4", Source(source, "main"), may_consume=True)

    assert source.read_bytes() == content


def survives(content: bytes, seed: int, tmp_path: Path) -> None:
    """Damage the stream: it is refused, or there is a file that can be read."""
    chance, damaged = random.Random(seed), bytearray(content)
    for _ in range(chance.choice((1, 10, 100, 1000))):
        damaged[chance.randrange(len(damaged))] = chance.randrange(256)
    source, output = tmp_path / "source", tmp_path / "ours.mp4"
    source.write_bytes(damaged[: chance.randrange(1, len(damaged) + 1)])
    try:
        put(output, Source(source, "main"), may_consume=True)
    except RemuxFailed as error:
        sentence = str(error)
        assert "\n" not in sentence
    else:
        assert probed_quietly(output)["streams"]


def probed_quietly(path: Path) -> dict:
    """What ffprobe finds; the streams themselves may be damaged."""
    command = ("ffprobe", "-v", "quiet", "-show_streams", "-of", "json", str(path))
    return json.loads(subprocess.run(command, capture_output=True, timeout=60, check=True).stdout)


@pytest.mark.parametrize("name", ["plain.ts", "fragments.mp4"])
def test_damaged_streams(clip, tmp_path, name):
    """Damage ends in a refusal or a file that plays, never in a crash."""
    for seed in range(20):
        survives(clip(name).read_bytes(), seed, tmp_path)


@pytest.mark.stress
@pytest.mark.parametrize("seed", range(200))
def test_many_damaged_streams(clip, tmp_path, seed):
    """The same, at length."""
    survives(clip("plain.ts").read_bytes(), seed, tmp_path)
