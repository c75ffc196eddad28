"""`hlspipe fetch URL`: one download, what is shown while it runs, and its receipt.

Only the outside of it: the options are `sections` and `settings`, the tables of `-F` `listing`,
and the work is `pipeline.jobs.fetch`.
"""

import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.command import command, files
from pipeline.cli.failures import outcome
from pipeline.cli.jsonlines import json_text
from pipeline.cli.progress import Reporter, Style, choose, display
from pipeline.cli.sections import (
    display_options,
    key_options,
    output_options,
    playlist_options,
    request_options,
    selection_options,
    speed_options,
    storage_options,
)
from pipeline.cli.settings import fetch_options, refuse_contradictions
from pipeline.cli.terminal import Terminal, is_terminal, print_data, say
from pipeline.cli.words import summary
from pipeline.errors import HlspipeError, OutputClosedError
from pipeline.events import Warned
from pipeline.options import FetchOptions
from pipeline.units import public_url

if TYPE_CHECKING:
    from pipeline.jobs.receipt import Receipt

_EXAMPLES = """\b
Examples:
  hlspipe fetch https://example.com/video/index.m3u8
  hlspipe fetch -o video.ts -N 16 -H 'Referer: https://example.com/' URL
  hlspipe fetch -f 'height<=720' --audio en,de --subtitles all URL
  hlspipe fetch -o - URL | ffplay -
"""


@command("fetch", epilog=_EXAMPLES)
@click.argument("url", shell_complete=files)
@output_options
@selection_options
@playlist_options
@key_options
@request_options
@speed_options
@storage_options
@display_options
@click.pass_context
def fetch(ctx: click.Context, /, url: str, output: str | None, **values: Any) -> None:
    """Download the stream at URL into one file.

    URL is that of a playlist, or a local file, or - for standard input. Of a multivariant
    playlist the best variant is taken, unless --format says otherwise; audio and subtitles with
    playlists of their own go into the output if that is an MP4 or MKV file, else beside it.
    """
    refuse_contradictions(ctx, values)
    if output == "-" and not values["list_formats"]:
        _refuse_stdout(ctx, values)
    if values["list_formats"]:
        _list_formats(url, values)
        ctx.exit()
    receipt = _fetch_and_print(url, output, values)
    if values["verbose"]:
        say(summary(receipt))
    ctx.exit(receipt.exit_code)


def _list_formats(url: str, values: Mapping[str, Any]) -> None:
    from pipeline.cli.listing import print_formats  # noqa: PLC0415  (tables take time to import)

    print_formats(url, fetch_options(values), as_json=values["json"])


def _refuse_stdout(ctx: click.Context, values: Mapping[str, Any]) -> None:
    """Refuse to write a stream to a standard output that cannot take it."""
    if values["json"]:
        ctx.fail("-o - and --json both want standard output")
    if sys.stdout is None:
        raise OutputClosedError("Standard output is closed")
    if is_terminal(sys.stdout):
        ctx.fail("-o - wants standard output to be a pipe or a file, and it is a terminal")


def _fetch_and_print(url: str, output: str | None, values: Mapping[str, Any]) -> "Receipt":
    """Download, and print the receipt if it is asked for, however the download ends."""
    try:
        receipt = _fetch(url, output, values)
    except (Exception, KeyboardInterrupt) as error:
        with suppress(HlspipeError):  # why the download failed matters more
            _print(_receipt_of(error, url, output), values)
        raise
    _print(receipt, values)
    return receipt


def _fetch(url: str, output: str | None, values: Mapping[str, Any]) -> "Receipt":
    options = fetch_options(values)
    style = choose(Style(values["progress"]), Terminal.of(sys.stderr), quiet=values["quiet"])
    with Reporter(lambda: display(style, verbose=values["verbose"])) as reporter:
        for warning in _warnings(output, options):
            reporter(Warned(warning))
        # Imported here: it brings requests, and neither help nor usage errors should wait for it.
        from pipeline.jobs import fetch as job  # noqa: PLC0415

        return job.fetch(url, output, options, reporter)


def _warnings(output: str | None, options: FetchOptions) -> Iterator[str]:
    """What follows from the options, and may not be what was meant."""
    if options.storage.effective_threshold is None:
        yield "Without a memory threshold, the whole download is kept in memory"
    asked = options.selection
    if output == "-" and (asked.audio not in {"default", "none"} or asked.subtitles != "none"):
        yield "Standard output takes one stream: renditions of audio and subtitles are left out"


def _print(receipt: "Receipt", values: Mapping[str, Any]) -> None:
    if values["json"]:
        print_data(json_text(receipt.to_dict()))


def _receipt_of(error: BaseException, url: str, output: str | None) -> "Receipt":
    """The receipt that came with `error`, or what can be said without one."""
    from pipeline.jobs.receipt import Receipt  # noqa: PLC0415  (few downloads fail)

    receipt = getattr(error, "receipt", None)
    known = receipt if isinstance(receipt, Receipt) else Receipt(public_url(url), output)
    return known.failed(*outcome(error))
