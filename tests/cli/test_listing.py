import json
from pathlib import Path

import pytest

from pipeline.cli.listing import bit_rate, format_lines
from pipeline.errors import NetworkError
from pipeline.hls.formats import list_formats
from tests.cli.conftest import Cli, Engine
from tests.cli.playlists import SEGMENTS, VARIANTS, multivariant, text

TABLES = """\
Variants:
id  resolution     fps   bandwidth  codecs       audio
 0     416x234  23.976  640 kbit/s               aac
 1    1280x720          2.1 Mbit/s  avc1.64001f  aac

I-frame variants:
resolution   bandwidth
  1280x720  186 kbit/s

Renditions:
type             group  language  name     default  segments
audio            aac    en        English  yes      its own
audio            aac    de        Deutsch           its own
closed-captions  cc               CC1               the variant's
"""
ESCAPES = '#EXT-X-STREAM-INF:BANDWIDTH=1,NAME="\x1b]0;owned\x07\x1b[2J\u202e"'


@pytest.fixture
def playlist(tmp_path: Path) -> Path:
    """A multivariant playlist in a file."""
    path = tmp_path / "show.m3u8"
    path.write_text(text(*VARIANTS))
    return path


def test_formats_are_listed_in_tables(cli: Cli, engine: Engine, playlist: Path) -> None:
    """-F says on standard output what -f, --audio and --subtitles can take."""
    result = cli("fetch", playlist, "-F")

    assert result.exit_code == 0
    assert result.stdout == TABLES
    assert result.stderr == ""
    assert engine.calls == []


def test_formats_are_listed_as_json(cli: Cli, engine: Engine, playlist: Path) -> None:
    """With --json each row is an object, with all that is known."""
    rows = json.loads(cli("fetch", playlist, "--list-formats", "--json").stdout)

    assert [row["kind"] for row in rows] == [
        *("variant", "variant", "iframes", "audio", "audio", "closed-captions")
    ]
    assert [row["id"] for row in rows] == [0, 1, None, None, None, None]
    assert rows[0]["url"] == playlist.with_name("low.m3u8").as_uri()
    assert engine.calls == []


@pytest.mark.parametrize(
    ("arguments", "stdout", "said"),
    [([], "", "nothing to choose from"), (["--json"], "[]\n", "")],
    ids=["for people", "as JSON"],
)
def test_a_media_playlist_offers_nothing(
    cli: Cli, playlist: Path, arguments: list[str], stdout: str, said: str
) -> None:
    """That there is one stream only is an answer and no error."""
    playlist.write_text(text(*SEGMENTS))
    result = cli("fetch", playlist, "-F", *arguments)

    assert result.exit_code == 0
    assert result.stdout == stdout
    assert said in result.stderr


def test_what_is_listed_is_not_written_anywhere(cli: Cli, playlist: Path) -> None:
    """Options about an output are no contradiction: there is none."""
    assert cli("fetch", playlist, "-F", "--json", "-o", "-").exit_code == 0


def test_a_playlist_that_cannot_be_read_is_an_error(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exit code is that of the cause."""

    def fail(*_: object) -> None:
        raise NetworkError("The server cannot be reached")

    monkeypatch.setattr("pipeline.jobs.inspection.read_playlist", fail)
    result = cli("fetch", "http://h/", "-F")

    assert result.exit_code == 3
    assert result.stdout == ""
    assert result.stderr == "hlspipe: The server cannot be reached\n"


def test_server_text_is_escaped() -> None:
    """A name cannot set the title of the terminal."""
    shown = "\n".join(format_lines(list_formats(multivariant(ESCAPES, "a.m3u8"))))

    assert "\\u001b]0;owned\\u0007\\u001b[2J\\u202e" in shown
    assert shown.replace("\n", "").isprintable()


@pytest.mark.parametrize("width", [40, 80])
def test_tables_fit_the_terminal(width: int) -> None:
    """A terminal of the usual width breaks no line, whatever things are called."""
    long = f'#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS="{"avc1.64001f," * 9}",NAME="{"x" * 99}"'
    lines = format_lines(list_formats(multivariant(*VARIANTS, long, "a.m3u8")), width)

    assert max(map(len, lines)) <= width


@pytest.mark.parametrize(
    ("bits", "shown"),
    [(None, ""), (0, "0 kbit/s"), (64_000, "64 kbit/s"), (2_149_280, "2.1 Mbit/s")],
)
def test_a_bit_rate_is_readable(bits: int | None, shown: str) -> None:
    """Audio in kilobits, video in megabits."""
    assert bit_rate(bits) == shown
