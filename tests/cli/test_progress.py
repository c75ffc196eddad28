import threading
from collections.abc import Callable
from contextlib import suppress

import pytest

from pipeline.cli.bar import Bar
from pipeline.cli.jsonlines import JsonLines
from pipeline.cli.plain import Plain
from pipeline.cli.progress import Reporter, Style, choose, display
from pipeline.cli.terminal import Terminal
from pipeline.errors import Interrupted, NetworkError
from pipeline.events import Event, Progress, TempFilesRemoved, Warned

ANSI = Terminal(interactive=True, movable=True)
DUMB = Terminal(interactive=True, movable=False)
PIPE = Terminal()


class Log:
    """A display that remembers; its `gate` can be shut."""

    interval = None

    def __init__(self) -> None:
        self.shown: list[Event] = []
        self.closed = False
        self.gate = threading.Event()
        self.gate.set()

    def show(self, event: Event) -> None:
        """Remember `event`, once the gate is open."""
        self.gate.wait()
        self.shown.append(event)

    def tick(self) -> None:
        """Nothing."""

    def close(self) -> None:
        """Remember that too."""
        self.closed = True


class Ticking(Log):
    """A display that moves by itself."""

    interval = 0.001

    def __init__(self) -> None:
        super().__init__()
        self.ticked = threading.Event()

    def tick(self) -> None:
        """Remember it."""
        self.ticked.set()


def progress(done: int) -> Progress:
    """A count."""
    return Progress(done, 10, done, "memory", 0, float(done))


@pytest.mark.parametrize(
    ("asked", "terminal", "chosen"),
    [
        (Style.AUTO, ANSI, Style.BAR),
        (Style.AUTO, DUMB, Style.PLAIN),
        (Style.AUTO, PIPE, Style.PLAIN),
        (Style.BAR, ANSI, Style.BAR),
        (Style.BAR, PIPE, Style.PLAIN),
        (Style.PLAIN, ANSI, Style.PLAIN),
        (Style.JSON, ANSI, Style.JSON),
        (Style.NONE, ANSI, Style.NONE),
    ],
)
def test_a_bar_is_drawn_where_one_can_be(asked: Style, terminal: Terminal, chosen: Style) -> None:
    """What was asked for is given, and lines take the place of a bar that cannot be."""
    assert choose(asked, terminal) is chosen
    assert choose(asked, terminal, quiet=True) is Style.NONE


@pytest.mark.parametrize(
    ("style", "kind"),
    [
        (Style.PLAIN, Plain),
        (Style.JSON, JsonLines),
        (Style.BAR, Bar),
        (Style.NONE, type(None)),
    ],
)
def test_each_style_has_its_display(style: Style, kind: type) -> None:
    """A style leads to the class that shows it."""
    assert isinstance(display(style), kind)


def test_everything_is_shown_before_the_run_is_over() -> None:
    """Leaving the reporter waits for what has been told."""
    log = Log()
    with Reporter(lambda: log) as reporter:
        for number in range(100):
            reporter(Warned(str(number)))

    assert log.shown == [Warned(str(number)) for number in range(100)]
    assert log.closed


def test_counts_do_not_pile_up() -> None:
    """While the display is busy, only the newest of a row of counts waits."""
    log = Log()
    log.gate.clear()
    with Reporter(lambda: log) as reporter:
        reporter(Warned("first"))
        for done in range(1000):
            reporter(progress(done))
        reporter(Warned("last"))
        log.gate.set()

    assert log.shown[0] == Warned("first")
    assert log.shown[-2:] == [progress(999), Warned("last")]
    assert len(log.shown) <= 4


def test_a_display_that_hangs_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal that stops reading costs the end of a run a moment, and a run nothing."""
    monkeypatch.setattr("pipeline.cli.progress._PATIENCE", 0.01)
    log = Log()
    log.gate.clear()
    with Reporter(lambda: log) as reporter:
        for number in range(5000):
            reporter(Warned(str(number)))

    assert log.shown == []

    log.gate.set()


@pytest.mark.parametrize("error", [BrokenPipeError, OSError])
def test_a_display_that_fails_is_given_up(error: type[OSError]) -> None:
    """When stderr goes away, the run goes on in silence."""

    tried: list[Event] = []

    class Broken(Log):
        def show(self, event: Event) -> None:
            tried.append(event)
            raise error

    with Reporter(Broken) as reporter:
        for number in range(100):
            reporter(Warned(str(number)))

    assert len(tried) == 1


def test_without_a_display_nothing_happens(capfd: pytest.CaptureFixture[str]) -> None:
    """Quiet is a display like any other."""
    with Reporter(lambda: None) as reporter:
        reporter(Warned("unheard"))

    assert capfd.readouterr() == ("", "")


def test_a_display_with_a_pace_is_ticked() -> None:
    """A bar moves without being told anything."""
    ticking = Ticking()
    with Reporter(lambda: ticking) as reporter:
        reporter(Warned("the first event"))
        assert ticking.ticked.wait(30)


def ended_by(error: BaseException | None) -> Log:
    """The log of a run that warned, cleaned up, and ended with `error`."""
    log = Log()

    def run(report: Callable[[Event], None]) -> None:
        report(TempFilesRemoved("/tmp/x"))
        report(Warned("and then"))
        if error is not None:
            raise error

    with suppress(NetworkError, Interrupted), Reporter(lambda: log) as reporter:
        run(reporter)
    return log


@pytest.mark.parametrize("error", [None, NetworkError("gone")], ids=["success", "failure"])
def test_that_things_were_cleaned_up_is_told_last(error: BaseException | None) -> None:
    """It is true at the end only, and reads best there."""
    assert ended_by(error).shown == [Warned("and then"), TempFilesRemoved("/tmp/x")]


def test_after_a_signal_nothing_is_told_any_more() -> None:
    """What follows a Ctrl-C is one line, and that is not the display's."""
    log = ended_by(Interrupted(2))

    assert TempFilesRemoved("/tmp/x") not in log.shown
    assert log.closed
