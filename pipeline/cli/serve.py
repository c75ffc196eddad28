"""`hlspipe serve`: the daemon, from its options on. What it does is `pipeline.service`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli import places
from pipeline.cli.command import ARGUMENTS, command, option, section
from pipeline.cli.sections import request_options, speed_options
from pipeline.cli.settings import service_options
from pipeline.cli.values import COUNT, DAYS, DURATION, LISTEN, THRESHOLD
from pipeline.cli.words import short_size
from pipeline.errors import UsageError
from pipeline.options import DEFAULT_MEMORY_THRESHOLD, ServiceOptions

if TYPE_CHECKING:
    from pipeline.service.engine import Engine, Listener

_DEFAULTS = ServiceOptions(Path(), Path(), Path())
_DIRECTORY = click.Path(file_okay=False, path_type=Path)
_FILE = click.Path(dir_okay=False, path_type=Path)
_EXAMPLES = """\b
Examples:
  hlspipe serve --root /srv/videos
  hlspipe serve --root /srv/videos --listen 8080 --spool /srv/spool
  hlspipe submit https://example.com/show.m3u8 && hlspipe jobs --watch
"""


@command("serve", epilog=_EXAMPLES)
@section(
    "Places",
    option(
        "--root DIR",
        "Write below this directory, and nowhere else.  [default: here]",
        type=_DIRECTORY,
        default=places.download_root,
        show_default=False,
    ),
    option(
        "--state-dir DIR",
        "Keep the queue and the token here.  [default: ~/.local/state/hlspipe]",
        type=_DIRECTORY,
        default=places.state_dir,
        show_default=False,
    ),
    option(
        "--spool DIR",
        "Take jobs from files that are moved in here: *.url, *.jsonl.",
        type=_DIRECTORY,
    ),
)
@section(
    "Clients",
    option(
        "--socket PATH",
        "Listen on this unix socket.  [default: $XDG_RUNTIME_DIR/hlspipe/hlspipe.sock]",
        type=_FILE,
        default=places.socket_path,
        show_default=False,
    ),
    option(
        "--listen [HOST:]PORT",
        "Listen on TCP as well, on 127.0.0.1 if only a port is given. Clients need the token that"
        " is in the state directory.",
        type=LISTEN,
    ),
    option(
        "--allow-host NAME",
        "A name by which clients may call this server over TCP. May be repeated.",
        multiple=True,
    ),
)
@section(
    "Jobs",
    option("-j, --jobs N", "Jobs at a time.", type=COUNT, default=_DEFAULTS.jobs),
    option(
        "--attempts N",
        "Attempts before a job has failed.",
        type=COUNT,
        default=_DEFAULTS.attempts,
    ),
    option(
        "--attempt-wait TIME",
        "Wait before the second attempt; twice as long before each further one.",
        type=DURATION,
        default=f"{_DEFAULTS.attempt_wait:g}s",
    ),
    option(
        "--keep-days N",
        "Forget jobs so many days after their end.",
        type=DAYS,
        default=f"{_DEFAULTS.keep_days:g}",
    ),
    option(
        "--block-private",
        "Refuse private addresses that a playlist leads to, unless its own URL does; this is the"
        " default, and --allow-private does not.",
        opposite="--allow-private",
        default=True,
        show_default=False,
    ),
)
@request_options.without("--block-private")
@speed_options
@section(
    "Storage",
    option(
        "--memory-threshold SIZE",
        "Keep a job's segments in memory below this size, and go to disk from there.",
        type=THRESHOLD,
        default=short_size(DEFAULT_MEMORY_THRESHOLD),
        envvar=["HLSPIPE_SERVE_MEMORY_THRESHOLD", "HLSPIPE_MEMORY_THRESHOLD"],
    ),
    option(
        "--temp-dir DIR",
        "Make temp directories in here.  [default: $TMPDIR]",
        type=_DIRECTORY,
        default=places.temp_dir,
        show_default=False,
    ),
)
@section(
    "Display",
    option(
        "--log-format FORMAT",
        "text or json; on standard error.",
        type=click.Choice(["text", "json"]),
        default=_DEFAULTS.log_format,
    ),
)
@click.pass_context
def serve(ctx: click.Context, /, **values: Any) -> None:
    """Download what is submitted, until a signal says otherwise.

    Jobs come over a unix socket ('hlspipe submit'), over HTTP, or from a spool directory. They
    survive the daemon: what was running when it ended goes on where it was.
    """
    try:
        from pipeline.service.daemon import Daemon  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise UsageError(
            f"The service needs {error.name}: pip install 'hlspipe[service]'"
        ) from error
    from pipeline.service.logs import set_up  # noqa: PLC0415

    options = service_options(values)
    set_up(options.log_format, verbose=values["verbose"])
    Daemon(options, lambda: _read_again(ctx), _make_engine).run()


def _read_again(ctx: click.Context) -> ServiceOptions:
    """The options as they are now: the command line is the same, the configuration may not be."""
    try:
        again = ctx.command.make_context(
            ctx.info_name, list(ctx.meta[ARGUMENTS]), parent=ctx.parent
        )
    except click.ClickException as error:
        raise UsageError(error.format_message()) from error
    return service_options(again.params)


def _make_engine(listener: "Listener", options: ServiceOptions) -> "Engine":
    from pipeline.service.pooled import PooledEngine  # noqa: PLC0415

    return PooledEngine(listener, options.fetch)
