"""What a batch looks like, in a log and on a terminal."""

import io

from pipeline.cli.batchbars import BatchBars, BatchLines
from pipeline.events import Progress, Warned
from pipeline.jobs.batch import Begun, Ended, Told
from pipeline.jobs.entries import Entry
from pipeline.jobs.receipt import Receipt, Status

MIB = 1 << 20
ONE, TWO = Entry(1, "http://h/1"), Entry(2, "http://h/2")
BAD = Entry(3, "", error="nonsense")
DONE = Receipt("http://h/1", "1.ts", Status.COMPLETE, 0, bytes=2 * MIB)


def progress(done: int) -> Progress:
    """So many of ten segments."""
    return Progress(done, 10, done * MIB, "memory", 0, 1.0)


class Screen(io.StringIO):
    """A terminal that keeps what is written to it."""

    encoding = "utf-8"

    def rows(self) -> list[str]:
        """What it shows: lines, erased and overwritten as they are told to be."""
        rows, row, rest = [""], 0, self.getvalue()
        while rest:
            if rest.startswith("\x1b[J"):
                rows, rest = [*rows[:row], ""], rest[3:]
            elif rest.startswith("\x1b[K"):
                rest = rest[3:]
            elif rest.startswith("\x1b["):
                number, rest = rest[2:].split("A", 1)
                row -= int(number)
            elif rest[0] == "\n":
                row, rest = row + 1, rest[1:]
                if row == len(rows):
                    rows.append("")
                rows[row] = ""
            elif rest[0] == "\r":
                rest = rest[1:]
                self.fresh = True
            else:
                end = min((at for sign in "\x1b\n\r" if (at := rest.find(sign)) > 0), default=None)
                text, rest = rest[:end], rest[end:] if end else ""
                rows[row] = text
        return [line for line in rows if line]


def test_lines() -> None:
    """One for each download that ends, and for what is said with -v."""
    lines: list[str] = []
    shown = BatchLines(lines.append)
    for event in (
        Begun(ONE, "1.ts"),
        Told(ONE, progress(3)),
        Told(ONE, Warned("odd")),
        Ended(ONE, DONE, 1, 2),
        Ended(BAD, Receipt("").failed(2, "Line 3 is no download"), 2, 2),
    ):
        shown.show(event)

    assert lines == [
        "✓ [1/2] 1.ts (2MB)",
        "✗ [2/2] line 3: Line 3 is no download (exit 2)",
    ]


def test_verbose_lines() -> None:
    """What begins, and what downloads say, by their lines in the list."""
    lines: list[str] = []
    shown = BatchLines(lines.append, verbose=True)
    shown.show(Begun(TWO, "2\x1b.ts"))
    shown.show(Told(TWO, Warned("odd")))
    shown.show(Told(TWO, progress(3)))

    assert lines == ["Fetching 2\\u001b.ts", "line 2: ⚠ odd"]


def test_a_bar_for_each_and_one_for_all() -> None:
    """Those that are under way; a line stands above them when one has ended."""
    screen = Screen()
    bars = BatchBars(screen, width=lambda: 100)
    bars.show(Begun(ONE, "1.ts"))
    bars.show(Begun(TWO, "2.ts"))
    bars.show(Told(ONE, progress(5)))
    bars.tick()
    first = screen.rows()
    bars.show(Ended(ONE, DONE, 1, 2))
    bars.tick()
    second = screen.rows()
    bars.close()

    assert [row.split()[0] for row in first] == ["1.ts", "2.ts"]
    assert "50.0% [5.0 MB]" in first[0]
    assert second[0] == "✓ [1/2] 1.ts (2MB)"
    assert [row.split()[0] for row in second[1:]] == ["2.ts", "all"]
    assert "1/2 [2.0 MB]" in second[2]
    assert screen.rows() == ["✓ [1/2] 1.ts (2MB)"]


def test_bars_are_no_wider_than_the_terminal() -> None:
    """A line that is broken in two could not be wiped."""
    screen = Screen()
    bars = BatchBars(screen, width=lambda: 40)
    bars.show(Begun(ONE, "x" * 200))
    bars.show(Told(ONE, progress(5)))
    bars.tick()

    assert all(len(row) < 40 for row in screen.rows())
