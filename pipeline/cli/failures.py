"""How a command that failed says so: one sentence on stderr, and the exit code.

The codes belong to the errors (`pipeline.errors`). Tracebacks are for `-v` and for what nobody
foresaw; with them, as with any message, no query string and no password of a URL gets out.
"""

import re
import signal
import traceback
from collections.abc import Iterator, Mapping
from typing import Any

import click
from click.core import ParameterSource

from pipeline.cli.jsonlines import json_line
from pipeline.cli.terminal import say
from pipeline.errors import HlspipeError, InternalError, RemuxFailed, ScarcityError
from pipeline.units import format_mb

_SECRETS = re.compile(r"(?<=//)[^/\s@]+(?=@)|(?<=\S\?)[^\s'\")>]+")


def report(error: BaseException, values: Mapping[str, Any], about: str = "") -> int:
    """Say what ended a command that was given `values`; the exit code.

    `about` names what of several things it is about, where the sentence does not.
    """
    exit_code, sentence = outcome(error)
    if about and about not in sentence:
        sentence = f"{about}: {sentence}"
    sentence += _hint(error, values)
    foreseen = isinstance(error, RemuxFailed)
    if exit_code == InternalError.exit_code and not foreseen and not values.get("verbose"):
        sentence += " (run again with -v for the traceback)"
    if values.get("progress") == "json":
        say(json_line("failed", exit_code=exit_code, message=sentence))
    else:
        say(f"hlspipe: {sentence}")
    if values.get("verbose"):
        say(masked("".join(_details(error))))
    return exit_code


def _hint(error: BaseException, values: Mapping[str, Any]) -> str:
    """What becomes of the bytes of a download that failed, and how to keep them."""
    receipt = getattr(error, "receipt", None)
    if receipt is None or values.get("output") == "-" or isinstance(error, RemuxFailed):
        return ""
    if receipt.kept_bytes:
        kept = format_mb(receipt.kept_bytes)
        return f" ({kept} are kept: the same command goes on from there)"
    if not values.get("continue"):
        return " (nothing is kept: with -c it would be)" if receipt.segments.stored else ""
    if receipt.segments.expected:
        return " (nothing is kept: nothing that could be taken up was on the disk yet)"
    return ""


def refuse(error: click.ClickException) -> int:
    """Say what is wrong with a command line; the exit code."""
    sentence = masked(" ".join(error.format_message().split())).rstrip(".")
    context = getattr(error, "ctx", None)
    if context is not None:
        sentence += f"{_origin(error, context)} (try '{context.command_path} --help')"
    say(f"hlspipe: {sentence}")
    return error.exit_code


def outcome(error: BaseException) -> tuple[int, str]:
    """The exit code of a run that ended with `error`, and the sentence that says why."""
    if isinstance(error, HlspipeError):
        return error.exit_code, masked(error.message)
    if isinstance(error, KeyboardInterrupt):
        return getattr(error, "exit_code", 128 + signal.SIGINT), str(error) or "Interrupted"
    if isinstance(error, MemoryError):
        return ScarcityError.exit_code, "The system has no memory left"
    facts = " ".join(f"{type(error).__name__}: {error}".split())
    return 1, f"Internal error: {masked(facts)}"


def masked(text: str) -> str:
    """`text` without the query strings and the passwords of the URLs in it."""
    return _SECRETS.sub("…", text)


def _details(error: BaseException) -> Iterator[str]:
    """What `-v` adds: the causes of a foreseen error, the traceback of any other."""
    if not isinstance(error, HlspipeError | KeyboardInterrupt):
        yield from traceback.format_exception(error)
    while isinstance(error, HlspipeError) and error.__cause__ is not None:
        error = error.__cause__
        yield f"  because of {type(error).__name__}: {error}\n"


def _origin(error: click.ClickException, context: click.Context) -> str:
    """Where a bad value came from, when the command line does not show it."""
    param = getattr(error, "param", None)
    source = context.get_parameter_source(param.name) if param is not None else None
    if source is ParameterSource.DEFAULT_MAP:
        return ", in the configuration file"
    return ", in the environment" if source is ParameterSource.ENVIRONMENT else ""
