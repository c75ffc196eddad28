from pathlib import Path

import pytest

from tests.cli.conftest import Cli, Engine


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A place for a configuration file of the user's own."""
    path = tmp_path / "xdg" / "hlspipe" / "config.toml"
    path.parent.mkdir(parents=True)
    return path


def test_the_users_own_file_is_read(fetch: Cli, engine: Engine, config: Path) -> None:
    """Keys are the long names of options; several values are a list."""
    config.write_text(
        '[fetch]\nretries = 3\nmemory-threshold = "1MB"\nno-verify = true\n'
        'header = ["A: 1", "B: 2"]\n[clean]\ntemp-dir = "/tmp"\n'
    )

    assert fetch().exit_code == 0
    assert engine.options.http.retries == 3
    assert engine.options.storage.memory_threshold == 1 << 20
    assert not engine.options.http.verify
    assert engine.options.http.headers == (("A", "1"), ("B", "2"))


def test_aliases_are_keys_too(fetch: Cli, engine: Engine, config: Path) -> None:
    """Who writes --threads may write threads."""
    config.write_text("[fetch]\nthreads = 4\n")

    assert fetch().exit_code == 0
    assert engine.options.concurrent == 4


def test_the_command_line_goes_before_the_environment_before_the_file(
    fetch: Cli, engine: Engine, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is closer to the user wins."""
    config.write_text('[fetch]\nretries = 1\nconcurrent = 1\ntimeout = "1s"\n')
    monkeypatch.setenv("HLSPIPE_FETCH_RETRIES", "2")
    monkeypatch.setenv("HLSPIPE_FETCH_CONCURRENT", "2")
    fetch("--retries", "3")

    assert engine.options.http.retries == 3
    assert engine.options.concurrent == 2
    assert engine.options.http.timeout == 1.0


@pytest.mark.parametrize("before", [True, False], ids=["before the command", "after it"])
def test_a_file_may_be_named(
    cli: Cli, engine: Engine, tmp_path: Path, config: Path, before: bool
) -> None:
    """--config takes the place of the user's own file, wherever it is written."""
    config.write_text("[fetch]\nretries = 1\n")
    other = tmp_path / "other.toml"
    other.write_text("[fetch]\nretries = 2\n")
    named = ["--config", other]
    cli(*(named if before else []), "fetch", *([] if before else named), "http://h/")

    assert engine.options.http.retries == 2


def test_the_environment_may_name_the_file(
    fetch: Cli, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HLSPIPE_CONFIG is --config."""
    (tmp_path / "other.toml").write_text("[fetch]\nretries = 2\n")
    monkeypatch.setenv("HLSPIPE_CONFIG", str(tmp_path / "other.toml"))
    fetch()

    assert engine.options.http.retries == 2


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[fetch]\nretrys = 3\n", "unknown key in [fetch]: retrys"),
        ("[fetch]\nconfig = 'x'\n", "unknown key in [fetch]: config"),
        ("[fetsch]\n", "unknown table: fetsch"),
        ("retries = 3\n", "unknown table: retries"),
        ("fetch = 3\n", "fetch must be a table"),
        ("[fetch\n", "is not valid TOML"),
        ("[fetch]\nconcurrent = 'many'\n", "in the configuration file"),
        ("[fetch]\nno-verify = 'perhaps'\n", "in the configuration file"),
        ("[fetch]\nforce = 5\n", "force in [fetch] must be true or false"),
        ("[fetch]\ncookies = ['a']\n", "cookies in [fetch] must be a text"),
        ("[fetch]\ntemp-dir = 5\n", "temp-dir in [fetch] must be a text"),
        ("[fetch]\naudio = ['en', 'de']\n", "audio in [fetch] must be a text"),
        ("[fetch]\nheader = 5\n", "header in [fetch] must be a list of texts"),
    ],
)
def test_a_mistake_in_the_file_is_a_usage_error(
    fetch: Cli, engine: Engine, config: Path, text: str, named: str
) -> None:
    """A key that does nothing never passes for a setting, and the sentence names it."""
    config.write_text(text)
    result = fetch()

    assert result.exit_code == 2
    assert named in result.stderr
    assert engine.calls == []


def test_a_file_that_is_not_there_is_a_usage_error(fetch: Cli) -> None:
    """Who names a file wants it read."""
    result = fetch("--config", "missing.toml")

    assert result.exit_code == 2
    assert "missing.toml" in result.stderr


def test_help_is_given_whatever_the_file_says(cli: Cli, config: Path) -> None:
    """A broken file does not stand in the way of reading how to mend it."""
    config.write_text("[fetch\n")

    assert cli("fetch", "--help").exit_code == 0
