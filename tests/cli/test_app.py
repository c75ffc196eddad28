import os
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from pipeline import __version__
from pipeline.cli.app import COMMANDS, hlspipe
from pipeline.cli.fetch import fetch
from pipeline.cli.inspect import inspect
from tests.cli.conftest import Cli

README = Path(__file__).parents[2] / "README.md"
OPTIONS = [
    (command.name, option)
    for command in (fetch, inspect)
    for option in command.params
    if isinstance(option, click.Option)
]
each_option = pytest.mark.parametrize(
    ("command", "option"),
    OPTIONS,
    ids=[f"{command} {max(option.opts, key=len)}" for command, option in OPTIONS],
)


def help_of(command: str) -> str:
    """The help of a command, on a terminal of 80 columns."""
    result = CliRunner().invoke(hlspipe, [command, "--help"], terminal_width=80)

    assert result.exit_code == 0
    return result.output


def test_the_version_names_what_decrypts(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """--version says everything that a bug report needs."""
    monkeypatch.setattr("pipeline.crypto.cbc.cipher_name", lambda: "Enigma 3")
    result = cli("--version")

    assert result.stdout.startswith(f"hlspipe {__version__} (Python 3.")
    assert result.stdout.endswith("AES by Enigma 3)\n")


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_the_help_lists_the_commands(cli: Cli, flag: str) -> None:
    """-h is --help, and both go to stdout."""
    result = cli(flag)

    assert result.exit_code == 0
    assert all(f"\n  {name} " in result.stdout for name in COMMANDS)


def test_no_command_shows_the_help_and_fails(cli: Cli) -> None:
    """A script that forgets its command does not succeed."""
    result = cli()

    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Commands:" in result.stderr


@each_option
def test_every_option_is_in_the_help(command: str, option: click.Option) -> None:
    """Each spelling is shown, and each option has a text."""
    shown = help_of(command)

    assert option.help
    assert all(spelling in shown for spelling in option.opts)


@each_option
def test_every_option_has_a_variable(command: str, option: click.Option) -> None:
    """HLSPIPE_<COMMAND>_<OPTION> is made of the option as it is spelt."""
    first = next(spelling for spelling in option.opts if spelling.startswith("--"))

    assert option.name == first.lstrip("-").replace("-", "_")


@each_option
def test_every_option_is_in_the_manual(command: str, option: click.Option) -> None:
    """The README's table and the program agree."""
    manual = README.read_text(encoding="utf-8")

    assert all(f"`{spelling}" in manual for spelling in option.opts)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_fits_80_columns(command: str) -> None:
    """No line of any help is broken by a terminal of the usual width."""
    assert max(map(len, help_of(command).splitlines())) <= 80


def test_the_help_is_in_sections() -> None:
    """Options stand under headings, what all commands share at the end."""
    titles = [line for line in help_of("fetch").splitlines() if line[:1].isalpha()]

    assert titles[1:] == [
        "Output:",
        "Selection:",
        "Playlist:",
        "Keys:",
        "Requests:",
        "Speed:",
        "Storage:",
        "Display:",
        "General:",
    ]


def test_the_help_shows_the_defaults() -> None:
    """What happens without an option is in its text."""
    shown = " ".join(help_of("fetch").split())

    for default in ("best", "none", "vtt", "8", "20s", "0.5s", "50MB", "stream", "auto"):
        assert f"[default: {default}]" in shown


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["fetch"], "Missing argument 'URL'"),
        (["fetch", "http://h/", "-N", "0"], "'-N' / '--concurrent'"),
        (["fetch", "http://h/", "--progress", "loud"], "'loud' is not one of"),
        (["fetch", "http://h/", "--forec"], "--forec"),
        (["fetsch", "http://h/"], "fetsch"),
    ],
    ids=["no URL", "bad number", "bad choice", "unknown option", "unknown command"],
)
def test_a_wrong_command_line_is_one_sentence(
    cli: Cli, arguments: list[str], sentence: str
) -> None:
    """Usage errors are exit code 2, one line, and a pointer to the help."""
    result = cli(*arguments)

    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("hlspipe: ")
    assert result.stderr.count("\n") == 1
    assert sentence in result.stderr
    assert "--help')" in result.stderr


def test_a_url_without_a_command_is_shown_the_way(cli: Cli) -> None:
    """The slip is named, without the secrets in the URL."""
    result = cli("https://me:pass@h.test/v.m3u8?token=hush")

    assert result.exit_code == 2
    assert "hlspipe fetch https://h.test/v.m3u8?…" in result.stderr
    assert "hush" not in result.stderr


def test_a_second_url_is_refused_without_its_secrets(cli: Cli) -> None:
    """What click quotes in its messages is masked."""
    result = cli("fetch", "http://a/", "https://me:pass@h.test/v.m3u8?token=hush")

    assert result.exit_code == 2
    assert "hush" not in result.stderr
    assert "pass" not in result.stderr


def test_a_value_from_the_environment_is_known_as_such(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who mistypes a variable does not search the command line."""
    monkeypatch.setenv("HLSPIPE_FETCH_RETRIES", "many")

    assert "in the environment" in cli("fetch", "http://h/").stderr


def test_shells_can_complete_commands(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """The script for the user's shell comes from the program itself."""
    monkeypatch.setenv("_HLSPIPE_COMPLETE", "zsh_source")

    assert "#compdef hlspipe" in cli().stdout


@pytest.mark.parametrize(
    "words",
    ["batch my", "batch -a my", "fetch my", "fetch -o my", "fetch --key my", "inspect a my"],
)
def test_shells_can_complete_files(words: str, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever one may stand, also in the place of a URL."""
    monkeypatch.setenv("_HLSPIPE_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", f"hlspipe {words}")
    monkeypatch.setenv("COMP_CWORD", str(len(words.split())))

    assert cli().stdout == "file,my\n"


@pytest.mark.parametrize(
    ("variable", "near"),
    [
        ("HLSPIPE_FETCH_RETRYS", " (HLSPIPE_FETCH_RETRIES?)"),
        ("HLSPIPE_FETCH_XYZZY", ""),
    ],
)
def test_a_variable_that_is_no_setting(
    variable: str, near: str, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused, as in the configuration file; those of other commands are theirs."""
    monkeypatch.setenv("HLSPIPE_BATCH_XYZZY", "1")
    monkeypatch.setenv(variable, "3")
    result = cli("fetch", "http://h/")

    assert result.exit_code == 2
    assert f"{variable} is no setting of fetch{near}" in result.stderr


def test_other_spellings_are_variables_too(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on the command line."""
    monkeypatch.setenv("HLSPIPE_FETCH_THREADS", "none")

    assert "'none' is not a whole number" in cli("fetch", "http://h/").stderr


def test_a_bug_in_parsing_is_still_a_sentence(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever goes wrong, wherever: no traceback unless it is asked for."""

    def fail() -> int:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr("pipeline.store.threshold.automatic_threshold", fail)
    result = cli("fetch", "http://h/", "--memory-threshold", "auto")

    assert result.exit_code == 1
    assert result.stderr.startswith("hlspipe: Internal error: ZeroDivisionError: oh")


def test_a_full_disk_under_the_help_is_a_sentence(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Help that cannot be printed is an error like any other."""

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(click, "echo", fail)

    assert cli("--version").exit_code == 7
