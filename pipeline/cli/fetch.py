"""`hlspipe fetch URL`: one download, what is shown while it runs, and its receipt.

Only the outside of it: the options are `sections`, the work is `pipeline.jobs.fetch`.
"""

import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import click

from pipeline.cli.command import command
from pipeline.cli.failures import outcome
from pipeline.cli.jsonlines import json_text
from pipeline.cli.progress import Reporter, Style, choose, display
from pipeline.cli.sections import (
    display_options,
    options_from,
    output_options,
    playlist_options,
    request_options,
    speed_options,
    storage_options,
)
from pipeline.cli.terminal import Terminal, is_terminal, print_data, say
from pipeline.cli.words import summary
from pipeline.errors import HlspipeError, OutputClosedError
from pipeline.events import Warned
from pipeline.jobs.receipt import Receipt
from pipeline.units import public_url

_EXAMPLES = """\b
Examples:
  hlspipe fetch https://example.com/video/index.m3u8
  hlspipe fetch -o video.ts -N 16 -H 'Referer: https://example.com/' URL
  hlspipe fetch -o - URL | ffplay -
"""


@command("fetch", epilog=_EXAMPLES)
@click.argument("url")
@output_options
@playlist_options
@request_options
@speed_options
@storage_options
@display_options
@click.pass_context
def fetch(ctx: click.Context, /, url: str, output: str | None, **values: Any) -> None:
    """Download the stream at URL into one file.

    URL is that of a media playlist, or of a multivariant playlist, of which the variant with the
    highest bandwidth is taken.
    """
    _refuse_contradictions(ctx, output, values)
    receipt = _fetch_and_print(url, output, values)
    if values["verbose"]:
        say(summary(receipt))
    ctx.exit(receipt.exit_code)


def _refuse_contradictions(
    ctx: click.Context, output: str | None, values: Mapping[str, Any]
) -> None:
    if values["force"] and values["skip_existing"]:
        ctx.fail("--force and --skip-existing exclude each other")
    if output != "-":
        return
    if values["as_json"]:
        ctx.fail("-o - and --json both want standard output")
    if sys.stdout is None:
        raise OutputClosedError("Standard output is closed")
    if is_terminal(sys.stdout):
        ctx.fail("-o - wants standard output to be a pipe or a file, and it is a terminal")


def _fetch_and_print(url: str, output: str | None, values: Mapping[str, Any]) -> Receipt:
    """Download, and print the receipt if it is asked for, however the download ends."""
    try:
        receipt = _fetch(url, output, values)
    except (Exception, KeyboardInterrupt) as error:
        with suppress(HlspipeError):  # why the download failed matters more
            _print(_receipt_of(error, url, output), values)
        raise
    _print(receipt, values)
    return receipt


def _fetch(url: str, output: str | None, values: Mapping[str, Any]) -> Receipt:
    options = options_from(values)
    style = choose(Style(values["progress"]), Terminal.of(sys.stderr), quiet=values["quiet"])
    with Reporter(lambda: display(style, verbose=values["verbose"])) as reporter:
        if options.storage.effective_threshold is None:
            reporter(Warned("Without a memory threshold, the whole download is kept in memory"))
        # Imported here: it brings requests, and neither help nor usage errors should wait for it.
        from pipeline.jobs import fetch as job  # noqa: PLC0415

        return job.fetch(url, output, options, reporter)


def _print(receipt: Receipt, values: Mapping[str, Any]) -> None:
    if values["as_json"]:
        print_data(json_text(receipt.to_dict()))


def _receipt_of(error: BaseException, url: str, output: str | None) -> Receipt:
    """The receipt that came with `error`, or what can be said without one."""
    receipt = getattr(error, "receipt", None)
    known = receipt if isinstance(receipt, Receipt) else Receipt(public_url(url), output)
    return known.failed(*outcome(error))
