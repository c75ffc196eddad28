"""The `hlspipe` command: finds the sub-command, and turns whatever happens into an exit code.

A sub-command's module is imported when it is asked for. Adding one is a line in `COMMANDS` and a
module that has a `Command` of that name.
"""

import os
import sys
from importlib import import_module
from pathlib import Path

import click

from pipeline import __version__
from pipeline.cli import failures
from pipeline.cli.terminal import stdout_error
from pipeline.units import public_url

#: Where each command lives, in the order of the help.
COMMANDS = {
    "fetch": "pipeline.cli.fetch",
    "batch": "pipeline.cli.batch",
    "inspect": "pipeline.cli.inspect",
    "systemd": "pipeline.cli.systemd",
    "clean": "pipeline.cli.clean",
    "serve": "pipeline.cli.serve",
    "submit": "pipeline.cli.submit",
    "jobs": "pipeline.cli.jobs",
    "cancel": "pipeline.cli.orders",
    "pause": "pipeline.cli.orders",
    "resume": "pipeline.cli.orders",
    "retry": "pipeline.cli.orders",
    "drain": "pipeline.cli.orders",
}

_COMPLETION = "_HLSPIPE_COMPLETE"


class Commands(click.Group):
    """The sub-commands, each loaded on first use."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Their names, as the help lists them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of that name."""
        if cmd_name not in COMMANDS:
            return None
        command = getattr(import_module(COMMANDS[cmd_name]), cmd_name)
        return command if isinstance(command, click.Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does; a URL where a command belongs is a slip with an obvious remedy."""
        if "://" in args[0]:
            ctx.fail(f"A command comes before the URL: hlspipe fetch {public_url(args[0])}")
        return super().resolve_command(ctx, args)


def _show_version(ctx: click.Context, _param: click.Parameter, wanted: bool) -> None:
    if not wanted or ctx.resilient_parsing:
        return
    from pipeline.crypto.cbc import cipher_name  # noqa: PLC0415

    python = ".".join(map(str, sys.version_info[:3]))
    click.echo(f"hlspipe {__version__} (Python {python}, AES by {cipher_name()})")
    ctx.exit()


@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "auto_envvar_prefix": "HLSPIPE",
    },
    epilog="Every option is also read from the environment (HLSPIPE_FETCH_RETRIES=3) and from"
    " the configuration file (a [fetch] table with retries = 3).",
)
@click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Configuration file.  [default: ~/.config/hlspipe/config.toml]",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version, Python's, and the cipher in use.",
)
@click.pass_context
def hlspipe(ctx: click.Context, config: Path | None) -> None:  # noqa: ARG001  # read by config.apply
    """Download HLS (m3u8) streams: fast, in bounded memory, exact or an honest error."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help(), err=True)
        ctx.exit(2)


def run(arguments: list[str]) -> int:
    """Carry out one command line; returns its exit code, and raises nothing."""
    try:
        if instruction := os.environ.get(_COMPLETION):
            return _complete(instruction)
        with hlspipe.make_context("hlspipe", list(arguments)) as context:
            hlspipe.invoke(context)
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as error:
        return failures.refuse(error)
    except OSError as error:  # commands handle their own: what is left is printing the help
        return failures.report(stdout_error(error), {})
    except Exception as error:  # noqa: BLE001  # the last one to ask
        return failures.report(error, {})
    return 0


def _complete(instruction: str) -> int:
    from click.shell_completion import shell_complete  # noqa: PLC0415

    return shell_complete(hlspipe, {}, "hlspipe", _COMPLETION, instruction)
