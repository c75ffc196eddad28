"""The words of the plain display: a promise to scripts, to the letter."""

from typing import get_args

import pytest

from pipeline.cli.words import clock, count, percent, short_size, summary, words
from pipeline.events import (
    AlreadyThere,
    Event,
    LengthsUnverified,
    MergeStarted,
    OutputPublished,
    Progress,
    RemuxProgress,
    Resumed,
    Retried,
    SegmentMissed,
    SegmentsPicked,
    SegmentsStored,
    SwitchedToDisk,
    TempDirectoryCreated,
    TempFilesRemoved,
    TransferStarted,
    UrlsRenewed,
    VariantChosen,
    Warned,
)
from pipeline.jobs.receipt import MemoryFacts, Receipt

MIB = 1 << 20
DIRECTORY = "/var/tmp/m3u8-segments-k3f9x2"
BANDWIDTH = 3_100_000

PLAIN = {
    "Downloading segments: 45/200 (22.5%) [12.3 MB]": Progress(
        45, 200, int(12.3 * MIB), "memory", 0, 1.0
    ),
    "⚠ Download size exceeded 50MB, switching to disk storage": SwitchedToDisk(50 * MIB, 50 * MIB),
    "⚠ Download size exceeded 200MB, switching to disk storage": SwitchedToDisk(
        200 * MIB, 200 * MIB
    ),
    f"Creating temp directory: {DIRECTORY}": TempDirectoryCreated(DIRECTORY, None),
    f"Creating temp directory: {DIRECTORY} (/tmp is held in memory)": TempDirectoryCreated(
        DIRECTORY, "/tmp is held in memory"
    ),
    "✓ Segments stored in memory (12.3 MB)": SegmentsStored(int(12.3 * MIB), None),
    f"✓ Segments stored in temporary directory: {DIRECTORY}": SegmentsStored(60 * MIB, DIRECTORY),
    "Merging 200 segments into video.ts...": MergeStarted(200, "video.ts"),
    "✓ Temporary files cleaned up": TempFilesRemoved(DIRECTORY),
    "⚠ Segment 17 is missing, going on: HTTP 404 (http://h/17.ts)": SegmentMissed(
        17, "http://h/17.ts", "HTTP 404"
    ),
    "⚠ The clock is wrong": Warned("The clock is wrong"),
    "Taking one of 5 variants: 1280x720, 3.1 Mbit/s, avc1.64001f": VariantChosen(
        "http://h/v.m3u8", BANDWIDTH, "1280x720", "avc1.64001f", 5
    ),
    "Taking one of 2 variants: http://h/v.m3u8": VariantChosen(
        "http://h/v.m3u8", None, None, None, 2
    ),
    "Taking the only variant: 64x36": VariantChosen("http://h/v.m3u8", None, "64x36", None, 1),
    "Taking 5 of 20 segments: 12 outside the section, 3 excluded": SegmentsPicked(5, 20, 12, 3),
    "Taking 8 of 20 segments: 12 outside the section": SegmentsPicked(8, 20, 12, 0),
    "Taking 1 of 1 segment": SegmentsPicked(1, 1, 0, 0),
    "URLs have expired (HTTP 403): 1 fresh one from the playlist": UrlsRenewed(1, "HTTP 403"),
    "URLs have expired (HTTP 410): 9 fresh ones from the playlist": UrlsRenewed(9, "HTTP 410"),
    "Writing video.mp4: 25.0%": RemuxProgress("video.mp4", 1, 4, 0.5),
    "Retrying the playlist (http://h/) in 0.5 s: HTTP 500": Retried(
        "The playlist (http://h/)", "HTTP 500", 0.5
    ),
    "video.ts is there already: nothing is fetched": AlreadyThere("video.ts"),
    "Going on with video.ts: 7 segments (2.0 MB) are there": Resumed("video.ts", 7, 2 * MIB),
}

DETAILS = {
    "⚠ The server announced no length for 3 segments: whole as far as can be told": (
        LengthsUnverified(3)
    ),
    "Retrying segment 17 in 1.5 s: connection reset": Retried(
        "Segment 17", "connection reset", 1.5
    ),
    "Fetching 1 segment (0:04) into video.ts with 2 processes and 8 connections": TransferStarted(
        "video.ts", 1, 4.0, 2, 8
    ),
}

#: Events without words of their own: as a rule, the merge line has named the output.
SILENT = {OutputPublished}


@pytest.mark.parametrize("line", PLAIN)
def test_each_event_has_its_line(line: str) -> None:
    """An event is told in exactly these words."""
    assert words(PLAIN[line]) == line


@pytest.mark.parametrize("line", DETAILS)
def test_details_are_for_verbose(line: str) -> None:
    """Retries and diagnostics are told with -v only."""
    assert words(DETAILS[line], verbose=True) == line
    assert words(DETAILS[line]) is None


def test_no_event_is_forgotten() -> None:
    """Every kind of event has words, or is known to need none."""
    told = {type(event) for event in [*PLAIN.values(), *DETAILS.values()]}

    assert told | SILENT == set(get_args(Event))
    assert words(OutputPublished("video.ts", 1), verbose=True) is None


@pytest.mark.parametrize("threshold", [0, 50 * MIB], ids=["no threshold", "not reached"])
def test_disk_for_want_of_memory(threshold: int) -> None:
    """Nothing was exceeded, and the reason is another."""
    shown = words(SwitchedToDisk(threshold, MIB, starved=True))

    assert shown == "⚠ The system has no memory left, switching to disk storage"


def test_disk_from_the_first_byte_is_no_surprise() -> None:
    """With a threshold of 0 (--keep-segments, say) nothing is exceeded."""
    assert words(SwitchedToDisk(0, 0)) is None


@pytest.mark.parametrize(
    ("done", "total", "shown"),
    [
        (0, 200, 0.0),
        (45, 200, 22.5),
        (8, 30, 26.7),
        (199_999, 200_000, 99.9),
        (200, 200, 100.0),
        (0, 0, 100.0),
    ],
)
def test_percent_is_100_only_at_the_end(done: int, total: int, shown: float) -> None:
    """Percentages are rounded, but never up to 100; and nothing to do is done."""
    assert percent(done, total) == shown


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (50 * MIB, "50MB"),
        (MIB * 3 // 2, "1.5MB"),
        (2048 * MIB, "2048MB"),
        (512 << 10, "512KB"),
        (100, "100 bytes"),
    ],
)
def test_a_threshold_is_shown_as_it_is_written(size: int, shown: str) -> None:
    """Sizes of options look like what a user types."""
    assert short_size(size) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0.2, "0:00"), (42, "0:42"), (725, "12:05"), (3723, "1:02:03")]
)
def test_a_duration_is_shown_as_a_clock(seconds: float, shown: str) -> None:
    """Durations read like a player's display."""
    assert clock(seconds) == shown


def test_nouns_agree_with_their_number() -> None:
    """One retry, two retries."""
    assert [count(n, "retry") for n in (0, 1, 2)] == ["0 retries", "1 retry", "2 retries"]


def test_the_summary_says_what_a_download_cost() -> None:
    """The figures of -v, with the memory where it could be measured."""
    receipt = Receipt("http://h/", bytes=12 * MIB, requests=208, retries=1, elapsed_seconds=4.2)
    measured = Receipt("http://h/", memory=MemoryFacts(peak_pss_bytes=145 * MIB))

    assert summary(receipt) == "12.0 MB in 0:04: 208 requests, 1 retry"
    assert summary(measured).endswith(", 145.0 MB of memory at most")
