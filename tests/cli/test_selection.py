"""Options of `fetch` that say what is taken, and with which key."""

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.options import KeyOptions, SelectionOptions, SubtitlesFormat
from tests.cli.conftest import Cli, Engine

KEY = bytes(range(16))
IV = (1).to_bytes(16)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], {}),
        (["-f", "720p"], {"format": "720p"}),
        (["--format", "height<=720/worst"], {"format": "height<=720/worst"}),
        (["--audio", "en,de"], {"audio": "en,de"}),
        (["--audio", "none"], {"audio": "none"}),
        (["--subtitles", "all"], {"subtitles": "all"}),
        (["--subtitles-format", "srt"], {"subtitles_format": SubtitlesFormat.SRT}),
        (["--section", "05:00-20:00"], {"section": "05:00-20:00"}),
        (["--section", "-90"], {"section": "-90"}),
        (["--exclude", r"/ad-\d"], {"exclude": r"/ad-\d"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_options_of_the_selection(
    fetch: Cli, engine: Engine, arguments: list[str], expected: dict[str, Any]
) -> None:
    """Each option reaches its field."""
    assert fetch(*arguments).exit_code == 0
    assert engine.options.selection == SelectionOptions(**expected)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], {}),
        (["--key", KEY.hex()], {"key": KEY}),
        (["--key", KEY.hex(), "--iv", "0x1"], {"key": KEY, "iv": IV}),
        (["--key-url", "http://k/"], {"key_url": "http://k/"}),
    ],
    ids=lambda value: " ".join(value[::2]) if isinstance(value, list) else "",
)
def test_options_of_the_key(
    fetch: Cli, engine: Engine, arguments: list[str], expected: dict[str, Any]
) -> None:
    """Each option reaches its field."""
    assert fetch(*arguments).exit_code == 0
    assert engine.options.keys == KeyOptions(**expected)


def test_a_key_may_be_in_a_file(fetch: Cli, engine: Engine, tmp_path: Path) -> None:
    """A file is not seen in the list of processes."""
    (tmp_path / "key.bin").write_bytes(KEY)
    (tmp_path / "iv.txt").write_text("01\n")

    assert fetch("--key", "key.bin", "--iv", "iv.txt").exit_code == 0
    assert engine.options.keys == KeyOptions(key=KEY, iv=IV)


def test_everything_can_be_set_elsewhere(
    fetch: Cli, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment and the configuration file know these options too."""
    path = tmp_path / "own.toml"
    path.write_text(
        f'[fetch]\nformat = "worst"\nsubtitles = "de"\nexclude = "x"\nkey = "{KEY.hex()}"\niv = 1\n'
    )
    monkeypatch.setenv("HLSPIPE_FETCH_FORMAT", "480p")
    monkeypatch.setenv("HLSPIPE_FETCH_SUBTITLES_FORMAT", "srt")
    monkeypatch.setenv("HLSPIPE_FETCH_JSON", "1")

    result = fetch("--config", path)

    assert json.loads(result.stdout)["status"] == "complete"
    assert engine.options.keys == KeyOptions(key=KEY, iv=IV)
    assert engine.options.selection == SelectionOptions(
        format="480p", subtitles="de", subtitles_format=SubtitlesFormat.SRT, exclude="x"
    )


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["-f", "8k<p"], 'The format rule "8k<p" is not understood'),
        (["--section", "5-3"], 'The section "5-3" is not understood'),
        (["--exclude", "(a"], "it is no regular expression: missing )"),
        (["--audio", ","], "languages joined by commas"),
        (["--subtitles-format", "ass"], "'ass' is not one of"),
        (["--key", KEY.hex(), "--key-url", "http://k/?hush"], "exclude each other"),
        (["--key", "hush"], "a key has 16 or 32 bytes"),
        (["--iv", "hush"], "an initialization vector has 16 bytes"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_what_cannot_be_meant_is_refused(
    fetch: Cli, engine: Engine, arguments: list[str], reason: str
) -> None:
    """Nonsense is a usage error, before anything is fetched."""
    result = fetch(*arguments)

    assert result.exit_code == 2
    assert reason in result.stderr
    assert "hush" not in result.stderr
    assert engine.calls == []


@pytest.mark.parametrize("option", ["--key", "--iv"])
@pytest.mark.parametrize("place", ["command line", "environment", "file"])
def test_a_key_with_a_slip_is_shown_nowhere(
    fetch: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str, place: str
) -> None:
    """Wherever it was written, a wrong key is no output."""
    slip = KEY.hex() + "0abcdef"
    path = tmp_path / "own.toml"
    path.write_text(f'[fetch]\n{option[2:]} = "{slip}"\n' if place == "file" else "")
    if place == "environment":
        monkeypatch.setenv(f"HLSPIPE_FETCH_{option[2:].upper()}", slip)
    result = fetch("-v", "--config", path, *([option, slip] if place == "command line" else []))

    assert result.exit_code == 2
    assert option in result.stderr
    assert KEY.hex() not in result.stdout + result.stderr


def test_keys_are_in_no_output(fetch: Cli, engine: Engine) -> None:
    """A run that fails with everything turned on says nothing of its key."""
    engine.outcome = ValueError("oh")
    result = fetch("-v", "--json", "--key", KEY.hex(), "--iv", "c0ffee")
    said = result.stdout + result.stderr + repr(engine.options)

    assert result.exit_code == 1
    assert KEY.hex() not in said
    assert "c0ffee" not in said


@pytest.mark.parametrize("source", ["video.m3u8", "/a b/video.m3u8", "-", "file:///v.m3u8"])
def test_what_is_fetched_need_not_be_on_the_web(cli: Cli, engine: Engine, source: str) -> None:
    """Files and standard input are the engine's to open."""
    assert cli("fetch", source).exit_code == 0
    assert engine.calls[0][0] == source


@pytest.mark.parametrize(
    ("arguments", "warned"),
    [
        ([], False),
        (["--audio", "none"], False),
        (["--audio", "de"], True),
        (["--subtitles", "all"], True),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_standard_output_has_room_for_one_stream(
    fetch: Cli, arguments: list[str], warned: bool
) -> None:
    """Who asks for renditions learns that there is no place for them."""
    result = fetch("-o", "-", *arguments)

    assert result.exit_code == 0
    assert ("renditions of audio and subtitles are left out" in result.stderr) == warned


@pytest.mark.parametrize("command", [["batch", "list.txt"], ["submit", "http://h/v.m3u8"]])
@pytest.mark.parametrize(
    "both", [["--force", "--skip-existing"], ["--key", KEY.hex(), "--key-url", "http://k/"]]
)
def test_other_commands_refuse_it_as_well(cli: Cli, command: list[str], both: list[str]) -> None:
    """Before a list is read, or a daemon is looked for."""
    result = cli(*command, *both)

    assert result.exit_code == 2
    assert "exclude each other" in result.stderr
