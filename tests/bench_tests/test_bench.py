"""`scripts/bench` itself: it measures, and believes no output that it has not checked."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.bench.__main__ import main
from tests.bench.network import Line, parse_line
from tests.bench.report import write_into
from tests.bench.tools import parse_tool

pytestmark = pytest.mark.processes


def test_tools_are_measured_and_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The right bytes have figures; others are called wrong, and so is the whole."""
    wrong = "wrong=sh -c 'echo nonsense >{out}; echo {url} >/dev/null'"
    document = tmp_path / "benchmarks.md"
    document.write_text("before\n<!-- measured: begin -->\nold\n<!-- measured: end -->\nafter\n")
    place = ["--out", str(tmp_path), "--fixtures", str(tmp_path), "--write", str(document)]

    code = main(
        ["--work", "10m", "--rounds", "1", "--only", "hlspipe", "wrong", "--tool", wrong, *place]
    )

    text = document.read_text()
    assert code == 1
    assert "| wrong | wrong sha256 |" in text
    assert "| hlspipe | " in text
    assert "old" not in text
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "25 x 400 KB, AES-128" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["name", "name=command", "name=command {url}"])
def test_what_is_no_tool(text: str) -> None:
    """A tool has a name, and takes a URL to a file."""
    with pytest.raises(ValueError, match="tool"):
        parse_tool(text)


def test_document_without_marks_is_left_whole(tmp_path: Path) -> None:
    """The tables go to its end."""
    path = tmp_path / "a.md"
    path.write_text("text\n")
    write_into(path, "table")

    assert path.read_text().startswith("text\n")
    assert "table" in path.read_text()


@pytest.mark.parametrize(
    ("text", "line", "title"),
    [
        ("40", Line(40, 1000, 0), "40 ms, 1000 Mbit/s"),
        ("150,20", Line(150, 20, 0), "150 ms, 20 Mbit/s"),
        ("40,1000,0.1", Line(40, 1000, 0.1), "40 ms, 1000 Mbit/s, 0.1 % loss"),
    ],
)
def test_a_line(text: str, line: Line, title: str) -> None:
    """Round trip, rate, loss; the last two may be left out."""
    assert parse_line(text) == line
    assert line.title == title


@pytest.mark.parametrize("text", ["", "fast", "-1", "40,0", "40,100,100"])
def test_what_is_no_line(text: str) -> None:
    """A rate of nothing, or nothing that arrives."""
    with pytest.raises(ValueError, match=r"line|float"):
        parse_line(text)


@pytest.mark.skipif(
    os.geteuid() != 0
    or not all(map(shutil.which, ("cc", "ip")))
    or not os.access("/dev/net/tun", os.W_OK),
    reason="a network of its own takes root, TUN and a compiler",
)
def test_over_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The server is at its other end, every answer takes its time, and nothing of it stays."""
    before = Path("/proc/self/ns/net").readlink()
    place = ["--out", str(tmp_path), "--fixtures", str(tmp_path), "--line", "300,1000"]

    code = main(["--work", "10m", "--rounds", "1", "--only", "hlspipe", *place])

    shown = capsys.readouterr().out
    assert code == 0
    assert "25 x 400 KB, AES-128, over 300 ms, 1000 Mbit/s" in shown
    seconds = float(shown.partition("| hlspipe | ")[2].split()[0])
    assert seconds > 5 * 0.3  # connection, playlist, key, segments, segments
    assert Path("/proc/self/ns/net").readlink() == before
    names = subprocess.run(["ip", "netns"], capture_output=True, text=True, check=True).stdout
    assert f"-{os.getpid()}" not in names
