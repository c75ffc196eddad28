"""Whatever a stream is made of, the output is its plaintext, byte for byte.

The streams are encrypted by `cryptography`, and hashed before that: hlspipe's own cipher has no
part in the verdict. What is kept where on the way is in `test_storage`.
"""

import threading

import pytest

from tests.e2e.bench import KB, MB, Bench, segments
from tests.support.behaviours import Held
from tests.support.playlists import Variant, multivariant_playlist
from tests.support.runs import Running
from tests.support.streams import Aes

pytestmark = pytest.mark.processes

SIZES = {
    "3 of 10 MB": [10 * MB] * 3,
    "500 of 100 KB": [100 * KB] * 500,
    "1000 of 1 byte": [1] * 1000,
    "with empty ones": [0, 5000, 0, 0, 70000, 0],
    "all empty": [0, 0, 0],
    "around a cipher block": [15, 16, 17, 31, 32, 33],
    "around an arena block": [256 * KB - 1, 256 * KB, 256 * KB + 1, 512 * KB, 255 * KB],
}
NO_MEMORY = {name: SIZES[name] for name in SIZES if "00 of" not in name}


@pytest.mark.parametrize("aes", [None, Aes()], ids=["clear", "encrypted"])
@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
def test_segments_of_any_size(sizes: list[int], aes: Aes | None, bench: Bench) -> None:
    """Few large, many small and empty segments (encrypted: one block of padding) come out right."""
    stream = bench.serve(sizes, aes=aes)

    run = bench.fetch()

    bench.check_right(run)
    assert run.receipt["bytes"] == stream.bytes
    assert segments(run) == (len(sizes), len(sizes), [])


@pytest.mark.parametrize("merge", ["stream", "end"])
@pytest.mark.parametrize("sizes", NO_MEMORY.values(), ids=NO_MEMORY)
def test_segments_of_any_size_from_disk(sizes: list[int], merge: str, bench: Bench) -> None:
    """The same when nothing at all is kept in memory, whenever the output is written."""
    bench.serve(sizes, aes=Aes())

    run = bench.fetch("--memory-threshold", "0", "--merge", merge)

    bench.check_right(run)


@pytest.mark.stress
def test_one_segment_of_300_mb(bench: Bench) -> None:
    """A segment larger than memory may be flows through."""
    bench.serve([300 * MB], aes=Aes())

    run = bench.fetch()

    bench.check_right(run)


@pytest.mark.parametrize("merge", ["stream", "end"])
@pytest.mark.parametrize(
    ("beside", "mode"),
    [(-1, "memory"), (0, "disk"), (1, "disk")],
    ids=["one byte below", "exactly at", "one byte above"],
)
def test_the_threshold_to_the_byte(beside: int, mode: str, merge: str, bench: Bench) -> None:
    """Storage goes to disk at the threshold or above it, and not one byte before."""
    sizes = [100_000] * 9 + [100_000 + beside]
    bench.serve(sizes, aes=Aes())

    run = bench.fetch("--memory-threshold", "1000000", "--merge", merge)

    bench.check_right(run)
    storage = run.receipt["storage"]
    assert storage["mode"] == mode
    assert storage["threshold_bytes"] == 1_000_000
    if mode == "disk":
        assert storage["switched_at_bytes"] >= 1_000_000


class TestOutOfTurn:
    """Sixteen connections, and the first segment held back by the origin."""

    ARGUMENTS = ("-N", "16", "--processes", "2", "--memory-threshold", "2MB")

    @pytest.fixture
    def gate(self, bench: Bench) -> threading.Event:
        """Lets the first segment through."""
        bench.serve([MB] * 60, aes=Aes())
        gate = threading.Event()
        bench.origin.behave("/segment00000.ts", Held(gate))
        return gate

    @pytest.mark.parametrize("merge", ["stream", "end"])
    def test_segments_that_cannot_wait_in_memory_spill(
        self, merge: str, bench: Bench, gate: threading.Event
    ) -> None:
        """What does not fit in the arena waits in segment files, and the order is right."""
        with bench.start(*self.ARGUMENTS, "--merge", merge) as running:
            self.wait_spilled(bench, running)
            gate.set()
            run = running.wait()

        assert bench.output.stat().st_size == bench.stream.bytes
        bench.check_right(run)
        assert run.receipt["storage"]["spilled_bytes"] > 0
        assert run.receipt["storage"]["peak_temp_bytes"] > 0

    @staticmethod
    def wait_spilled(bench: Bench, running: Running) -> None:
        """Every segment has been asked for, and some of those that came are in files."""
        running.wait_until(
            lambda: bench.origin.count("/segment*") == 60 and bench.spilled(), "segment files"
        )


