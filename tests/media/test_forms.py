"""Tracks whose form changes between two parts: every player must be told of it."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import RemuxFailed
from pipeline.media import forms
from pipeline.media.remux import Remuxed, remux
from pipeline.media.tracks import RemuxPlan, Source
from tests.media.programs import ffmpeg, ffprobe

PICTURE = ("-f", "lavfi", "-i", "testsrc2=s={size}:r=25:d=1")
SOUND = ("-f", "lavfi", "-i", "sine=440:d=1")
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-threads", "1")
H265 = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none:pools=1")
TS = ("-f", "mpegts")
MP4 = ("-movflags", "frag_keyframe+empty_moov+default_base_moof", "-f", "mp4")
CLIPS = {
    "h264 ts": (PICTURE, H264, TS, "160x120", "320x180"),
    "h264 mp4": (PICTURE, H264, MP4, "160x120", "320x180"),
    "h265 ts": (PICTURE, H265, TS, "160x120", "320x180"),
    "h265 mp4": (PICTURE, H265, MP4, "160x120", "320x180"),
    "flac mp4": (SOUND, ("-c:a", "flac", "-strict", "-2"), MP4, "48000", "32000"),
    "aac ts": (SOUND, ("-c:a", "aac", "-ac", "2"), TS, "48000", "32000"),
    "aac mp4": (SOUND, ("-c:a", "aac", "-ac", "2"), MP4, "48000", "32000"),
}

Clips = Callable[[str], list[Path]]


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Clips:
    """Makes the two clips of a kind once: the same for a second, in two forms."""
    directory = tmp_path_factory.mktemp("forms")

    def make(kind: str) -> list[Path]:
        source, codec, container, *variants = CLIPS[kind]
        paths = [directory / f"{kind} {variant}" for variant in variants]
        for path, variant in zip(paths, variants, strict=True):
            if not path.exists():
                made = [word.format(size=variant) for word in source]
                rate = [] if source is PICTURE else ["-ar", variant]
                ffmpeg(*made, *codec, *rate, *container, path)
        return paths

    return make


def join(parts: list[Path], output: Path) -> Remuxed:
    """What a download of these parts becomes."""
    contents = [part.read_bytes() for part in parts]
    merged = output.with_name("merged")
    merged.write_bytes(b"".join(contents))
    breaks = tuple(sum(map(len, contents[:number])) for number in range(1, len(contents)))
    source = Source(merged, "main", breaks=breaks)
    return remux(RemuxPlan((source,), output, output.suffix[1:]), lambda done, total: None)


def pictures(path: Path) -> list[str]:
    """A hash of each picture: scaled alike, so that size does not matter."""
    lines = ffmpeg("-i", path, "-vf", "scale=64:48:flags=neighbor", "-f", "framehash", "-")
    return [line.rsplit(",", 1)[1] for line in lines.decode().splitlines() if line[0] != "#"]


def crossings(path: Path, begin: float) -> int:
    """How often the sound swings in half a second: 220 times at 440 Hz."""
    cut = ("-ss", str(begin), "-i", path, "-t", "0.5", "-ac", "1", "-ar", "48000")
    data = memoryview(ffmpeg(*cut, "-f", "s16le", "-")).cast("h")
    return sum(before < 0 <= after for before, after in pairwise(data))


@pytest.mark.parametrize("container", ["mp4", "mkv"])
@pytest.mark.parametrize("kind", ["h264 ts", "h264 mp4", "h265 ts", "h265 mp4"])
def test_pictures_of_two_encoders(clips: Clips, tmp_path: Path, kind: str, container: str) -> None:
    """A clip, one of another size, the first one again: every picture is what it was."""
    first, other = clips(kind)
    output = tmp_path / f"video.{container}"

    result = join([first, other, first], output)

    assert result.warnings == ()
    assert pictures(output) == pictures(first) + pictures(other) + pictures(first)


@pytest.mark.parametrize("kind", ["aac ts", "aac mp4"])
def test_sounds_of_two_encoders(clips: Clips, tmp_path: Path, kind: str) -> None:
    """Another sampling rate on the way: each part sounds as high as it did."""
    first, other = clips(kind)
    output = tmp_path / "sound.m4a"

    join([first, other, first], output)

    assert ffmpeg("-i", output, "-f", "null", "-") == b""
    assert [crossings(output, begin) for begin in (0.2, 1.2, 2.2)] == pytest.approx(
        [220] * 3, abs=3
    )


@pytest.mark.parametrize("kind", ["aac ts", "aac mp4"])
def test_matroska_has_one_form_of_aac(clips: Clips, tmp_path: Path, kind: str) -> None:
    """It is refused before anything is written or released: MP4 can hold it."""
    with pytest.raises(RemuxFailed, match="an MP4 file can hold that"):
        join(clips(kind), tmp_path / "sound.mkv")

    assert not (tmp_path / "sound.mkv").exists()


def test_codecs_that_nothing_describes_anew(clips: Clips, tmp_path: Path) -> None:
    """They are written as they are, with a warning; what only looks different is no other form."""
    first, other = clips("flac mp4")
    again = tmp_path / "again"
    sound = ("-ar", "48000", "-c:a", "flac", "-compression_level", "0", "-strict", "-2")
    ffmpeg(*SOUND, *sound, *MP4, again)

    assert join([first, again], tmp_path / "sound.mkv").warnings == ()
    told = join([first, other], tmp_path / "sound.mkv").warnings
    assert told == ("The flac stream changes its form on the way: parts of it may not play",)


def test_pictures_that_tell_everything(tmp_path: Path) -> None:
    """AV1 has its headers among the pictures, whatever the decoder is called."""
    paths = [tmp_path / "first", tmp_path / "other"]
    for path, size in zip(paths, ["160x120", "320x180"], strict=True):
        picture = [word.format(size=size) for word in PICTURE]
        encoded = ("-c:v", "libaom-av1", "-usage", "realtime", "-cpu-used", "8", "-frames:v", "5")
        ffmpeg(*picture, *encoded, *MP4, path)

    assert join(paths, tmp_path / "video.mkv").warnings == ()
    assert pictures(tmp_path / "video.mkv") == pictures(paths[0]) + pictures(paths[1])


@pytest.mark.parametrize("damage", [b"", b"\xff\xf1\x4c\x40" + bytes(180)], ids=["cut", "garbage"])
def test_one_packet_is_no_form(clips: Clips, tmp_path: Path, damage: bytes) -> None:
    """A part that begins in the middle of a frame, or with garbage, has no other form for it."""
    whole = clips("aac ts")[0].read_bytes()
    torn = tmp_path / "torn"
    at = 188 * (len(whole) // 188 // 2)
    torn.write_bytes(whole[: 3 * 188] + damage + whole[at:])

    join([clips("aac ts")[0], torn], tmp_path / "sound.mkv")

    assert crossings(tmp_path / "sound.mkv", 0.2) == pytest.approx(220, abs=3)


@pytest.mark.parametrize("kind", [kind for kind in CLIPS if kind != "flac mp4"])
def test_one_form_is_told_once(clips: Clips, tmp_path: Path, kind: str) -> None:
    """Parts of one encoder become a track with one description."""
    output = tmp_path / "video.mp4"

    join([clips(kind)[0]] * 2, output)

    at = output.read_bytes().index(b"stsd") + 8
    assert output.read_bytes()[at : at + 4] == b"\0\0\0\1"


def test_parameter_sets_that_nobody_announced(tmp_path: Path) -> None:
    """H.265 of another size, and no word of a discontinuity: its sets are not lost."""
    paths = [tmp_path / "first", tmp_path / "other"]
    for path, size, start in zip(paths, ["160x120", "320x180"], ["0", "2"], strict=True):
        picture = [word.format(size=size) for word in PICTURE]
        ffmpeg(*picture, *H265, "-output_ts_offset", start, *TS, path)
    merged, output = tmp_path / "merged", tmp_path / "video.mp4"
    merged.write_bytes(b"".join(path.read_bytes() for path in paths))

    remux(RemuxPlan((Source(merged, "main"),), output, "mp4"), lambda done, total: None)

    assert pictures(output) == pictures(paths[0]) + pictures(paths[1])


def test_a_part_without_a_header_of_its_own(clips: Clips, tmp_path: Path) -> None:
    """It is read with the initialization section in force, which is not always the first one."""
    first, other = clips("h264 mp4")
    bare = tmp_path / "bare"
    content = other.read_bytes()
    bare.write_bytes(content[content.index(b"moof") - 4 :])

    join([first, other, bare], tmp_path / "video.mp4")

    assert pictures(tmp_path / "video.mp4") == pictures(first) + 2 * pictures(other)


def test_another_section_on_the_same_timeline(clips: Clips, tmp_path: Path) -> None:
    """Nothing is said of a discontinuity: times stay what they are, and so does a gap in them."""
    first, other = clips("h264 mp4")
    late = bytearray(other.read_bytes())
    time = late.index(b"tfdt") + 8  # of its only fragment: it counts 12,800 a second
    late[time : time + 8] = (3 * 12_800).to_bytes(8, "big")
    merged, output = tmp_path / "merged", tmp_path / "video.mp4"
    merged.write_bytes(first.read_bytes() + late)

    remux(RemuxPlan((Source(merged, "main"),), output, "mp4"), lambda done, total: None)

    assert ffmpeg("-i", output, "-f", "null", "-") == b""
    shown = ("-show_entries", "packet=pts_time", "-of", "csv=p=0")
    lines = ffprobe(*shown, output).split()
    times = sorted(float(line.strip(b",")) for line in lines)
    assert len(times) == 50
    assert times[25] - times[0] == pytest.approx(3, abs=0.002)


@pytest.mark.parametrize(
    ("configuration", "form"),
    [
        ("1190", "4c80"),  # LC, 48 kHz, stereo
        ("119056e500", "4c80"),  # the same, and "no SBR" said aloud
        ("2b11880800", "5880"),  # LC with SBR: 24 kHz doubled
        ("1388", "5c40"),  # LC, 22.05 kHz, mono
        ("f8e8", "f8e8"),  # an object type that ADTS does not know
        ("", ""),
    ],
)
def test_configurations_as_adts(configuration: str, form: str) -> None:
    """What counts of an AudioSpecificConfig, as an ADTS header says it."""
    assert forms.adts_form(bytes.fromhex(configuration)).hex() == form


@given(st.binary(max_size=12))
def test_any_configuration_has_a_form(configuration: bytes) -> None:
    """Two bytes with nothing but profile, rate and channels in them, or the same as before."""
    form = forms.adts_form(configuration)

    assert form == configuration or (len(form) == 2 and not form[1] & 0x3F)
