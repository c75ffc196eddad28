"""Audio and subtitles with playlists of their own: fetched in the same run, beside the output."""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.crypto.conftest import TONE, VIDEO, X264, ffmpeg
from tests.e2e.bench import KB, Bench
from tests.support.behaviours import Status
from tests.support.payloads import initialization_section, payload
from tests.support.playlists import (
    Entry,
    KeyTag,
    MapTag,
    Variant,
    media_playlist,
    multivariant_playlist,
)
from tests.support.runs import Run
from tests.support.streams import encrypt

pytestmark = pytest.mark.processes

KEY, IV = bytes(range(16)), bytes(range(16, 32))
SECTION = initialization_section()
MEDIA = {
    name: payload(index, 30 * KB, container="fmp4")
    for index, name in enumerate(["video", "en", "de", "en2"])
}
AUDIO = {
    "en": ("en", "English", "DEFAULT=YES,AUTOSELECT=YES"),
    "de": ("de", "Deutsch", "AUTOSELECT=YES"),
    "en2": ("en", "Commentary", "DEFAULT=NO"),
}
SEGMENTS = {
    "de": ["00:01.000 --> 00:02.000\nEins\n", "00:05.000 --> 00:06.000\nZwei <b>fett</b>\n"],
    "fr": ["00:01.000 --> 00:02.000\nUn\n", "00:05.000 --> 00:06.000\nDeux\n"],
}


def sha256(data: bytes) -> str:
    """The hash of some bytes."""
    return hashlib.sha256(data).hexdigest()


def serve_subtitles(bench: Bench, header: str = "WEBVTT", **tracks: Sequence[str]) -> list[str]:
    """Serve subtitles in segments of four seconds; the tags that name them."""
    tags = []
    for language, texts in (tracks or SEGMENTS).items():
        names = [f"{language}{number}.vtt" for number in range(len(texts))]
        bodies = {
            f"/{name}": f"{header}\n\n{text}" for name, text in zip(names, texts, strict=True)
        }
        playlist = media_playlist([Entry(name) for name in names])
        bench.origin.serve({**bodies, f"/{language}.sub.m3u8": playlist})
        tags.append(
            f'#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="{language}",'
            f'LANGUAGE="{language}",URI="{language}.sub.m3u8"'
        )
    return tags


@pytest.fixture
def rich(bench: Bench) -> Bench:
    """A video with three audio renditions, one of them encrypted, and two of subtitles."""
    tags = []
    bench.origin.serve({"/init.mp4": SECTION, "/key": KEY})
    for name, body in MEDIA.items():
        key = [KeyTag("AES-128", "key", IV)] if name == "de" else []
        served = b"".join(map(bytes, encrypt([body], KEY, IV))) if key else body
        entry = Entry(f"{name}.m4s", tags=[MapTag("init.mp4"), *key])
        bench.origin.serve({f"/{name}.m4s": served, f"/{name}.m3u8": media_playlist([entry])})
    for name, (language, title, more) in AUDIO.items():
        tags.append(
            f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",LANGUAGE="{language}",NAME="{title}",'
            f'{more},URI="{name}.m3u8"'
        )
    tags += serve_subtitles(bench)
    variant = Variant("video.m3u8", 1_000_000, more='AUDIO="a",SUBTITLES="s"')
    bench.serve_playlist(multivariant_playlist([variant], tags))
    return bench


def written(bench: Bench) -> dict[str, str]:
    """The files in the working directory, and their hashes."""
    return {path.name: sha256(path.read_bytes()) for path in bench.workspace.cwd.iterdir()}


def check_nothing_written(bench: Bench, run: Run, exit_code: int) -> None:
    """This exit code, and no output, no rendition and nothing temporary."""
    assert run.exit_code == exit_code, run.stderr
    assert written(bench) == {}
    bench.check_nothing_left()


