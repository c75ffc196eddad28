"""What the commands that talk to a daemon have in common."""

from pathlib import Path

import click

from pipeline.cli.command import option, section
from pipeline.service.client import ServiceClient, usual_socket

daemon_options = section(
    "Daemon",
    option(
        "--socket PATH",
        "The daemon's unix socket.  [default: $XDG_RUNTIME_DIR/hlspipe/hlspipe.sock,"
        " /run/hlspipe/hlspipe.sock]",
        type=click.Path(dir_okay=False, path_type=Path),
    ),
)


def client(socket: Path | None) -> ServiceClient:
    """A client of the daemon at `socket`, or at the usual place."""
    return ServiceClient(socket or usual_socket())
