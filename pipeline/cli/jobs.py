"""`hlspipe jobs`: what the daemon has to do, is doing and has done."""

import shutil
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from pipeline.cli.columns import Column, table
from pipeline.cli.command import command, option, section
from pipeline.cli.daemon import client, daemon_options
from pipeline.cli.jsonlines import json_text
from pipeline.cli.terminal import is_terminal, print_data, print_words, stdout_width
from pipeline.service.states import ENDED, State
from pipeline.units import format_mb, printable

#: Seconds between two looks of --watch.
_INTERVAL = 1.0

#: To the first line, and nothing is left of what was there.
_CLEAR = "\x1b[H\x1b[2J"

#: Jobs as the API shows them.
Listing = Sequence[dict[str, Any]]


@command("jobs")
@click.argument("numbers", metavar="[ID...]", nargs=-1, type=int)
@section(
    "Selection",
    option(
        "--state STATES",
        f"Only jobs in these states: {', '.join(State)}; several with commas.",
    ),
)
@daemon_options
@section(
    "Display",
    option("--watch", "Show them again and again, until all have ended or Ctrl-C comes."),
    option("--json", "Print a JSON object for each job, one a line, with everything known."),
)
def jobs(
    numbers: tuple[int, ...],
    state: str | None,
    socket: Path | None,
    watch: bool,
    **values: Any,
) -> None:
    """List the daemon's jobs: all of them, or those with these numbers."""
    daemon = client(socket)

    def look() -> Listing:
        return [job for job in daemon.jobs(state) if not numbers or job["id"] in numbers]

    if watch:
        _watch(look, as_json=values["json"])
    elif values["json"]:
        _print_objects(look())
    else:
        print_words("\n".join(job_lines(look(), stdout_width())))


def _watch(look: Callable[[], Listing], *, as_json: bool) -> None:
    """On a terminal the table, over and over; elsewhere each job when its state changes."""
    in_place = is_terminal(sys.stdout) and not as_json
    seen: dict[int, tuple[Any, ...]] = {}
    while True:
        found = look()
        if in_place:
            size = shutil.get_terminal_size()
            print_words(_CLEAR + "\n".join(job_lines(found, size.columns)[: size.lines - 1]))
        else:
            changed = [job for job in found if seen.get(job["id"]) != _news(job)]
            seen = {job["id"]: _news(job) for job in found}
            if as_json:
                _print_objects(changed)
            elif changed:
                print_words("\n".join(job_lines(changed)[1:]))
        if all(job["state"] in ENDED for job in found):
            return
        time.sleep(_INTERVAL)


def _news(job: dict[str, Any]) -> tuple[Any, ...]:
    return job["state"], job["attempts"]


def _print_objects(found: Listing) -> None:
    for job in found:
        print_data(json_text(job))


def job_lines(found: Listing, width: int | None = None) -> list[str]:
    """A table of jobs."""
    if not found:
        return ["No jobs"]
    return table(
        [
            Column("id", [str(job["id"]) for job in found], number=True),
            Column("state", [_state(job) for job in found]),
            Column("progress", [_progress(job) for job in found], number=True),
            Column("size", [_size(job) for job in found], number=True),
            Column("output", [printable(job["output"]) for job in found]),
            Column("reason", [printable(job["error"] or "") for job in found]),
        ],
        width,
    )


def _state(job: dict[str, Any]) -> str:
    """The state, and what is about to become of it."""
    if job["wish"]:
        return f"{job['state']} ({job['wish']})"
    waits = job["state"] == State.QUEUED and job["attempts"]
    return f"{job['state']} (attempt {job['attempts'] + 1})" if waits else str(job["state"])


def _progress(job: dict[str, Any]) -> str:
    progress = job["progress"]
    if not progress or not progress["segments"]:
        return ""
    return f"{100 * progress['segments_done'] / progress['segments']:.0f}%"


def _size(job: dict[str, Any]) -> str:
    known = job["progress"] or job["receipt"]
    return format_mb(known["bytes"]) if known and known["bytes"] else ""
