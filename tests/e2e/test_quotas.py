"""How much a download may take, where its user sets limits."""

import pytest

from tests.e2e.bench import KB, MB, Bench, message
from tests.support.behaviours import Endless, Late, Right, Status
from tests.support.invariants import check_i4_rerun_succeeds
from tests.support.playlists import Variant, multivariant_playlist
from tests.support.streams import Aes

pytestmark = pytest.mark.processes


def test_larger_than_allowed(bench: Bench) -> None:
    """It is noticed as the bytes come; nothing of them stays."""
    bench.serve([200 * KB] * 40, aes=Aes())
    bench.origin.behave("/segment*", Late(0.05))

    run = bench.fetch("--max-size", "1MB")

    bench.check_failed(run, 7)
    assert "--max-size allows (1.0 MB)" in message(run)
    assert bench.origin.count("/segment*") < 40
    check_i4_rerun_succeeds(
        bench.workspace, bench.arguments("--max-size", "9MB"), bench.output, bench.stream.sha256
    )


@pytest.mark.parametrize("merge", ["stream", "end"])
def test_the_last_bytes_are_too_many(merge: str, bench: Bench) -> None:
    """However fast they come: an output that is too large never gets its name."""
    bench.serve([400 * KB] * 3)

    run = bench.fetch("--max-size", "1MB", "--merge", merge)

    bench.check_failed(run, 7)


def test_what_was_there_already_counts(bench: Bench) -> None:
    """A download that goes on has the limit that the whole of it would have."""
    bench.serve([400 * KB] * 5)
    bench.origin.behave("/segment00004.ts", Status(404))
    assert bench.fetch("-c", "--retries", "0").exit_code == 6
    bench.origin.behave("/segment00004.ts", Right())

    run = bench.fetch("-c", "--max-size", "1MB")

    assert run.exit_code == 7, run.stderr
    assert not bench.output.exists()
    check_i4_rerun_succeeds(
        bench.workspace, bench.arguments("-c"), bench.output, bench.stream.sha256
    )


def test_all_outputs_count(bench: Bench) -> None:
    """Renditions are part of the download."""
    stream = bench.serve([400 * KB] * 2)
    tag = '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="x",DEFAULT=YES,URI="video.m3u8?audio"'
    variants = [Variant(stream.playlist_path.name, 1000, more='AUDIO="a"')]
    bench.serve_playlist(multivariant_playlist(variants, [tag]))

    enough = bench.fetch("--max-size", "1600KB")
    too_little = bench.fetch("--max-size", "1599KB", "--force")

    assert enough.exit_code == 0, enough.stderr
    assert too_little.exit_code == 7, too_little.stderr


def test_larger_than_allowed_and_it_says_so(bench: Bench) -> None:
    """Where the playlist tells the size, no segment is asked for."""
    bench.serve([200 * KB] * 10, byte_ranges="explicit")

    run = bench.fetch("--max-size", "1MB")

    bench.check_failed(run, 7)
    assert bench.origin.count() == 1


@pytest.mark.parametrize("lack", [0, 1], ids=["exactly", "a byte less"])
def test_padding_is_no_part_of_the_size(lack: int, bench: Bench) -> None:
    """Byte ranges of encrypted segments are longer than what is in them."""
    bench.serve([200 * KB] * 5, byte_ranges="explicit", aes=Aes())

    run = bench.fetch("--max-size", str(1000 * KB - lack))

    if lack:
        bench.check_failed(run, 7)
    else:
        bench.check_right(run)


@pytest.mark.parametrize(
    "segment", [Endless(), Endless(False, 1 << 35)], ids=["in chunks", "of 32 GB"]
)
def test_segment_without_an_end(segment: Endless, bench: Bench) -> None:
    """One segment alone may be too much."""
    bench.serve([200 * KB] * 3)
    bench.origin.behave("/segment00001.ts", segment)

    run = bench.fetch("--max-size", "4MB", "--retries", "0")

    bench.check_failed(run, 7)


def test_a_segment_that_nothing_could_hold(bench: Bench) -> None:
    """What is announced is more than any segment has: it is not even begun."""
    bench.serve([200 * KB] * 3)
    bench.origin.behave("/segment00001.ts", Endless(False, 1 << 62))

    run = bench.fetch()

    bench.check_failed(run, 3)
    assert "by the server's own account" in message(run)
    assert bench.origin.count("/segment00001.ts") == 1


def test_longer_than_allowed(bench: Bench) -> None:
    """The whole run has a deadline, whatever it is waiting for."""
    bench.serve([200 * KB] * 10)
    bench.origin.behave("/segment00003.ts", Late(30.0))

    run = bench.fetch("--max-time", "1s")

    bench.check_failed(run, 3)
    assert "--max-time allows (1 seconds)" in message(run)
    assert run.elapsed < 20


def test_within_all_limits(bench: Bench) -> None:
    """A download that keeps to them notices nothing."""
    bench.serve([MB] * 3, aes=Aes())

    run = bench.fetch("--max-size", "3MB", "--max-time", "2m")

    bench.check_right(run)
