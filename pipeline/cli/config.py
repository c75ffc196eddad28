"""The configuration file: TOML, one table for each command, keys as the long options are spelt.

What it says are defaults, in click's sense: the environment and the command line go first. What
it may not say is an error that names the key, so that a typing mistake never passes for a
setting. Not covered: what the values mean; each option's own type reads them.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click


def apply(ctx: click.Context, _param: click.Parameter, given: Path | None) -> Path | None:
    """Callback of `--config`: lay the file's table for this command under its options."""
    path = given or (ctx.parent and ctx.parent.params.get("config")) or _users_own()
    if path is not None:
        ctx.default_map = _defaults(ctx, path, _read(path))
    return path


def _users_own() -> Path | None:
    """`$XDG_CONFIG_HOME/hlspipe/config.toml`, if there is one."""
    base = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")  # noqa: PTH111
    path = Path(base, "hlspipe", "config.toml")
    return path if path.is_file() else None


def _read(path: Path) -> dict[str, Any]:
    # Imported here: who has no configuration file does not wait for a parser.
    import tomllib  # noqa: PLC0415

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise click.UsageError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:  # TOMLDecodeError and UnicodeDecodeError
        raise click.UsageError(f"{path} is not valid TOML: {error}") from error


def _defaults(ctx: click.Context, path: Path, tables: dict[str, Any]) -> dict[str, Any]:
    """The values for this command by the names of its parameters."""
    _refuse_unknown(path, tables, _commands(ctx), "table")
    table = tables.get(ctx.command.name or "", {})
    if not isinstance(table, dict):
        raise click.UsageError(f"{path}: {ctx.command.name} must be a table")
    params = {
        spelling.lstrip("-"): param
        for param in ctx.command.params
        for spelling in param.opts
        if spelling.startswith("--") and param.name != "config"
    }
    _refuse_unknown(path, table, params, f"key in [{ctx.command.name}]")
    for key, value in table.items():
        if wanted := _what_else(params[key], value):
            raise click.UsageError(f"{path}: {key} in [{ctx.command.name}] must be {wanted}")
    return {str(params[key].name): value for key, value in table.items()}


def _what_else(param: click.Parameter, value: object) -> str | None:
    """What the value of `param` must be, if it is something else than TOML says."""
    if getattr(param, "is_flag", False):
        return None if isinstance(value, bool | str) else "true or false"
    if param.multiple:
        texts = value if isinstance(value, list) else [value]
        return None if all(isinstance(text, str) for text in texts) else "a list of texts"
    if isinstance(param.type, click.Path | click.Choice | click.types.StringParamType):
        return None if isinstance(value, str) else "a text"
    number = isinstance(value, str | int | float) and not isinstance(value, bool)
    return None if number else "a text or a number"


def _commands(ctx: click.Context) -> list[str]:
    parent = ctx.parent
    if parent is None or not isinstance(parent.command, click.Group):
        return [ctx.command.name or ""]
    return parent.command.list_commands(parent)


def _refuse_unknown(path: Path, found: Iterable[str], known: Iterable[str], kind: str) -> None:
    unknown = sorted(set(found) - set(known))
    if unknown:
        raise click.UsageError(f"{path}: unknown {kind}: {', '.join(unknown)}")
