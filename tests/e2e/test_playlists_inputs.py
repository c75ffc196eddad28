"""Where a playlist may come from, and what it may lead to from there."""

import hashlib
from pathlib import Path

import pytest

from tests.e2e.bench import KB, Bench, message
from tests.support.behaviours import Redirect
from tests.support.payloads import payload
from tests.support.playlists import (
    Entry,
    KeyTag,
    MapTag,
    Variant,
    media_playlist,
    multivariant_playlist,
)
from tests.support.streams import Aes, Stream

pytestmark = pytest.mark.processes

PLAIN = [payload(index, 20 * KB) for index in range(3)]
SHA256 = hashlib.sha256(b"".join(PLAIN)).hexdigest()


def serve(bench: Bench) -> str:
    """Serve three segments; the playlist that lists them."""
    bench.origin.serve({f"/media/{index}.ts": plain for index, plain in enumerate(PLAIN)})
    return media_playlist([Entry(f"{index}.ts") for index in range(3)])


def standard_input(bench: Bench, text: str) -> Path:
    """A file to be read as standard input."""
    path = bench.workspace.root / "stdin.m3u8"
    path.write_text(text)
    return path


class TestLocal:
    """Playlists on this machine."""

    @pytest.fixture
    def stream(self, bench: Bench) -> Stream:
        """An encrypted stream with initialization sections, all of it on disk."""
        return bench.serve([50 * KB] * 4, container="fmp4", maps_every=2, aes=Aes())

    def test_local_segments(self, stream: Stream, bench: Bench) -> None:
        """A local playlist may name segments, sections and keys beside it."""
        bench.url = str(stream.playlist_path)

        run = bench.fetch()

        bench.check_right(run)
        assert bench.origin.count() == 0

    def test_local_byte_ranges(self, bench: Bench) -> None:
        """Segments may be parts of a local file."""
        stream = bench.serve([50 * KB, 1, 30 * KB], byte_ranges="implicit", aes=Aes())
        bench.url = str(stream.playlist_path)

        run = bench.fetch()

        bench.check_right(run)

    def test_a_local_multivariant_playlist(self, stream: Stream, bench: Bench) -> None:
        """A local multivariant playlist may lead to local media playlists."""
        text = multivariant_playlist([Variant(stream.playlist_path.name, 1000)])
        path = stream.directory / "main.m3u8"
        path.write_text(text)
        bench.url = str(path)

        run = bench.fetch()

        bench.check_right(run)

    def test_remote_segments_of_a_local_playlist(self, bench: Bench) -> None:
        """A local playlist may name what is on the web, by itself or by `--base-url`."""
        text = serve(bench)
        bench.url = str(standard_input(bench, text))

        run = bench.fetch("--base-url", bench.origin.url("/media/"))

        bench.check_right(run, SHA256)

    def test_a_local_segment_that_is_missing(self, stream: Stream, bench: Bench) -> None:
        """A local file that is not there is a missing segment."""
        stream.segments[2].unlink()
        bench.url = str(stream.playlist_path)

        run = bench.fetch()

        bench.check_failed(run, 6)


class TestStandardInput:
    """`-` in the place of the URL."""

    def test_a_base_url(self, bench: Bench) -> None:
        """A playlist on standard input is resolved against `--base-url`."""
        path = standard_input(bench, serve(bench))
        bench.url = "-"

        with path.open("rb") as stdin:
            run = bench.fetch("--base-url", bench.origin.url("/media/"), stdin=stdin)

        bench.check_right(run, SHA256)

    @pytest.mark.parametrize("trusted", [False, True], ids=["from anywhere", "from here"])
    def test_local_files(self, trusted: bool, bench: Bench) -> None:
        """It may name files only where `--base-url` says that it belongs to this machine."""
        for index, plain in enumerate(PLAIN):
            (bench.workspace.cwd / f"{index}.ts").write_bytes(plain)
        path = standard_input(bench, serve(bench))
        bench.url = "-"
        base = ["--base-url", f"{bench.workspace.cwd.as_uri()}/"] if trusted else []

        with path.open("rb") as stdin:
            run = bench.fetch(*base, stdin=stdin)

        if trusted:
            bench.check_right(run, SHA256)
        else:
            bench.check_failed(run, 4)

    def test_nothing_on_it(self, bench: Bench) -> None:
        """An empty standard input is no playlist."""
        bench.url = "-"

        run = bench.fetch()

        bench.check_failed(run, 4)


class TestRemotePlaylistsNameNoFiles:
    """A playlist from the web never makes the program read a file of this machine."""

    @pytest.mark.parametrize(
        "entry",
        [
            Entry("file:///etc/hostname"),
            Entry("0.ts", tags=[KeyTag("AES-128", "file:///etc/hostname")]),
            Entry("0.ts", tags=[MapTag("file:///etc/hostname")]),
        ],
        ids=["segment", "key", "section"],
    )
    def test_in_a_media_playlist(self, entry: Entry, bench: Bench) -> None:
        """A segment, a key or a section that is a file is refused before any request for one."""
        bench.serve_playlist(media_playlist([Entry("first.ts"), entry]))

        run = bench.fetch()

        bench.check_failed(run, 4)
        assert "only http and https" in message(run)
        assert bench.origin.count() == 1

    @pytest.mark.parametrize("kind", ["variant", "rendition"])
    def test_in_a_multivariant_playlist(self, kind: str, bench: Bench) -> None:
        """A media playlist that is a file is refused."""
        local = f"file://{bench.workspace.cwd}/list.m3u8"
        (bench.workspace.cwd / "list.m3u8").write_text(media_playlist([Entry("0.ts")]))
        tag = f'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="x",DEFAULT=YES,URI="{local}"'
        uri = local if kind == "variant" else "video.m3u8"
        bench.serve_playlist(multivariant_playlist([Variant(uri, 1, more='AUDIO="a"')], [tag]))

        run = bench.fetch()

        bench.check_failed(run, 4)
        assert bench.origin.count() == 1

    def test_a_base_url_of_files(self, bench: Bench) -> None:
        """`--base-url` does not turn a remote playlist into a local one."""
        (bench.workspace.cwd / "0.ts").write_bytes(PLAIN[0])
        bench.serve_playlist(media_playlist([Entry("0.ts")]))

        run = bench.fetch("--base-url", f"file://{bench.workspace.cwd}/")

        bench.check_failed(run, 4)

    def test_a_redirect_to_a_file(self, bench: Bench) -> None:
        """A redirect leads to no file either, from a segment as little as from a playlist."""
        bench.serve_playlist(media_playlist([Entry("0.ts")]))
        bench.origin.behave("/0.ts", Redirect("file:///etc/hostname"))

        run = bench.fetch("--retries", "1", "--retry-sleep", "0")

        bench.check_failed(run, 3)
