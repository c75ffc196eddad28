"""Faults of playlists, by their numbers in docs/faults.md (F23 to F36), seen from outside.

The parsers' own tests (`tests/hls`) have every form; here is one of each kind, and what else than
an exit code it leads to: requests, warnings, bytes.
"""

import hashlib

import pytest

from tests.e2e.bench import KB, Bench, message
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

PLAIN = [payload(index, 20 * KB) for index in range(4)]
TEXT = media_playlist([Entry(f"{index}.ts") for index in range(4)])
KEY, IV = bytes(range(16)), bytes(range(16, 32))


def sha256(*parts: bytes) -> str:
    """The hash of the parts joined."""
    return hashlib.sha256(b"".join(parts)).hexdigest()


@pytest.fixture(autouse=True)
def segments(bench: Bench) -> None:
    """Four segments."""
    bench.origin.serve({f"/{index}.ts": plain for index, plain in enumerate(PLAIN)})


def warnings(run: Run) -> str:
    """What the run warned of."""
    return "\n".join(each["message"] for each in run.events if each["event"] == "warned")


class TestForms:
    """F23, F24 and F26: what is put up with, and what is not."""

    @pytest.mark.parametrize(
        "text",
        [
            b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode(),
            "".join(
                line
                for line in TEXT.splitlines(keepends=True)
                if not line.startswith(("#EXT-X-TARGET", "#EXT-X-MEDIA-SEQUENCE"))
            ),
            TEXT.replace("4.000,", "4.000"),
            TEXT.replace(":4.000", ":0", 1).replace(":4.000", ":-1", 1).replace(":4.000", ":NaN"),
            TEXT.replace("TARGETDURATION:4", "TARGETDURATION:NaN"),
            TEXT.replace("4.000,\n", '4.000,\n# a comment\n#EXT-X-UNHEARD:OF="x\n\n'),
        ],
        ids=["BOM and CRLF", "bare", "no comma", "odd durations", "odd target", "noise"],
    )
    def test_taken(self, text: str | bytes, bench: Bench) -> None:
        """What most players take is taken: every segment, in order."""
        bench.serve_playlist(text)

        bench.check_right(bench.fetch(), sha256(*PLAIN))

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            (TEXT.replace("2.ts", "2\0.ts"), "line 11 holds a NUL"),
            (TEXT.encode().replace(b"2.ts", b"2\xff.ts"), "line 11 is not UTF-8"),
            (TEXT.replace("#EXTM3U\n", ""), '#EXT-X-VERSION:6"'),
            (TEXT.replace(":4.000", ":1e308", 1), "Line 6 of the playlist (EXTINF)"),
            (TEXT.replace("DURATION:4", "DURATION:1e999"), "(EXT-X-TARGETDURATION)"),
            (TEXT.replace("0.ts", "#EXT-X-BYTERANGE:9\n0.ts"), "Line 8 of the playlist (URI)"),
        ],
        ids=["NUL", "not UTF-8", "no header", "duration", "target duration", "no offset (F25)"],
    )
    def test_refused(self, text: str | bytes, reason: str, bench: Bench) -> None:
        """Anything else is exit 4 and names the line, before a segment is asked for."""
        bench.serve_playlist(text)

        run = bench.fetch()

        bench.check_failed(run, 4)
        assert reason in message(run)
        assert bench.origin.count() == 1

    def test_the_last_tags_count(self, bench: Bench) -> None:
        """F26: of several keys and sections before one segment the last ones are in force."""
        section, media = initialization_section(1), payload(0, 20 * KB, container="fmp4")
        sealed = b"".join(map(bytes, encrypt([media], KEY, IV)))
        bench.origin.serve({"/b.mp4": section, "/s.m4s": sealed, "/b.key": KEY})
        tags = [
            MapTag("a.mp4"),
            MapTag("b.mp4"),
            KeyTag("AES-128", "a.key", IV),
            '#EXT-X-KEY:METHOD=AES-128,URI="x",KEYFORMAT="com.example.drm"',
            KeyTag("AES-128", "b.key", IV),
        ]
        bench.serve_playlist(media_playlist([Entry("s.m4s", tags=tags)]))

        run = bench.fetch()

        bench.check_right(run, sha256(section, media))
        paths = sorted(request.path for request in bench.origin.requests)
        assert paths == ["/b.key", "/b.mp4", "/playlist.m3u8", "/s.m4s"]


class TestProtection:
    """F27: what only a DRM system can decrypt is refused before a segment is asked for."""

    @pytest.mark.parametrize(
        ("key", "name"),
        [
            ('METHOD=AES-128,URI="skd://x"', "FairPlay"),
            ('METHOD=SAMPLE-AES-CTR,URI="k",KEYFORMAT="com.widevine"', "Widevine"),
            ('METHOD=AES-512,URI="k"', "AES-512"),
        ],
        ids=["skd", "com.widevine", "an unknown method"],
    )
    def test_refused(self, key: str, name: str, bench: Bench) -> None:
        """Also when it is only the last segment that needs it."""
        bench.serve_playlist(
            TEXT.replace("#EXTINF:4.000,\n3.ts", f"#EXT-X-KEY:{key}\n#EXTINF:4,\n3.ts")
        )

        run = bench.fetch()

        bench.check_failed(run, 4)
        assert name in message(run)
        assert bench.origin.count() == 1