class TestAudio:
    """Audio renditions."""

    def test_the_default_one(self, rich: Bench) -> None:
        """Unless told otherwise the rendition that the playlist prefers comes along."""
        run = rich.fetch()

        assert run.exit_code == 0, run.stderr
        assert written(rich) == {
            "video.ts": sha256(SECTION + MEDIA["video"]),
            "video.en.m4a": sha256(SECTION + MEDIA["en"]),
        }
        rich.check_nothing_left()

    def test_all_of_them(self, rich: Bench) -> None:
        """All are fetched by the same processes; a number tells apart what is named alike."""
        run = rich.fetch("--audio", "all", "--processes", "2", "-N", "4")

        assert run.exit_code == 0, run.stderr
        assert written(rich) == {
            "video.ts": sha256(SECTION + MEDIA["video"]),
            "video.en.m4a": sha256(SECTION + MEDIA["en"]),
            "video.de.m4a": sha256(SECTION + MEDIA["de"]),
            "video.en-2.m4a": sha256(SECTION + MEDIA["en2"]),
        }
        assert (run.receipt["processes"], run.receipt["connections"]) == (2, 4)
        renditions = {one["output"]: one for one in run.receipt["renditions"]}
        assert sorted(renditions) == ["video.de.m4a", "video.en-2.m4a", "video.en.m4a"]
        assert renditions["video.en-2.m4a"]["name"] == "Commentary"
        assert renditions["video.de.m4a"]["bytes"] == len(SECTION) + 30 * KB

    def test_none(self, rich: Bench) -> None:
        """With `--audio none` no playlist of a rendition is asked for."""
        run = rich.fetch("--audio", "none")

        rich.check_right(run, sha256(SECTION + MEDIA["video"]))
        assert rich.origin.count("*.m3u8") == 2

    def test_a_language(self, rich: Bench) -> None:
        """A language may be asked for, by a rule for variants too."""
        run = rich.fetch("-f", "audio=de")

        assert run.exit_code == 0, run.stderr
        assert sorted(written(rich)) == ["video.de.m4a", "video.ts"]

    def test_standard_output_has_no_room_beside(self, rich: Bench) -> None:
        """To standard output goes the variant stream alone."""
        run = rich.workspace.run("fetch", rich.url, "-o", "-", "-q")

        assert run.exit_code == 0, run.stderr
        assert rich.origin.count("/en.m3u8") == 0
        assert written(rich) == {}


class TestFailures:
    """All outputs of a run are written, or none."""

    @pytest.mark.parametrize(
        ("path", "exit_code"),
        [("/de.m4s", 6), ("/de.m3u8", 3), ("/key", 5)],
        ids=["a segment", "the playlist", "the key"],
    )
    def test_a_rendition_that_cannot_be_had(self, path: str, exit_code: int, rich: Bench) -> None:
        """One rendition that fails is the end of the run, and nothing is published."""
        rich.origin.behave(path, Status(404))

        run = rich.fetch("--audio", "all", "--retries", "0")

        check_nothing_written(rich, run, exit_code)

    def test_subtitles_that_cannot_be_had(self, rich: Bench) -> None:
        """Subtitles that fail are the end of the run, and nothing is published."""
        rich.origin.behave("/de1.vtt", Status(404))

        run = rich.fetch("--subtitles", "all", "--retries", "0")

        assert run.exit_code != 0
        check_nothing_written(rich, run, run.exit_code)

    def test_subtitles_that_are_none(self, rich: Bench) -> None:
        """Subtitles that are no WebVTT are refused, and nothing is published."""
        rich.origin.serve({"/de1.vtt": "<html>"})

        run = rich.fetch("--subtitles", "all")

        check_nothing_written(rich, run, 4)

    @pytest.mark.parametrize("name", ["video.en.m4a", "video.de.vtt"])
    def test_a_rendition_that_exists_already(self, name: str, rich: Bench) -> None:
        """A file in a rendition's place is left alone, and no other output is written."""
        (rich.workspace.cwd / name).write_text("mine")

        run = rich.fetch("--subtitles", "de")

        assert run.exit_code == 9, run.stderr
        assert written(rich) == {name: sha256(b"mine")}
        rich.check_nothing_left()

    def test_force(self, rich: Bench) -> None:
        """`--force` replaces renditions like the output itself."""
        for name in ("video.ts", "video.en.m4a", "video.de.vtt"):
            (rich.workspace.cwd / name).write_text("old")

        run = rich.fetch("--subtitles", "de", "--force")

        assert run.exit_code == 0, run.stderr
        assert sha256(b"old") not in written(rich).values()


