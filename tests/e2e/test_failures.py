"""What can go wrong with a server or a playlist: the exit code, one sentence, nothing left."""

import socket

import pytest

from tests.e2e.bench import KB, Bench, message, segments
from tests.support.behaviours import Garbage, Page, Redirect, Reset, Right, Status
from tests.support.invariants import check_i5_requests_bounded
from tests.support.playlists import Entry, KeyTag, media_playlist
from tests.support.streams import Aes

pytestmark = pytest.mark.processes

#: Three tries, and no time lost between them.
BRIEF = ("--retries", "2", "--retry-sleep", "0.01")

PROTECTED = {
    "FairPlay": '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="skd://key",'
    'KEYFORMAT="com.apple.streamingkeydelivery",KEYFORMATVERSIONS="1"',
    "Widevine": '#EXT-X-KEY:METHOD=SAMPLE-AES-CTR,URI="data:text/plain;base64,AAAA",'
    'KEYFORMAT="urn:uuid:edef8ba9-79d6-4ace-a3c8-27dcd51d21ed"',
    "PlayReady": '#EXT-X-KEY:METHOD=AES-128,URI="key",KEYFORMAT="com.microsoft.playready"',
}


@pytest.fixture
def served(bench: Bench) -> Bench:
    """600 KB in 12 encrypted segments."""
    bench.serve([50 * KB] * 12, aes=Aes())
    return bench


class TestPlaylists:
    """The playlist cannot be had, or cannot be used."""

    @pytest.mark.parametrize("status", [401, 403, 404, 410, 500, 503])
    def test_a_status(self, status: int, served: Bench) -> None:
        """A playlist that is answered with an error is exit 3, with the status and the URL."""
        served.origin.behave("/video.m3u8", Status(status))

        run = served.fetch(*BRIEF)

        served.check_failed(run, 3)
        assert f"HTTP {status}" in message(run)
        assert "/video.m3u8" in message(run)
        assert served.origin.count() <= 3

    def test_a_refused_connection(self, bench: Bench) -> None:
        """Nobody there is exit 3, and the reason is said."""
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        bench.url = f"http://127.0.0.1:{port}/video.m3u8"

        run = bench.fetch(*BRIEF)

        bench.check_failed(run, 3)
        assert "refused" in message(run).lower()

    def test_a_name_that_does_not_exist(self, bench: Bench) -> None:
        """A host that has no address is exit 3."""
        bench.url = "http://absent.invalid/video.m3u8"

        run = bench.fetch(*BRIEF)

        bench.check_failed(run, 3)
        assert "absent.invalid" in message(run)

    @pytest.mark.parametrize(
        ("text", "quoted"),
        [
            ("<!DOCTYPE html>\n<html>", "<!DOCTYPE html>"),
            ("\x1b[31mred\u202e\x07\n", "\\u001b[31mred"),
            ("\x00\x01\x02", "\\u0000"),
        ],
        ids=["a web page", "control characters", "binary"],
    )
    def test_not_a_playlist(self, text: str, quoted: str, bench: Bench) -> None:
        """Something else is exit 4, with its first line, in which nothing can move a cursor."""
        bench.serve_playlist(text)

        run = bench.workspace.run("fetch", bench.url, "-o", "video.ts", *BRIEF)

        assert run.exit_code == 4, run.stderr
        assert quoted in run.stderr
        assert not set(run.stderr) & {"\x1b", "\x07", "\u202e", "\x00"}
        assert not bench.output.exists()

    @pytest.mark.parametrize("text", ["", "#EXTM3U\n"], ids=["nothing", "one line"])
    def test_an_empty_playlist(self, text: str, bench: Bench) -> None:
        """A playlist without segments is exit 4."""
        bench.serve_playlist(text)

        bench.check_failed(bench.fetch(*BRIEF), 4)

    @pytest.mark.parametrize(("system", "tag"), PROTECTED.items(), ids=PROTECTED)
    def test_drm(self, system: str, tag: str, bench: Bench) -> None:
        """A protected playlist is exit 4, names the system, and no segment or key is asked for."""
        entries = [Entry("a.ts"), Entry("b.ts", tags=[tag])]
        bench.serve_playlist(media_playlist(entries))

        run = bench.fetch(*BRIEF)

        bench.check_failed(run, 4)
        assert system in message(run)
        assert bench.origin.count() == 1

    @pytest.mark.parametrize("uri", ["file:///etc/passwd", "ftp://host/a.ts"])
    def test_another_scheme(self, uri: str, bench: Bench) -> None:
        """A segment that is not behind http(s) is exit 4, and is not opened."""
        bench.serve_playlist(media_playlist([Entry(uri)]))

        bench.check_failed(bench.fetch(*BRIEF), 4)


