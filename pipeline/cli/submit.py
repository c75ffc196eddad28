"""`hlspipe submit URL...`: leave downloads with the daemon."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from pipeline.cli.command import command, option, section
from pipeline.cli.daemon import client, daemon_options
from pipeline.cli.jsonlines import json_text
from pipeline.cli.sections import (
    key_options,
    output_options,
    playlist_options,
    request_options,
    selection_options,
)
from pipeline.cli.settings import job_fields, refuse_contradictions
from pipeline.cli.terminal import print_data
from pipeline.units import printable

#: Parameters that are not a job's.
_OURS = frozenset({"urls", "socket", "json", "verbose"})


@command("submit")
@click.argument("urls", metavar="URL...", nargs=-1, required=True)
@section(
    "Job",
    option(
        "-o, --output FILE",
        "File to write, below the daemon's root.  [default: from the URL]",
    ),
    option("--dir DIR", "Directory to write to, below the daemon's root."),
    option("--priority N", "Jobs with a higher number go first.  [default: 0]", type=int),
    option("--id ID", "Your own name for the job: submitted again, it stays one job."),
)
@output_options.without("--output", "--continue")
@selection_options.without("--list-formats", "--exclude")
@playlist_options
@key_options
@request_options.without("--cookies", "--proxy", "--no-verify", "--block-private")
@daemon_options
@section("Display", option("--json", "Print a JSON object for each job, one a line."))
@click.pass_context
def submit(
    ctx: click.Context, /, urls: tuple[str, ...], socket: Path | None, **values: Any
) -> None:
    """Leave the streams at URL with the daemon ('hlspipe serve').

    They are entered into its queue, all of them or none, and are safe there when this command
    ends. Options that are not given are the daemon's own. Prints the number of each job.
    """
    if len(urls) > 1:
        for name in ("output", "id"):
            if values[name] is not None:
                ctx.fail(f"--{name} is for one URL: there are {len(urls)}")
    refuse_contradictions(ctx, values)
    fields = job_fields(_given(ctx, values))
    for job in client(socket).submit([{"url": url} | fields for url in urls]):
        if values["json"]:
            print_data(json_text(job))
        else:
            print_data(f"{job['id']}\t{printable(job['output'])}")


def _given(ctx: click.Context, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that the user has set, in whatever way."""
    return {
        name: value
        for name, value in values.items()
        if name not in _OURS and ctx.get_parameter_source(name) is not ParameterSource.DEFAULT
    }
