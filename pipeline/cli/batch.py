"""`hlspipe batch FILE`: many downloads, a line for each that has ended, and a summary.

Only the outside of it: the list is read by `pipeline.jobs.entries`, the work is
`pipeline.jobs.batch`.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.command import command, files, option, section
from pipeline.cli.jsonlines import json_text
from pipeline.cli.progress import Reporter
from pipeline.cli.sections import (
    key_options,
    remux_option,
    request_options,
    selection_options,
    speed_options,
    storage_options,
)
from pipeline.cli.settings import fetch_options, refuse_contradictions
from pipeline.cli.terminal import Terminal, print_data, say, write_line
from pipeline.cli.values import COUNT, COUNT_OR_ZERO, POSITIVE_DURATION, SIZE
from pipeline.cli.words import count
from pipeline.errors import HlspipeError, StorageError
from pipeline.events import Progress
from pipeline.options import BatchOptions

if TYPE_CHECKING:
    from pipeline.jobs.batch import BatchEvent, BatchResult

_NOT_ALL = 6

#: Seconds between two counts of one download, for a display.
_PACE = 0.25

_EXAMPLES = """\b
Examples:
  hlspipe batch list.txt
  hlspipe batch -j 8 -o 'videos/{index}-{name}' -c list.txt
  some-program | hlspipe batch --json -
"""

_batch = BatchOptions()
_FILE = click.Path(dir_okay=False, path_type=Path)

batch_options = section(
    "Batch",
    option("-a, --batch-file FILE", "The list, if it is not given as FILE.", type=str),
    option(
        "-o, --output TEMPLATE",
        "Names for outputs that have none of their own: {index}, {name}, {id}.  [default: {name}]",
    ),
    option("-j, --jobs N", "Downloads at a time.", type=COUNT, default=_batch.jobs),
    option("--max-per-host N", "Connections to one host at the most.", type=COUNT),
    option(
        "--download-archive FILE",
        "Note here what is complete, and leave out what is noted.",
        type=_FILE,
    ),
    option(
        "--retry-failed N",
        "Go over those that have failed so many times more.",
        type=COUNT_OR_ZERO,
        default=_batch.retry_failed,
    ),
    option("--exit-on-error", "Begin nothing new once a download has failed."),
    option("--force", "Replace outputs that exist."),
    option(
        "-c, --continue",
        "Keep what is written of downloads that are interrupted or fail, and go on from there;"
        " an output that exists counts as complete.",
    ),
    option("--skip-existing", "Leave outputs that exist alone, and count them as complete."),
    option(
        "--allow-gaps",
        "Go on without segments that the server does not have.",
        aliases=["--skip-unavailable-fragments"],
    ),
    remux_option,
    option(
        "--checksum KIND",
        "Compute a checksum of each output, for its receipt: sha256.",
        type=click.Choice(["sha256"]),
    ),
    option("--fsync", "Have each output on the disk before reporting it."),
    option("--max-size SIZE", "Give up a download that gets larger than this.", type=SIZE),
    option(
        "--max-time TIME", "Give up a download that takes longer than this.", type=POSITIVE_DURATION
    ),
)

display_options = section(
    "Display",
    option("--json", "Print a receipt a line as downloads end, as JSON on standard output."),
    option("-q, --quiet", "Say nothing but errors, and what has failed."),
)


@command("batch", epilog=_EXAMPLES)
@click.argument("file", required=False, shell_complete=files)
@batch_options
@selection_options.without("--list-formats")
@key_options
@request_options
@speed_options
@storage_options
@display_options
@click.pass_context
def batch(ctx: click.Context, /, file: str | None, **values: Any) -> None:
    """Download every stream that FILE lists, several at a time.

    FILE, or - for standard input, has a URL a line, with indented lines such as out=NAME, dir=DIR,
    header=NAME: VALUE or format=RULE under it; or a JSON object a line, with url, output, headers,
    format, priority and id. All downloads share the connections, the memory and the rate. Exit
    code 6 says that some are not complete; they are listed at the end.
    """
    source = file or values["batch_file"]
    if source is None or (file and values["batch_file"]):
        ctx.fail("One list is wanted: FILE or --batch-file")
    refuse_contradictions(ctx, values)
    result = _run(source, values)
    _summarise(result)
    ctx.exit(_NOT_ALL if result.failed else 0)


def _run(source: str, values: Mapping[str, Any]) -> "BatchResult":
    from pipeline.jobs import batch as jobs  # noqa: PLC0415  (the help does not wait for it)
    from pipeline.jobs.entries import parse_entries  # noqa: PLC0415

    how = BatchOptions(
        jobs=values["jobs"],
        retry_failed=values["retry_failed"],
        exit_on_error=values["exit_on_error"],
        archive=values["download_archive"],
    )
    with Reporter(lambda: _display(values)) as reporter:
        return jobs.batch(
            parse_entries(_lines(source)),
            fetch_options({**values, "base_url": None}),
            how,
            _Receipts(reporter, values["json"]),
            template=values["output"],
        )


def _lines(source: str) -> Iterator[str]:
    """The lines of the list. Raises StorageError."""
    try:
        if source == "-":
            yield from sys.stdin or ()
            return
        with Path(source).open(encoding="utf-8-sig", errors="surrogateescape") as file:
            yield from file
    except OSError as error:
        raise StorageError(f"Cannot read {source}: {error.strerror or error}") from error


class _Receipts:
    """Prints a receipt a line as downloads end, and passes on what displays can do with."""

    def __init__(self, pass_on: Callable[[Any], None], as_json: bool) -> None:
        self._pass_on = pass_on
        self._as_json = as_json
        self._told: dict[int, float] = {}  # when each line of the list last told its progress

    def __call__(self, event: "BatchEvent") -> None:
        from pipeline.jobs.batch import Ended  # noqa: PLC0415

        if self._as_json and isinstance(event, Ended):
            place = {"line": event.entry.line, "id": event.entry.id}
            print_data(json_text(place | event.receipt.to_dict()))
        if self._is_due(event):
            self._pass_on(event)

    def _is_due(self, event: "BatchEvent") -> bool:
        progress = getattr(event, "event", None)
        if not isinstance(progress, Progress):
            return True
        last = self._told.get(event.entry.line, -_PACE)
        if progress.elapsed - last < _PACE:
            return False
        self._told[event.entry.line] = progress.elapsed
        return True


def _display(values: Mapping[str, Any]) -> Any:
    """What shows a batch on stderr; nothing if it is to be quiet."""
    from pipeline.cli.batchbars import BatchBars, BatchLines  # noqa: PLC0415

    if values["quiet"]:
        return None
    if sys.stderr is not None and Terminal.of(sys.stderr).movable:
        return BatchBars(sys.stderr, verbose=values["verbose"])
    return BatchLines(write_line, verbose=values["verbose"])


def _summarise(result: "BatchResult") -> None:
    """Say how many are complete, and name those that are not."""
    total, failed = len(result.entries), result.failed
    complete = f"{total - len(failed)} of {count(total, 'download')} complete"
    with suppress(HlspipeError, OSError):
        say(f"{complete}, {len(failed)} failed:" if failed else complete)
        for entry, receipt in failed:
            where = f"line {entry.line}: {receipt.url or 'no URL'}"
            say(f"  {where}: exit {receipt.exit_code}: {receipt.error}")