class TestSegments:
    """A segment cannot be had."""

    def test_missing(self, served: Bench) -> None:
        """A segment that is not there is exit 6: its index and its URL, without the query."""
        text = served.stream.playlist_path.read_text()
        served.serve_playlist(text.replace(".ts", ".ts?token=hush-hush"))
        served.origin.behave("/segment00007.ts", Status(404))

        run = served.fetch(*BRIEF)

        served.check_failed(run, 6)
        assert "Segment 7" in message(run)
        assert served.origin.url("/segment00007.ts") in message(run)
        assert "404" in message(run)
        assert segments(run)[2] == [7]
        assert "hush-hush" not in run.stderr + run.stdout
        assert 1 <= served.origin.count("/segment00007.ts") <= 3

    @pytest.mark.parametrize("missing", [[0], [11], [3, 4, 9], [0, 1, 2]], ids=str)
    @pytest.mark.parametrize("threshold", ["50MB", "100KB"], ids=["memory", "disk"])
    def test_allowed_gaps(self, threshold: str, missing: list[int], served: Bench) -> None:
        """With `--allow-gaps` the rest is fetched: exit 0, and the receipt lists the gaps."""
        for index in missing:
            served.origin.behave(f"/segment{index:05d}.ts", Status(404))

        run = served.fetch("--allow-gaps", "--memory-threshold", threshold, *BRIEF)

        served.check_right(run, served.stream.sha256_without(missing))
        assert run.receipt["status"] == "incomplete"
        assert segments(run) == (12, 12 - len(missing), missing)
        told = [event["segment_index"] for event in run.events if "segment_index" in event]
        assert sorted(told) == missing

    def test_declared_gaps(self, bench: Bench) -> None:
        """A segment that the playlist itself calls a gap is named in the receipt and on stderr."""
        stream = bench.serve([50 * KB] * 3)
        text = stream.playlist_path.read_text()
        bench.serve_playlist(text.replace("segment00001.ts", "#EXT-X-GAP\nsegment00001.ts"))

        run = bench.fetch("--allow-gaps", *BRIEF)

        bench.check_right(run, stream.sha256_without([1]))
        assert run.receipt["gaps"] == [1]
        assert "gap" in run.stderr

    def test_every_segment_missing(self, served: Bench) -> None:
        """An output without a single segment is no success, whatever is allowed."""
        served.origin.behave("/segment*", Status(404))

        run = served.fetch("--allow-gaps", *BRIEF)

        served.check_failed(run, 6)

    def test_a_server_that_stays_broken(self, served: Bench) -> None:
        """A segment that is 500 for ever is exit 3 after the tries that were asked for."""
        served.origin.behave("/segment00007.ts", Status(500))

        run = served.fetch(*BRIEF)

        served.check_failed(run, 3)
        assert "Segment 7" in message(run)
        assert "500" in message(run)
        assert served.origin.count("/segment00007.ts") == 3
        check_i5_requests_bounded(served.origin, served.stream, retries=2)

    def test_no_retries(self, served: Bench) -> None:
        """`--retries 0` is one try."""
        served.origin.behave("/segment00007.ts", Status(500))

        run = served.fetch("--retries", "0")

        served.check_failed(run, 3)
        assert served.origin.count("/segment00007.ts") == 1

    def test_a_server_that_resets(self, served: Bench) -> None:
        """A connection that is always reset is exit 3, and says so."""
        served.origin.behave("/segment00007.ts", Reset(after=20 * KB))

        run = served.fetch(*BRIEF)

        served.check_failed(run, 3)
        assert "reset" in message(run).lower()

    def test_an_initialization_section(self, bench: Bench) -> None:
        """Without its initialization section a download fails, even where gaps are allowed."""
        bench.serve([50 * KB] * 3, container="fmp4")
        bench.origin.behave("/init0.mp4", Status(404))

        run = bench.fetch("--allow-gaps", *BRIEF)

        bench.check_failed(run, 6)
        assert "nitialization section" in message(run)


