from collections.abc import Sequence

from pipeline.cli.plain import Plain
from pipeline.events import (
    Event,
    MergeStarted,
    OutputPublished,
    Progress,
    Retried,
    SegmentsStored,
    SwitchedToDisk,
    TempDirectoryCreated,
    TempFilesRemoved,
    TransferStarted,
)

MIB = 1 << 20
DIRECTORY = "/var/tmp/m3u8-segments-k3f9x2"
RUN = [
    TransferStarted("video.ts", 200, 800.0, 2, 8),
    Progress(0, 200, 0, "memory", 0, 0.2),
    Progress(20, 200, 30 * MIB, "memory", 0, 0.9),
    SwitchedToDisk(50 * MIB, 50 * MIB),
    TempDirectoryCreated(DIRECTORY, None),
    Progress(45, 200, 60 * MIB, "disk", 8 * MIB, 1.2),
    Retried("Segment 46", "HTTP 503", 1.0),
    Progress(199, 200, 199 * MIB, "disk", 0, 2.0),
    Progress(200, 200, 200 * MIB, "disk", 0, 2.1),
    SegmentsStored(200 * MIB, DIRECTORY),
    MergeStarted(200, "video.ts"),
    OutputPublished("video.ts", 200 * MIB),
    TempFilesRemoved(DIRECTORY),
]


def lines(*, verbose: bool = False, run: Sequence[Event] = RUN) -> list[str]:
    """What the display writes of a whole run."""
    written: list[str] = []
    display = Plain(written.append, verbose=verbose)
    for event in run:
        display.show(event)
    display.close()
    return written


def test_a_run_reads_as_promised() -> None:
    """A run that goes to disk is told in these lines, and no others."""
    assert lines() == [
        "Downloading segments: 0/200 (0.0%) [0.0 MB]",
        "⚠ Download size exceeded 50MB, switching to disk storage",
        f"Creating temp directory: {DIRECTORY}",
        "Downloading segments: 45/200 (22.5%) [60.0 MB]",
        "Downloading segments: 200/200 (100.0%) [200.0 MB]",
        f"✓ Segments stored in temporary directory: {DIRECTORY}",
        "Merging 200 segments into video.ts...",
        "✓ Temporary files cleaned up",
    ]


def test_verbose_adds_lines_and_changes_none() -> None:
    """-v tells retries and diagnostics besides."""
    added = [line for line in lines(verbose=True) if line not in lines()]

    assert added == [
        "Fetching 200 segments (13:20) into video.ts with 2 processes and 8 connections",
        "Retrying segment 46 in 1.0 s: HTTP 503",
    ]


def test_an_output_without_a_merge_has_a_line() -> None:
    """Each file is named once: subtitles when they are there, media when it is merged."""
    merged = [MergeStarted(200, "video.ts"), OutputPublished("video.ts", MIB)]

    assert lines(run=[*merged, OutputPublished("video.de.vtt", 1536)]) == [
        "Merging 200 segments into video.ts...",
        "✓ video.de.vtt: 1.5KB",
    ]
