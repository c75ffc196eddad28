"""What every command shares: help in sections, a configuration file, errors with exit codes.

`option("-o, --output FILE", "File to write.")` is an option written as its help shows it; without
a placeholder it is a flag. `section` puts options under a heading and is used as a decorator.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click

from pipeline.cli import config, failures

#: Where the context of a command has its command line.
ARGUMENTS = "hlspipe.arguments"

_Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


#: What options are followed by that may be files, and no directories alone.
_OF_FILES = {"FILE", "KEY"}


def files(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[Any]:
    """What a shell may put in the place of an argument: its own names of files."""
    from click.shell_completion import CompletionItem  # noqa: PLC0415  (for shells alone)

    return [CompletionItem(incomplete, type="file")]


class Option(click.Option):
    """An option that knows its place in the help, and what it looks like there."""

    def __init__(self, *args: Any, section: str, shown: str, **attributes: Any) -> None:
        super().__init__(*args, **{"show_default": True} | attributes)
        self.section = section
        self.shown = shown if not shown.startswith("--") else f"    {shown}"

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        """The command's own variable, in any spelling, before one that all commands share."""
        own = (os.environ.get(name) for name in self.variables(ctx))
        return next(filter(None, own), None) or super().resolve_envvar_value(ctx)

    def variables(self, ctx: click.Context) -> list[str]:
        """What it is called in the environment, for this command alone."""
        long = [word[2:] for word in self.opts if word.startswith("--")]
        return [
            f"{ctx.auto_envvar_prefix}_{word}".upper().replace("-", "_")
            for word in dict.fromkeys([str(self.name), *long])
        ]

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """The left and the right column of the help."""
        record = super().get_help_record(ctx)
        return record and (self.shown, record[1])


def option(
    shown: str,
    text: str,
    *,
    aliases: Sequence[str] = (),
    opposite: str | None = None,
    **attributes: Any,
) -> "partial[Any]":
    """An option for a `section`. `aliases` are further spellings, `opposite` turns a flag off."""
    words = shown.replace(",", "").split()
    spellings = [word for word in words if word.startswith("-")]
    if len(spellings) == len(words):
        attributes["is_flag"] = True
    elif words[-1] in _OF_FILES:
        attributes.setdefault("shell_complete", files)
    if opposite is not None:
        spellings = [f"{spellings[0]}/{opposite}"]
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


@dataclass(frozen=True, slots=True)
class Section:
    """Options under a heading of the help. As a decorator it gives them to a command."""

    title: str
    options: "Sequence[partial[Any]]"

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function with these options."""
        for make in reversed(self.options):
            function = make(section=self.title)(function)
        return function

    def without(self, *spellings: str) -> "Section":
        """The same for a command that has no use for some of them."""
        unwanted = set(spellings)
        kept = [one for one in self.options if not unwanted & set("/".join(one.args).split("/"))]
        return Section(self.title, kept)


def section(title: str, *options: "partial[Any]") -> Section:
    """These options, under `title` in the help."""
    return Section(title, options)


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

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the command line, and keep it for those who have to read it again (`serve`)."""
        ctx.meta[ARGUMENTS] = list(args)
        left = super().parse_args(ctx, args)
        self._refuse_unknown_variables(ctx)
        return left

    def _refuse_unknown_variables(self, ctx: click.Context) -> None:
        """A typing mistake must not pass for a setting in the environment either."""
        beginning = f"{ctx.auto_envvar_prefix}_"
        ours = [name for name in os.environ if name.startswith(beginning)]
        if not ours:
            return
        options = [each for each in self.get_params(ctx) if isinstance(each, Option)]
        known = [name for option in options for name in option.variables(ctx)]
        for name in sorted(set(ours) - set(known)):
            from difflib import get_close_matches  # noqa: PLC0415  (6 ms, for a mistake)

            near = "".join(f" ({found}?)" for found in get_close_matches(name, known, 1))
            ctx.fail(f"The variable {name} is no setting of {self.name}{near}")

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