class TestPlaylists:
    """What a playlist may say about its segments."""

    @pytest.mark.parametrize("aes", [None, Aes()], ids=["clear", "encrypted"])
    @pytest.mark.parametrize("offsets", ["explicit", "implicit"])
    def test_byte_ranges(self, offsets: str, aes: Aes | None, bench: Bench) -> None:
        """Segments that are parts of one file are fetched as such."""
        bench.serve([100 * KB, 30 * KB, 1, 70 * KB], byte_ranges=offsets, aes=aes)

        run = bench.fetch()

        bench.check_right(run)
        ranges = [request.byte_range for request in bench.origin.requests_for("/video.ts")]
        assert None not in ranges

    @pytest.mark.parametrize(
        "aes",
        [None, Aes(), Aes(encrypt_map=False)],
        ids=["clear", "encrypted", "clear sections"],
    )
    @pytest.mark.parametrize("byte_ranges", [None, "explicit"], ids=["files", "byte ranges"])
    def test_initialization_sections(
        self, byte_ranges: str | None, aes: Aes | None, bench: Bench
    ) -> None:
        """Each EXT-X-MAP is written once, before the first segment that it is for."""
        bench.serve([50 * KB] * 6, container="fmp4", maps_every=2, byte_ranges=byte_ranges, aes=aes)

        run = bench.fetch()

        bench.check_right(run)
        assert run.receipt["segments"]["expected"] == 6
        assert bench.origin.count() == bench.stream.requests

    @pytest.mark.parametrize("iv", ["implicit", "explicit"])
    def test_key_rotation(self, iv: str, bench: Bench) -> None:
        """New keys and clear segments in between are followed; each key is fetched once."""
        aes = Aes(iv=iv, rotate_every=5, clear=(3, 4, 11, 12, 13))
        stream = bench.serve([20 * KB] * 20, aes=aes)

        run = bench.fetch("-N", "16")

        bench.check_right(run)
        assert len(stream.keys) == 4
        assert [bench.origin.count(f"/{key.name}") for key in stream.keys] == [1] * 4

    @pytest.mark.parametrize("number", [1, 2**31, 2**32 + 5, 2**63 + 1], ids=str)
    def test_media_sequence_numbers(self, number: int, bench: Bench) -> None:
        """The implicit initialization vector is the media sequence number, however large."""
        bench.serve([20 * KB] * 4, aes=Aes(), media_sequence_number=number)

        run = bench.fetch()

        bench.check_right(run)

    @pytest.mark.parametrize(
        "spelling",
        [
            "{name}",
            "./{name}",
            "../{name}",
            "/{name}",
            "{origin}/{name}",
            "//{authority}/{name}",
            "../{name}?token=a%20b&c=/d?e",
        ],
        ids=[
            "relative",
            "with a dot",
            "one folder up",
            "from the root",
            "absolute",
            "without a scheme",
            "with a query",
        ],
    )
    def test_uris(self, spelling: str, bench: Bench) -> None:
        """Segment and key URIs are resolved against the playlist's URL; queries are kept."""
        stream = bench.serve([20 * KB] * 3, aes=Aes())
        root = bench.origin.url("")
        text = stream.playlist_path.read_text()
        names = [path.name for path in (*stream.segments, *stream.keys)]
        for name in names:
            uri = spelling.format(name=name, origin=root, authority=root.partition("//")[2])
            text = text.replace(name, uri)
            bench.origin.serve({f"/folder/{name}": (stream.directory / name)})
        bench.serve_playlist(text, "/folder/list.m3u8")

        run = bench.fetch()

        bench.check_right(run)
        query = spelling.partition("?")[2]
        requests = [request for request in bench.origin.requests if request.path[1:] in names]
        assert all(request.query == query for request in requests)

    def test_a_base_url_replaces_the_playlists_own(self, bench: Bench) -> None:
        """`--base-url` is what relative URIs are resolved against."""
        stream = bench.serve([20 * KB] * 3, aes=Aes())
        bench.serve_playlist(stream.playlist_path.read_text(), "/elsewhere/list.m3u8")

        run = bench.fetch("--base-url", bench.origin.url("/"))

        bench.check_right(run)

    def test_the_highest_bandwidth_is_taken(self, bench: Bench) -> None:
        """Of a multivariant playlist the variant of the highest bandwidth is fetched, and named."""
        bench.serve([20 * KB] * 3, aes=Aes())
        variants = [
            Variant("low.m3u8", 500_000, "640x360"),
            Variant("video.m3u8", 5_200_000, "1920x1080"),
            Variant("middle.m3u8", 1_500_000, "1280x720"),
        ]
        bench.serve_playlist(multivariant_playlist(variants))

        run = bench.workspace.run("fetch", bench.url, "-o", "video.ts", "--progress", "plain")

        bench.check_right(run)
        assert "1920x1080" in run.stderr
        assert "5.2 Mbit/s" in run.stderr
        assert bench.origin.count("/low.m3u8") + bench.origin.count("/middle.m3u8") == 0

    def test_a_thousand_segments_share_one_key_request(self, bench: Bench) -> None:
        """A key that every segment needs at once is fetched once."""
        stream = bench.serve([100] * 1000, aes=Aes())

        run = bench.fetch("-N", "32")

        bench.check_right(run)
        assert bench.origin.count(f"/{stream.keys[0].name}") == 1
        assert bench.origin.count() == stream.requests
