"""Tags that change what is fetched: gaps, variables, delta updates, partial segments."""

import hashlib

import pytest

from tests.e2e.bench import KB, Bench, message
from tests.support.payloads import payload
from tests.support.playlists import Entry, Variant, media_playlist, multivariant_playlist

pytestmark = pytest.mark.processes

PLAIN = [payload(index, 20 * KB) for index in range(4)]


def sha256(*indexes: int) -> str:
    """The hash of these segments joined."""
    return hashlib.sha256(b"".join(PLAIN[index] for index in indexes)).hexdigest()


@pytest.fixture(autouse=True)
def segments(bench: Bench) -> None:
    """Four segments at two places."""
    for folder in ("", "/deep/er"):
        bench.origin.serve({f"{folder}/{index}.ts": plain for index, plain in enumerate(PLAIN)})


class TestGaps:
    """EXT-X-GAP: the server does not have the segment (rfc8216bis section 4.4.4.7)."""

    def test_a_gap(self, bench: Bench) -> None:
        """A gap is not asked for and listed in the receipt; it is no failure."""
        entries = [
            Entry(f"{index}.ts", tags=["#EXT-X-GAP"] if index == 1 else []) for index in range(4)
        ]
        bench.serve_playlist(media_playlist(entries))

        run = bench.fetch()

        bench.check_right(run, sha256(0, 2, 3))
        assert bench.origin.count("/1.ts") == 0
        assert run.receipt["gaps"] == [1]
        assert run.receipt["segments"]["expected"] == 3
        assert run.receipt["segments"]["missing"] == []
        assert run.receipt["status"] == "complete"

    def test_discontinuities_are_counted(self, bench: Bench) -> None:
        """Segments around a discontinuity are joined like others, and the receipt counts it."""
        entries = [
            Entry(f"{index}.ts", tags=["#EXT-X-DISCONTINUITY"] if index in (1, 3) else [])
            for index in range(4)
        ]
        bench.serve_playlist(media_playlist(entries))

        run = bench.fetch()

        bench.check_right(run, sha256(0, 1, 2, 3))
        assert run.receipt["discontinuities"] == 2


class TestVariables:
    """EXT-X-DEFINE (rfc8216bis section 4.4.2.3)."""

    def test_name_and_value(self, bench: Bench) -> None:
        """A variable stands for its value in URIs."""
        text = media_playlist([Entry("{$where}/er/0.ts"), Entry("/deep/{$on}/1.ts")])
        define = '#EXT-X-DEFINE:NAME="where",VALUE="deep"\n#EXT-X-DEFINE:NAME="on",VALUE="er"\n'
        bench.serve_playlist(text.replace("#EXT-X-TARGET", f"{define}#EXT-X-TARGET"))

        run = bench.fetch()

        bench.check_right(run, sha256(0, 1))

    def test_a_query_parameter(self, bench: Bench) -> None:
        """QUERYPARAM takes the value from the playlist's own URL, decoded."""
        text = media_playlist([Entry("{$where}/0.ts?token={$token}")])
        define = '#EXT-X-DEFINE:QUERYPARAM="where"\n#EXT-X-DEFINE:QUERYPARAM="token"\n'
        bench.serve_playlist(text.replace("#EXT-X-TARGET", f"{define}#EXT-X-TARGET"))
        bench.url += "?token=s3cret&where=deep%2Fer"

        run = bench.fetch()

        bench.check_right(run, sha256(0))
        (request,) = bench.origin.requests_for("/deep/er/0.ts")
        assert request.query == "token=s3cret"
        assert "s3cret" not in run.stdout + run.stderr

    def test_an_import(self, bench: Bench) -> None:
        """IMPORT takes the value from the multivariant playlist; each list may define anew."""
        define = '#EXT-X-DEFINE:NAME="where",VALUE="deep/er"'
        media = media_playlist([Entry("/{$where}/0.ts"), Entry("/{$where}/1.ts")])
        wanted = '#EXT-X-DEFINE:IMPORT="where"\n'
        bench.origin.serve(
            {"/deep/er/list.m3u8": media.replace("#EXT-X-TARGET", f"{wanted}#EXT-X-TARGET")}
        )
        bench.serve_playlist(multivariant_playlist([Variant("{$where}/list.m3u8", 1)], [define]))

        run = bench.fetch()

        bench.check_right(run, sha256(0, 1))

    def test_what_is_not_defined(self, bench: Bench) -> None:
        """A variable without a value is an error, and nothing is asked for in its name."""
        bench.serve_playlist(media_playlist([Entry("0.ts"), Entry("{$where}/1.ts")]))

        run = bench.fetch()

        bench.check_failed(run, 4)
        assert "where" in message(run)
        assert bench.origin.count() == 1