class TestNames:
    """F29: segments are known by their places."""

    @pytest.mark.parametrize("merge", ["stream", "end"])
    def test_one_name_in_many_directories(self, merge: str, bench: Bench) -> None:
        """Segments of the same name do not overwrite each other, in files either."""
        bench.origin.serve({f"/{index}/video.ts": plain for index, plain in enumerate(PLAIN)})
        bench.serve_playlist(media_playlist([Entry(f"{index}/video.ts") for index in range(4)]))

        run = bench.fetch("--memory-threshold", "1", "--merge", merge)

        bench.check_right(run, sha256(*PLAIN))


class TestLists:
    """F30: multivariant playlists that lead to no media playlist."""

    @staticmethod
    def variant(uri: str) -> str:
        """A list with one variant."""
        return multivariant_playlist([Variant(uri, 1)])

    @pytest.mark.parametrize(
        ("lists", "requests"),
        [
            ({"/playlist.m3u8": "playlist.m3u8"}, 1),
            ({"/playlist.m3u8": "b.m3u8", "/b.m3u8": "playlist.m3u8"}, 2),
            ({"/playlist.m3u8": "b.m3u8", "/b.m3u8": "c.m3u8", "/c.m3u8": "d.m3u8"}, 2),
        ],
        ids=["itself", "a cycle", "a chain"],
    )
    def test_no_end(self, lists: dict[str, str], requests: int, bench: Bench) -> None:
        """Each URL is asked for once, and lists of lists are not followed."""
        bench.origin.serve({path: self.variant(uri) for path, uri in lists.items()})
        bench.url = bench.origin.url("/playlist.m3u8")

        run = bench.fetch()

        bench.check_failed(run, 4)
        assert "was to be a media playlist" in message(run)
        assert bench.origin.count() == requests

    def test_a_delta_update_for_good(self, bench: Bench) -> None:
        """F31: a server that sends nothing but delta updates is asked once more, and given up."""
        bench.serve_playlist(TEXT.replace("#EXTINF", "#EXT-X-SKIP:SKIPPED-SEGMENTS=2\n#EXTINF", 1))

        run = bench.fetch()

        bench.check_failed(run, 4)
        assert "EXT-X-SKIP" in message(run)
        assert bench.origin.count("/playlist.m3u8") == 2
        assert bench.origin.count("*.ts") == 0


class TestDiscontinuities:
    """F35 and F36: the bytes are joined; time stamps are left as they are."""

    def test_a_warning(self, bench: Bench) -> None:
        """Where time stamps may jump in the output, the run says so."""
        bench.serve_playlist(TEXT.replace("#EXTINF", "#EXT-X-DISCONTINUITY\n#EXTINF"))

        run = bench.fetch()

        bench.check_right(run, sha256(*PLAIN))
        assert "jump at 3 places" in warnings(run)
        assert run.receipt["discontinuities"] == 4

    def test_no_warning(self, bench: Bench) -> None:
        """A discontinuity before the first segment joins nothing."""
        bench.serve_playlist(TEXT.replace("#EXTINF", "#EXT-X-DISCONTINUITY\n#EXTINF", 1))

        run = bench.fetch()

        bench.check_right(run, sha256(*PLAIN))
        assert warnings(run) == ""

    def test_sections_of_their_own(self, bench: Bench) -> None:
        """Each section is written before its first segment, and again when it comes back."""
        sections = [initialization_section(number) for number in range(2)]
        media = [payload(index, 20 * KB, container="fmp4") for index in range(3)]
        bench.origin.serve({f"/{number}.mp4": body for number, body in enumerate(sections)})
        bench.origin.serve({f"/{index}.m4s": body for index, body in enumerate(media)})
        change = "#EXT-X-DISCONTINUITY"
        entries = [
            Entry("0.m4s", tags=[MapTag("0.mp4")]),
            Entry("1.m4s", tags=[change, MapTag("1.mp4")]),
            Entry("2.m4s", tags=[change, MapTag("0.mp4")]),
        ]
        bench.serve_playlist(media_playlist(entries))

        run = bench.fetch()

        parts = [sections[0], media[0], sections[1], media[1], sections[0], media[2]]
        bench.check_right(run, sha256(*parts))


def test_a_playlist_without_an_end(bench: Bench) -> None:
    """F32: what a live playlist lists now is fetched, and the run says that there is more."""
    bench.serve_playlist(
        TEXT.replace("#EXT-X-ENDLIST\n", "").replace("#EXT-X-PLAYLIST-TYPE:VOD\n", "")
    )

    run = bench.fetch()

    bench.check_right(run, sha256(*PLAIN))
    assert "has no end" in warnings(run)
    assert bench.origin.count("/playlist.m3u8") == 1
