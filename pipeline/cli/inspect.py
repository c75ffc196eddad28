"""`hlspipe inspect SOURCE...`: what playlists say, for people or as JSON; nothing is downloaded.

Each source is an outcome of its own: one that fails is told on stderr, and the others are done.
"""

from collections.abc import Mapping
from typing import Any

import click

from pipeline.cli.command import command, files, option, section
from pipeline.cli.failures import outcome, report
from pipeline.cli.jsonlines import json_pieces, json_text
from pipeline.cli.sections import playlist_options, request_options
from pipeline.cli.settings import reading_options
from pipeline.cli.terminal import print_data, print_pieces, print_words, stdout_width
from pipeline.hls.model import MediaPlaylist, MultivariantPlaylist
from pipeline.options import FetchOptions
from pipeline.units import printable, public_url

_EXAMPLES = """\b
Examples:
  hlspipe inspect https://example.com/show/index.m3u8
  hlspipe inspect --json *.m3u8 | jq .total_duration
  curl -s URL | hlspipe inspect --base-url URL -
"""

_STDIN = "-"


@command("inspect", epilog=_EXAMPLES)
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True, shell_complete=files)
@playlist_options
@request_options
@section(
    "Display",
    option("--json", "Print a JSON object for each SOURCE, one a line."),
)
@click.pass_context
def inspect(ctx: click.Context, /, sources: tuple[str, ...], **values: Any) -> None:
    """Say what playlists are made of, without downloading anything.

    SOURCE is a URL, a file, or - for standard input. A multivariant playlist is shown with its
    variants and renditions; one of those has a URL of its own to inspect. If several sources
    fail, the exit code is that of the first.
    """
    options = reading_options(values)
    exit_codes = [
        _inspect(source, options, values, "\n" if place else "")
        for place, source in enumerate(sources)
    ]
    ctx.exit(next(filter(None, exit_codes), 0))


def _inspect(source: str, options: FetchOptions, values: Mapping[str, Any], before: str) -> int:
    """Print what `source` is, for people with `before` above it; the exit code it deserves."""
    # Imported here: neither help nor usage errors should wait for it.
    from pipeline.jobs.inspection import read_playlist  # noqa: PLC0415

    try:
        playlist = read_playlist(source, options)
        said = _object(playlist) if values["json"] else _text(source, playlist)
    except Exception as error:  # noqa: BLE001  # also after a bug, the next source has its turn
        return _fail(source, error, values)
    if isinstance(said, str):
        print_words(before + said)
    else:
        print_pieces(json_pieces(said))
    return 0


def _fail(source: str, error: Exception, values: Mapping[str, Any]) -> int:
    if values["json"]:
        exit_code, sentence = outcome(error)
        print_data(
            json_text({"source": _public(source), "error": sentence, "exit_code": exit_code})
        )
    return report(error, values, about=_name(source))


def _object(playlist: MediaPlaylist | MultivariantPlaylist) -> dict[str, Any]:
    from pipeline.hls.inspection import inspect_dict  # noqa: PLC0415

    return inspect_dict(playlist)


def _text(source: str, playlist: MediaPlaylist | MultivariantPlaylist) -> str:
    # Imported here: whoever wants JSON does not wait for what lays tables out.
    from pipeline.cli.columns import facts_table  # noqa: PLC0415
    from pipeline.cli.facts import facts  # noqa: PLC0415
    from pipeline.cli.listing import format_lines  # noqa: PLC0415
    from pipeline.hls.formats import list_formats  # noqa: PLC0415

    width = stdout_width()
    lines = [_name(source), *facts_table(facts(playlist), width)]
    if isinstance(playlist, MultivariantPlaylist):
        lines += ["", *format_lines(list_formats(playlist), width)]
    return "\n".join(lines)


def _name(source: str) -> str:
    """`source` as people are told of it."""
    return "standard input" if source == _STDIN else printable(_public(source))


def _public(source: str) -> str:
    """`source` without secrets: a path has none, and may well contain a question mark."""
    return public_url(source) if "://" in source else source
