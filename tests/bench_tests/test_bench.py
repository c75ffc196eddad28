"""`scripts/bench` itself: it measures, and believes no output that it has not checked."""

from pathlib import Path

import pytest

from tests.bench.__main__ import main
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
