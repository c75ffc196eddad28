"""`hlspipe systemd install`: write what systemd needs to run the daemon, or show it."""

import os
import shutil
import sys
from pathlib import Path

import click

from pipeline.cli.command import command, option, section
from pipeline.cli.terminal import print_data, say
from pipeline.errors import StorageError


@command("systemd")
@click.argument("action", type=click.Choice(["install"]))
@section(
    "Options",
    option("--user", "For this user's own manager, not for the machine."),
    option("--print", "Print the files, and write nothing.", default=False),
)
def systemd(action: str, user: bool, verbose: bool, **values: bool) -> None:  # noqa: ARG001
    """Write what systemd needs to run the daemon.

    That is a unit, and for the machine a user and directories. What to do then is said at the
    end. docs/service.md explains each line.
    """
    from pipeline.service.units import unit_files  # noqa: PLC0415

    files = unit_files(_program(), user=user)
    for file in files:
        path = _home() / file.path if user else Path(file.path)
        if values["print"]:
            print_data(f"# {path}\n{file.text}")
        else:
            _write(path, file.text)
    if not values["print"]:
        manager = "systemctl --user" if user else "systemctl"
        before = "" if user else "systemd-sysusers && systemd-tmpfiles --create && "
        say(f"Now: {before}{manager} daemon-reload && {manager} enable --now hlspipe")


def _program() -> str:
    """The absolute path of this program."""
    found = shutil.which(sys.argv[0]) or shutil.which("hlspipe") or sys.argv[0]
    return str(Path(found).absolute())


def _home() -> Path:
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    except OSError as error:
        raise StorageError(f"Cannot write {path}: {error.strerror or error}") from error
    print_data(str(path))
