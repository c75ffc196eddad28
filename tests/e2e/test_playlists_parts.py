"""Parts of a playlist, and one variant of several: `--section`, `--exclude`, `-f`."""

import hashlib
from typing import Any

import pytest

from tests.e2e.bench import KB, Bench, message
from tests.support.payloads import initialization_section, payload
from tests.support.playlists import Entry, MapTag, Variant, media_playlist, multivariant_playlist
from tests.support.runs import Run
from tests.support.streams import Aes

pytestmark = pytest.mark.processes

PLAIN = [payload(index, 20 * KB) for index in range(6)]
VARIANTS = {
    "low": Variant("low.m3u8", 500_000, "640x360", "avc1.4d401e,mp4a.40.2"),
    "middle": Variant("middle.m3u8", 1_500_000, "1280x720", "avc1.4d401f,mp4a.40.2"),
    "other": Variant("other.m3u8", 1_400_000, "1280x720", "hvc1.1.6.L93.B0,mp4a.40.2"),
    "high": Variant("high.m3u8", 5_200_000, "1920x1080", "avc1.640028,mp4a.40.2"),
}


def sha256(*parts: bytes) -> str:
    """The hash of the parts joined."""
    return hashlib.sha256(b"".join(parts)).hexdigest()


def picked(run: Run) -> dict[str, Any]:
    """What the run said of the segments that it picked."""
    (event,) = (event for event in run.events if event["event"] == "segments_picked")
    return event


class TestSections:
    """Six segments of ten seconds each."""

    @pytest.fixture(autouse=True)
    def playlist(self, bench: Bench) -> None:
        """Serve them."""
        bench.origin.serve({f"/{index}.ts": plain for index, plain in enumerate(PLAIN)})
        bench.serve_playlist(media_playlist([Entry(f"{index}.ts", 10.0) for index in range(6)]))

    @pytest.mark.parametrize(
        ("section", "first", "last"),
        [("00:15-00:30", 1, 2), ("30-", 3, 5)],
        ids=["from a time to a time", "to the end"],
    )
    def test_a_section(self, section: str, first: int, last: int, bench: Bench) -> None:
        """The segments that cover the section are fetched, no others, and their number is said."""
        run = bench.fetch("--section", section)

        bench.check_right(run, sha256(*PLAIN[first : last + 1]))
        fetched = {request.path for request in bench.origin.requests_for("*.ts")}
        assert fetched == {f"/{index}.ts" for index in range(first, last + 1)}
        event = picked(run)
        assert (event["segments"], event["of"]) == (last - first + 1, 6)

    def test_both(self, bench: Bench) -> None:
        """What is excluded of a section and what is outside of it are told apart."""
        run = bench.fetch("--section", "10-40", "--exclude", "2")

        bench.check_right(run, sha256(PLAIN[1], PLAIN[3]))
        event = picked(run)
        assert (event["outside"], event["excluded"]) == (3, 1)

    @pytest.mark.parametrize(
        "arguments",
        [("--section", "100-200"), ("--exclude", "("), ("--section", "9-3")],
        ids=["outside", "no expression", "backwards"],
    )
    def test_nothing_is_left(self, arguments: tuple[str, ...], bench: Bench) -> None:
        """What leaves no segment, or cannot be understood, is the user's error."""
        run = bench.fetch(*arguments)

        assert run.exit_code == 2, run.stderr
        assert not bench.output.exists()
        assert bench.origin.count("*.ts") == 0
        bench.check_nothing_left()

    def test_in_words(self, bench: Bench) -> None:
        """People are told how many segments are taken."""
        arguments = ["fetch", bench.url, "-o", "video.ts", "--section", "10-40", "--exclude", "2"]
        run = bench.workspace.run(*arguments, "--progress", "plain")

        assert run.exit_code == 0, run.stderr
        assert "2 of 6" in run.stderr


def test_a_section_keeps_keys_and_initialization(bench: Bench) -> None:
    """A part begins with its own initialization section, and implied IVs do not move."""
    stream = bench.serve([20 * KB] * 6, container="fmp4", maps_every=2, aes=Aes(rotate_every=3))

    run = bench.fetch("--section", "13-21")

    media = [stream.payload(index) for index in range(6)]
    bench.check_right(
        run, sha256(initialization_section(1), media[3], initialization_section(2), *media[4:])
    )


def test_an_excluded_advertisement_takes_its_section_along(bench: Bench) -> None:
    """An initialization section that only excluded segments use is not fetched."""
    sections = [initialization_section(number) for number in range(2)]
    media = [payload(index, 20 * KB, container="fmp4") for index in range(3)]
    bench.origin.serve({"/a.mp4": sections[0], "/b.mp4": sections[1]})
    bench.origin.serve({f"/{index}.m4s": body for index, body in enumerate(media)})
    entries = [
        Entry("0.m4s", tags=[MapTag("a.mp4")]),
        Entry("1.m4s?ad", tags=["#EXT-X-DISCONTINUITY", MapTag("b.mp4")]),
        Entry("2.m4s", tags=["#EXT-X-DISCONTINUITY", MapTag("a.mp4")]),
    ]
    bench.serve_playlist(media_playlist(entries))

    run = bench.fetch("--exclude", "[?]ad")

    bench.check_right(run, sha256(sections[0], media[0], media[2]))
    assert bench.origin.count("/b.mp4") == 0


class TestVariants:
    """`-f` picks one variant stream."""

    @pytest.fixture(autouse=True)
    def playlists(self, bench: Bench) -> None:
        """Serve a segment for each."""
        for index, name in enumerate(VARIANTS):
            text = media_playlist([Entry(f"{name}.ts")])
            bench.origin.serve({f"/{name}.m3u8": text, f"/{name}.ts": PLAIN[index]})
        bench.serve_playlist(multivariant_playlist(VARIANTS.values()))

    @pytest.mark.parametrize(
        ("rule", "name"),
        [
            ("worst", "low"),
            ("height<=1080,codecs=hvc1", "other"),
            ("height>2000/best", "high"),
        ],
    )
    def test_a_rule(self, rule: str, name: str, bench: Bench) -> None:
        """The variant that fits is fetched, and no other media playlist is asked for."""
        run = bench.fetch("-f", rule)

        bench.check_right(run, sha256(PLAIN[list(VARIANTS).index(name)]))
        assert bench.origin.count("*.m3u8") == 2

    def test_no_variant_fits(self, bench: Bench) -> None:
        """A rule that nothing fits is the user's error, which lists what there is."""
        run = bench.fetch("-f", "4320p")

        bench.check_failed(run, 2)
        assert "1920x1080" in message(run)