class TestKeys:
    """A key cannot be had, or is not the key."""

    @pytest.mark.parametrize("status", [403, 404, 500])
    def test_a_status(self, status: int, served: Bench) -> None:
        """A key that is answered with an error is exit 5, and no segment is asked for."""
        served.origin.behave("/key0.key", Status(status))

        run = served.fetch(*BRIEF)

        served.check_failed(run, 5)
        assert f"HTTP {status}" in message(run)
        assert "/key0.key" in message(run)
        assert served.origin.count("/segment*") == 0

    @pytest.mark.parametrize("size", [0, 15, 17, 32, 1000, 100_000])
    def test_a_wrong_size(self, size: int, served: Bench) -> None:
        """A key that is not 16 bytes long is exit 5, and says how long it is."""
        served.origin.behave("/key0.key", Right(body=b"k" * size))

        run = served.fetch(*BRIEF)

        served.check_failed(run, 5)
        if size < 100_000:
            assert str(size) in message(run)

    def test_a_login_page(self, served: Bench) -> None:
        """A web page in the key's place is exit 5."""
        served.origin.behave("/key0.key", Page())

        served.check_failed(served.fetch(*BRIEF), 5)

    def test_the_wrong_key(self, served: Bench) -> None:
        """A key that does not fit is exit 5 and names a segment, and the key is not shown."""
        served.origin.behave("/key0.key", Right(body=b"0123456789abcdef"))

        run = served.fetch(*BRIEF)

        served.check_failed(run, 5)
        assert "Segment" in message(run)
        assert "0123456789abcdef" not in run.stderr
        assert b"0123456789abcdef".hex() not in run.stderr

    def test_a_redirected_key(self, served: Bench) -> None:
        """A key behind redirects is a key."""
        key = served.stream.keys[0].read_bytes()
        served.origin.behave("/key0.key", Redirect("/there"))
        served.origin.serve({"/there": key})

        served.check_right(served.fetch())

    @pytest.mark.parametrize("cut", [1, 15, 16, 32, 25 * KB], ids="by {} bytes".format)
    def test_truncated_ciphertext(self, cut: int, served: Bench) -> None:
        """Encrypted bytes that are too few are exit 5 and name the segment."""
        whole = (served.stream.directory / "segment00007.ts").read_bytes()
        served.origin.behave("/segment00007.ts", Right(body=whole[:-cut]))

        run = served.fetch(*BRIEF)

        served.check_failed(run, 5)
        assert "Segment 7" in message(run)

    def test_an_encrypted_segment_of_no_bytes(self, served: Bench) -> None:
        """A ciphertext has one block at least: nothing at all is exit 5."""
        served.origin.behave("/segment00007.ts", Right(body=b""))

        run = served.fetch(*BRIEF)

        served.check_failed(run, 5)
        assert "Segment 7" in message(run)

    def test_other_bytes(self, served: Bench) -> None:
        """Bytes that are not the segment's do not decrypt: exit 5."""
        served.origin.behave("/segment00007.ts", Garbage())

        run = served.fetch(*BRIEF)

        served.check_failed(run, 5)

    def test_a_damaged_segment_is_tried_again(self, served: Bench) -> None:
        """Wrong bytes once are made good by the next try."""
        served.origin.behave("/segment00007.ts", [Garbage(), Right()])

        run = served.fetch(*BRIEF)

        served.check_right(run)
        assert run.receipt["retries"] == 1

    def test_a_key_without_a_uri(self, bench: Bench) -> None:
        """EXT-X-KEY without a URI is exit 4: the playlist is at fault."""
        bench.serve_playlist(media_playlist([Entry("a.ts", tags=[KeyTag()])]))

        bench.check_failed(bench.fetch(*BRIEF), 4)
