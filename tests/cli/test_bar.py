import io
import re
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.cli.bar import BAR, Bar, Speed, facts, fitting, seconds_left
from pipeline.events import (
    OutputPublished,
    Progress,
    RemuxProgress,
    Resumed,
    SwitchedToDisk,
    TransferStarted,
    Warned,
)

MIB = 1 << 20
IN_MEMORY = Progress(45, 200, 12 * MIB, "memory", 0, 3.0)
ON_DISK = Progress(145, 200, 72 * MIB, "disk", 3 * MIB, 9.0)
LONG = Progress(99_999, 200_000, 999_999 * MIB, "disk", 99_999 * MIB, 99_999.0)
_CONTROLS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]|\r")


class Screen(io.StringIO):
    """A terminal that keeps what is written to it."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        """It is one."""
        return True

    def drawn(self) -> list[str]:
        """What was drawn, without controls, from one wipe to the next."""
        return [_CONTROLS.sub("", drawn) for drawn in self.getvalue().split("\r\x1b[J")[1:]]


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    """A colour terminal of 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return Screen()


def bar_on(screen: Screen, *, verbose: bool = False) -> Bar:
    """A bar whose clock goes one second for each tick."""
    return Bar(screen, verbose=verbose, now=count().__next__)


def test_the_line_says_where_the_run_stands(screen: Screen) -> None:
    """Segments, percent, bytes, speed, time left and storage are on the line."""
    bar = bar_on(screen)
    bar.show(TransferStarted("video.ts", 200, 800.0, 2, 8))
    for done in (35, 45):
        bar.show(IN_MEMORY._replace(segments_done=done, stored_bytes=done * MIB))
        bar.tick()

    assert screen.drawn()[-1].split("  ")[1:] == [
        " 45/200",
        " 22.5%",
        "45.0 MB",
        "10.0 MB/s",
        "ETA 0:14",
        "memory",
    ]


def test_the_line_moves_while_the_container_is_written(screen: Screen) -> None:
    """Percent and bytes, in place of the download's figures; no line is left for each step."""
    bar = bar_on(screen)
    bar.show(IN_MEMORY)
    bar.tick()
    for done in (3, 9):
        bar.show(RemuxProgress("video.mp4", done * MIB, 12 * MIB, 0.5))
        bar.tick()

    assert [drawn.split("  ")[1:] for drawn in screen.drawn()[1:]] == [
        [" 25.0%", "writing", "3.0 MB of 12.0 MB"],
        [" 75.0%", "writing", "9.0 MB of 12.0 MB"],
    ]
    assert "\n" not in screen.getvalue()


def test_on_disk_the_line_says_how_much(screen: Screen) -> None:
    """After the switch, temp use is shown where there is room."""
    bar = bar_on(screen)
    bar.show(ON_DISK)
    bar.tick()

    assert screen.drawn()[-1].endswith("disk  3.0 MB temp")


@pytest.mark.parametrize("progress", [IN_MEMORY, ON_DISK, LONG], ids=["memory", "disk", "long"])
@pytest.mark.parametrize("columns", [20, 40, 80, 200])
def test_the_line_never_breaks(
    screen: Screen, monkeypatch: pytest.MonkeyPatch, progress: Progress, columns: int
) -> None:
    """On any terminal the line leaves the last column free."""
    monkeypatch.setenv("COLUMNS", str(columns))
    bar = bar_on(screen)
    bar.show(progress)
    bar.tick()

    assert len(screen.drawn()[-1]) < columns


@given(st.integers(0, 200))
def test_what_matters_least_goes_first(width: int) -> None:
    """What is left in the line always matters more than what is not."""
    line = facts(ON_DISK, 1.0, 10.0)
    kept = fitting(line, width)

    ranks = {fact.rank for fact in kept}
    assert ranks == set(range(len(ranks)))
    assert kept == [fact for fact in line if fact in kept]
    assert len(kept) == len(line) or len("  ".join(f.text for f in kept)) <= width


def test_a_message_takes_the_place_of_the_bar(screen: Screen) -> None:
    """Lines stand above the bar: it is wiped, and drawn anew below them."""
    bar = bar_on(screen)
    bar.show(IN_MEMORY)
    bar.tick()
    bar.show(SwitchedToDisk(50 * MIB, 50 * MIB))
    bar.tick()
    bar.close()

    first, message, second, last = screen.drawn()
    assert message == "⚠ Download size exceeded 50MB, switching to disk storage\n"
    assert "45/200" in first
    assert "45/200" in second
    assert last == ""


def test_the_end_is_a_line_with_size_and_speed(screen: Screen) -> None:
    """What stays of the bar is what became of it."""
    bar = bar_on(screen)
    bar.show(ON_DISK)
    bar.show(OutputPublished("video.ts", 90 * MIB))

    assert screen.drawn() == ["✓ video.ts: 90.0 MB in 0:09 (10.0 MB/s)\n"]


