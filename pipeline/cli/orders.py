"""`hlspipe cancel`, `pause`, `resume`, `retry` and `drain`: orders to the daemon.

Not covered: what an order leads to from which state (`pipeline.service.states`).
"""

import time
from pathlib import Path
from typing import Any

import click

from pipeline.cli.command import Command, command, option, section
from pipeline.cli.daemon import client, daemon_options
from pipeline.cli.failures import report
from pipeline.cli.terminal import say
from pipeline.errors import HlspipeError
from pipeline.service.client import ServiceClient

#: Seconds between two looks at whether the last job has ended.
_INTERVAL = 0.5


def _order(name: str, text: str) -> Command:
    """The command `name`, which tells jobs to do so; `text` is its help."""

    @click.argument("numbers", metavar="ID...", nargs=-1, required=True, type=int)
    @daemon_options
    @click.pass_context
    def carry_out(
        ctx: click.Context, /, numbers: tuple[int, ...], socket: Path | None, **values: Any
    ) -> None:
        daemon = client(socket)
        exit_codes = [_tell(daemon, number, name, values) for number in numbers]
        ctx.exit(next(filter(None, exit_codes), 0))

    carry_out.__doc__ = text
    return command(name)(carry_out)


def _tell(daemon: ServiceClient, number: int, name: str, values: dict[str, Any]) -> int:
    """One order; the exit code it deserves. Those that follow do not depend on it."""
    try:
        job = daemon.order(number, name)
    except HlspipeError as error:
        return report(error, values)
    about = f" (to {job['wish']} when its download has stopped)" if job["wish"] else ""
    say(f"Job {number} is {job['state']}{about}")
    return 0


cancel = _order(
    "cancel",
    "Give up the jobs with these numbers. What has been written of their outputs is removed.",
)
pause = _order(
    "pause",
    "Stop the jobs with these numbers for the time being. What has been written is kept.",
)
resume = _order("resume", "Go on with jobs that were paused, from where they were.")
retry = _order("retry", "Queue jobs again that have failed or been cancelled.")


@command("drain")
@section(
    "Options",
    option("--undo", "Take in and begin jobs again."),
    option("--no-wait", "Do not wait until the last job has ended that is running."),
)
@daemon_options
def drain(undo: bool, no_wait: bool, socket: Path | None, verbose: bool) -> None:
    """Let the daemon finish what is running, and begin nothing else.

    New jobs are refused, and those in the queue stay there. Ends when no job is running: then the
    daemon can be stopped without anything having to be taken up again. A daemon that is started
    anew is not drained.
    """
    daemon = client(socket)
    state = daemon.drain(wanted=not undo)
    while not undo and not no_wait and state["counts"]["running"]:
        if verbose:
            say(f"{state['counts']['running']} running")
        time.sleep(_INTERVAL)
        state = daemon.service()
    say("Jobs are begun again" if undo else "Drained: 'hlspipe drain --undo' takes it back")
