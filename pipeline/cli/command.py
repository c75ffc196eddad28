"""What every command shares: help in sections, a configuration file, errors with exit codes.

`option("-o, --output FILE", "File to write.")` is an option written as its help shows it; without
a placeholder it is a flag. `section` puts options under a heading and is used as a decorator.
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click

from pipeline.cli import config, failures

_Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


class Option(click.Option):
    """An option that knows its place in the help, and what it looks like there."""

    def __init__(self, *args: Any, section: str, shown: str, **attributes: Any) -> None:
        super().__init__(*args, **{"show_default": True} | attributes)
        self.section = section
        self.shown = shown if not shown.startswith("--") else f"    {shown}"

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """The left and the right column of the help."""
        record = super().get_help_record(ctx)
        return record and (self.shown, record[1])


def option(
    shown: str,
    text: str,
    *,
    aliases: Sequence[str] = (),
    **attributes: Any,
) -> Callable[..., _Decorator]:
    """An option for a `section`. `aliases` are further spellings."""
    words = shown.replace(",", "").split()
    spellings = [word for word in words if word.startswith("-")]
    if len(spellings) == len(words):
        attributes["is_flag"] = True
    if aliases:
        text += f" (Also {', '.join(aliases)}.)"
    return partial(
        click.option,
        *spellings,
        *aliases,
        cls=Option,
        shown=shown,
        help=text,
        **attributes,
    )


def section(title: str, *options: Callable[..., _Decorator]) -> _Decorator:
    """Decorator: gives a command these options, under `title` in its help."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for make in reversed(options):
            function = make(section=title)(function)
        return function

    return decorate


GENERAL = "General"

_general = section(
    GENERAL,
    option("-v, --verbose", "Say more: retries, figures at the end, the causes of an error."),
    option(
        "--config FILE",
        "Configuration file.  [default: ~/.config/hlspipe/config.toml]",
        type=click.Path(dir_okay=False, path_type=Path),
        is_eager=True,
        expose_value=False,
        callback=config.apply,
    ),
)


def command(name: str, **attributes: Any) -> Callable[[Callable[..., Any]], "Command"]:
    """Decorator: the function becomes the command `name`, with the options that all have."""
    return lambda function: click.command(name, cls=Command, **attributes)(_general(function))


class Command(click.Command):
    """A command of hlspipe."""

    def invoke(self, ctx: click.Context) -> Any:
        """Carry the command out; what goes wrong becomes one sentence and an exit code."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit):
            raise
        except (Exception, KeyboardInterrupt) as error:
            raise click.exceptions.Exit(failures.report(error, ctx.params)) from error

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options by section, what all commands have at the end, all in two columns."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx) if isinstance(param, click.Option) else None
            if record is not None:
                sections.setdefault(getattr(param, "section", GENERAL), []).append(record)
        width = max(len(shown) for records in sections.values() for shown, _ in records)
        for title in sorted(sections, key=lambda title: title == GENERAL):
            with formatter.section(title):
                formatter.write_dl([(left.ljust(width), right) for left, right in sections[title]])