@pytest.mark.parametrize(("there", "speed"), [("video.ts", "2.0"), ("video.de.m4a", "10.0")])
def test_what_was_there_already_did_not_come_now(screen: Screen, there: str, speed: str) -> None:
    """The speed is that of what was fetched in that time, of the output that the line is about."""
    bar = bar_on(screen)
    bar.show(Resumed(there, 30, 72 * MIB))
    bar.show(ON_DISK)
    bar.show(OutputPublished("video.ts", 90 * MIB))

    assert screen.drawn()[1:] == [f"✓ video.ts: 90.0 MB in 0:09 ({speed} MB/s)\n"]


def test_what_was_there_before_a_remux(screen: Screen) -> None:
    """Its parts had other names."""
    bar = bar_on(screen)
    bar.show(Resumed("video.ts", 30, 72 * MIB))
    bar.show(ON_DISK)
    bar.show(RemuxProgress("video.mp4", 1, 2, 9.0))
    bar.show(OutputPublished("video.mp4", 90 * MIB))

    assert screen.drawn()[1:] == ["✓ video.mp4: 90.0 MB in 0:18 (1.0 MB/s)\n"]


def test_further_outputs_have_a_line_with_their_size(screen: Screen) -> None:
    """The time was that of all outputs together: it is told once."""
    bar = bar_on(screen)
    bar.show(ON_DISK)
    bar.show(OutputPublished("video.ts", 90 * MIB))
    bar.show(OutputPublished("video.de.vtt", 39))

    assert screen.drawn()[1:] == ["✓ video.de.vtt: 39 bytes\n"]


def test_before_the_first_count_nothing_is_drawn(screen: Screen) -> None:
    """A bar needs something to show."""
    bar = bar_on(screen)
    bar.tick()
    bar.show(OutputPublished("video.ts", 0))

    assert screen.getvalue() == ""


def test_a_message_cannot_move_the_cursor(screen: Screen) -> None:
    """Control characters in a message are shown, not obeyed."""
    bar_on(screen).show(Warned("a\x1b[2Jb"))

    assert "a\\u001b[2Jb" in screen.getvalue()


def test_an_old_terminal_gets_ascii(screen: Screen) -> None:
    """Without Unicode the bar is made of what there is."""
    screen.encoding = "ascii"  # type: ignore[misc]
    bar = bar_on(screen)
    bar.show(ON_DISK)
    bar.tick()
    bar.show(Warned("careful…"))

    assert screen.getvalue().isascii()
    assert "####" in screen.getvalue()
    assert "[!] careful..." in screen.getvalue()


def test_no_color_is_respected(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    """With NO_COLOR set, the bar has no colours."""
    bar = bar_on(screen)
    bar.show(ON_DISK)
    bar.tick()

    assert "\x1b[32m" in screen.getvalue()

    monkeypatch.setenv("NO_COLOR", "1")
    plain = Screen()
    bar = bar_on(plain)
    bar.show(ON_DISK)
    bar.tick()

    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", plain.getvalue())


def test_speed_is_that_of_the_last_seconds() -> None:
    """What happened long ago does not count, and a standstill shows."""
    speed = Speed()

    assert speed.rate == 0

    for second in range(21):
        speed.add(float(second), second * 100)

    assert speed.rate == 100

    for second in range(21, 30):
        speed.add(float(second), 2000)

    assert speed.rate == 0


@pytest.mark.parametrize(
    ("progress", "rate", "seconds"),
    [
        (IN_MEMORY._replace(segments_done=0), 100.0, None),
        (IN_MEMORY, 0.0, None),
        (Progress(50, 100, 50, "memory", 0, 5.0), 10.0, 5.0),
        (Progress(100, 100, 100, "memory", 0, 5.0), 10.0, 0.0),
    ],
    ids=["before the first segment", "at a standstill", "half way", "at the end"],
)
def test_the_time_left_is_known_or_not_shown(
    progress: Progress, rate: float, seconds: float | None
) -> None:
    """A guess without grounds is not shown."""
    assert seconds_left(progress, 0, rate) == seconds


def test_segments_in_flight_count_as_half() -> None:
    """Bytes that have arrived of unfinished segments do not make the rest look larger."""
    progress = Progress(10, 100, 14 * MIB, "memory", 0, 5.0)  # 8 in flight, half arrived

    assert seconds_left(progress, 8, float(MIB)) == pytest.approx(86)


def test_the_bar_is_a_fact_of_the_line() -> None:
    """The bar goes when there is no room for it, and not before the temp use."""
    line = facts(ON_DISK, 1.0, 10.0)

    assert BAR in line
    assert BAR not in fitting(line, 40)
    assert BAR in fitting(line, 60)