class TestDeltaUpdates:
    """EXT-X-SKIP: a playlist that leaves out what its reader is to know already."""

    @pytest.fixture
    def delta(self) -> str:
        """The playlist without its first two segments."""
        text = media_playlist([Entry("2.ts"), Entry("3.ts")], version=9)
        return text.replace("#EXTINF", "#EXT-X-SKIP:SKIPPED-SEGMENTS=2\n#EXTINF", 1)

    def test_the_whole_list_is_asked_for(self, delta: str, bench: Bench) -> None:
        """What is left out is had by asking without `_HLS_skip`; the rest of the query stays."""
        bench.serve_playlist(delta, "/list.m3u8?a=1&_HLS_skip=YES&b=2")
        whole = media_playlist([Entry(f"{index}.ts") for index in range(4)], version=9)
        bench.origin.serve({"/list.m3u8?a=1&b=2": whole})

        run = bench.fetch()

        bench.check_right(run, sha256(0, 1, 2, 3))
        queries = [request.query for request in bench.origin.requests_for("/list.m3u8")]
        assert queries == ["a=1&_HLS_skip=YES&b=2", "a=1&b=2"]

    def test_a_signed_query_is_not_rewritten(self, delta: str, bench: Bench) -> None:
        """The rest of the query is sent on letter for letter: it may be signed."""
        bench.serve_playlist(delta, "/list.m3u8?sig=a/b~c:d,e&flag&_HLS_skip=v2")
        whole = media_playlist([Entry(f"{index}.ts") for index in range(4)], version=9)
        bench.origin.serve({"/list.m3u8": whole})

        run = bench.fetch()

        bench.check_right(run, sha256(0, 1, 2, 3))
        queries = [request.query for request in bench.origin.requests_for("/list.m3u8")]
        assert queries[1] == "sig=a/b~c:d,e&flag"


def test_partial_segments_are_ignored(bench: Bench) -> None:
    """Of a low-latency playlist the whole segments are fetched, and no part of one."""
    parts = [
        '#EXT-X-PART:DURATION=1.0,URI="part{}.0.ts",INDEPENDENT=YES',
        '#EXT-X-PART:DURATION=1.0,URI="part{}.1.ts"',
    ]
    entries = [
        Entry(f"{index}.ts", tags=[part.format(index) for part in parts]) for index in range(4)
    ]
    text = media_playlist(entries, version=9, end_list=False, playlist_type=None)
    control = (
        "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=3.0\n"
        "#EXT-X-PART-INF:PART-TARGET=1.0\n"
    )
    ahead = (
        '#EXT-X-PART:DURATION=1.0,URI="part4.0.ts"\n'
        '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="part4.1.ts"\n'
        '#EXT-X-RENDITION-REPORT:URI="other.m3u8",LAST-MSN=4,LAST-PART=0\n'
    )
    bench.serve_playlist(text.replace("#EXT-X-MEDIA-SEQ", f"{control}#EXT-X-MEDIA-SEQ") + ahead)

    run = bench.fetch()

    bench.check_right(run, sha256(0, 1, 2, 3))
    assert bench.origin.count("/part*") == 0
    assert bench.origin.count() == 5