class TestSubtitles:
    """Subtitle renditions: WebVTT segments become one document."""

    def test_vtt(self, rich: Bench) -> None:
        """Each rendition becomes a file of its own, named after the output and the language."""
        run = rich.fetch("--subtitles", "all", "--audio", "none")

        assert run.exit_code == 0, run.stderr
        assert sorted(written(rich)) == ["video.de.vtt", "video.fr.vtt", "video.ts"]
        assert (rich.workspace.cwd / "video.fr.vtt").read_text() == (
            "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nUn\n\n00:00:05.000 --> 00:00:06.000\nDeux\n"
        )
        assert [one["type"] for one in run.receipt["renditions"]] == ["SUBTITLES"] * 2

    def test_srt(self, rich: Bench) -> None:
        """SubRip has numbers, commas, and of tags the plain ones."""
        run = rich.fetch("--subtitles", "de", "--subtitles-format", "srt", "--audio", "none")

        assert run.exit_code == 0, run.stderr
        assert (rich.workspace.cwd / "video.de.srt").read_text() == (
            "1\n00:00:01,000 --> 00:00:02,000\nEins\n\n"
            "2\n00:00:05,000 --> 00:00:06,000\nZwei <b>fett</b>\n\n"
        )

    def test_nobody_speaks(self, rich: Bench) -> None:
        """Without a cue there is an empty document."""
        rich.origin.serve({"/de0.vtt": "WEBVTT\n", "/de1.vtt": ""})

        run = rich.fetch("--subtitles", "de", "--audio", "none")

        assert run.exit_code == 0, run.stderr
        assert (rich.workspace.cwd / "video.de.vtt").read_text() == "WEBVTT\n"

    def test_encrypted_subtitles(self, rich: Bench) -> None:
        """Subtitles may be encrypted as a whole, like other segments."""
        clear = b"WEBVTT\n\n00:01.000 --> 00:02.000\nGeheim\n"
        entry = Entry("secret.vtt", tags=[KeyTag("AES-128", "key", IV)])
        sealed = b"".join(map(bytes, encrypt([clear], KEY, IV)))
        rich.origin.serve({"/secret.vtt": sealed, "/de.sub.m3u8": media_playlist([entry])})

        run = rich.fetch("--subtitles", "de", "--audio", "none")

        assert run.exit_code == 0, run.stderr
        assert "Geheim" in (rich.workspace.cwd / "video.de.vtt").read_text()


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two segments of four seconds."""
    folder = tmp_path_factory.mktemp("clips")
    inputs = ["-f", "lavfi", "-i", VIDEO.replace("=1", "=8"), "-f", "lavfi", "-i", TONE]
    codecs = [*X264, "-g", "100", "-c:a", "aac", "-muxdelay", "0"]
    hls = ["-f", "hls", "-hls_time", "4", "-hls_segment_filename", folder / "%d.ts"]
    offset = ["-output_ts_offset", "140"]
    ffmpeg(*inputs, *codecs, *offset, *hls, folder / "list.m3u8", level="error")
    return sorted(folder.glob("*.ts"))


class TestTimes:
    """Subtitles of a real video, whose timestamps begin at 140 seconds."""

    @pytest.fixture
    def times(self, clips: list[Path], bench: Bench) -> Bench:
        """Serve the video; its subtitles count from a clock that began long before."""
        video = {f"/{index}.ts": clip for index, clip in enumerate(clips)}
        names = [path.removeprefix("/") for path in video]
        playlist = media_playlist([Entry(name) for name in names])
        bench.origin.serve({**video, "/video.m3u8": playlist})
        tags = serve_subtitles(
            bench,
            "WEBVTT\nX-TIMESTAMP-MAP=LOCAL:01:00:00.000,MPEGTS:324000000",
            en=["02:21.000 --> 02:22.000\nOne\n", "02:25.000 --> 02:26.000\nTwo\n"],
        )
        variant = Variant("video.m3u8", 1, more='SUBTITLES="s"')
        bench.serve_playlist(multivariant_playlist([variant], tags))
        return bench

    @staticmethod
    def cues(bench: Bench) -> dict[str, object]:
        """Text and beginning of each cue. AAC begins a frame before the video does."""
        text = (bench.workspace.cwd / "video.en.vtt").read_text()
        found = re.findall(r"00:00:([0-9.]+) --> .*\n(.*)", text)
        return {cue: pytest.approx(float(time), abs=0.05) for time, cue in found}

    def test_times_count_from_the_video(self, times: Bench) -> None:
        """A cue is shown when the frame of its own timestamp is."""
        run = times.fetch("--subtitles", "all")

        assert run.exit_code == 0, run.stderr
        assert self.cues(times) == {"One": 1, "Two": 5}

    def test_times_of_a_section(self, times: Bench) -> None:
        """Of a section, times count from the first segment that is written."""
        run = times.fetch("--subtitles", "all", "--section", "5-")

        assert run.exit_code == 0, run.stderr
        assert self.cues(times) == {"Two": 1}

    def test_times_of_a_section_without_a_map(self, times: Bench) -> None:
        """The playlist says where the section's first segment begins, if no clock does."""
        texts = ["00:01.000 --> 00:02.000\nOne\n", "00:05.000 --> 00:06.000\nTwo\n"]
        serve_subtitles(times, en=texts)

        run = times.fetch("--subtitles", "all", "--section", "5-")

        assert run.exit_code == 0, run.stderr
        assert self.cues(times) == {"Two": 1}
