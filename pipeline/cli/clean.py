"""`hlspipe clean`: remove what killed runs left, and say what it was.

Which directories are stale is decided by `pipeline.store.sweep`; those of living runs never are.
"""

from pathlib import Path

import click

from pipeline.cli.command import command, option, section
from pipeline.cli.terminal import print_data, say
from pipeline.units import printable


@command("clean")
@section(
    "Options",
    option(
        "--temp-dir DIR",
        "Look here too: what downloads were given as --temp-dir, or wrote their output to.",
        type=click.Path(file_okay=False, path_type=Path),
    ),
    option("-n, --dry-run", "Only say what would be removed."),
)
def clean(temp_dir: Path | None, dry_run: bool, verbose: bool) -> None:
    """Remove temp directories that killed downloads left.

    Looks in the current directory and in the system's temp directories. Directories of
    downloads that are running stay. Prints each path that it removed.
    """
    from pipeline.store.sweep import likely_places, stale, sweep  # noqa: PLC0415

    places = likely_places(temp_dir, Path("output").absolute())
    if verbose:
        say("Looking in " + ", ".join(map(str, places)))
    found = list(stale(places)) if dry_run else sweep(places)
    for path in found:
        print_data(printable(str(path)))
    if not found:
        say("Nothing to clean up")
