"""The supervisor's side of a remux: the process is started, waited for, and ended for good."""

import selectors
import time
from collections.abc import Callable
from pathlib import Path

from pipeline.errors import HlspipeError, RemuxFailed
from pipeline.media.tracks import RemuxPlan
from pipeline.processes import messages
from pipeline.processes.children import Child
from pipeline.processes.launch import fill_standard_descriptors
from pipeline.processes.signals import SignalWatch

#: Without progress for so long, FFmpeg hangs.
SILENCE_SECONDS = 60.0

_TICK_SECONDS = 0.5


class RemuxChild(Child):
    """The remuxer process. It looks after the output's files if the supervisor is gone."""

    role = "remuxer"

    def start(self, output: Path, *, keep: bool, ready: bool) -> None:
        """Start it; `keep` leaves everything to a later run, `ready` has it import PyAV at once."""
        fill_standard_descriptors()
        setup = {"output": str(output.absolute()), "keep": keep, "ready": ready}
        self._launch(setup, [], time.monotonic())

    def begin(self, plan: RemuxPlan, tool: str) -> None:
        """Have `plan` carried out by `tool`: "pyav", or the path of an ffmpeg."""
        self.tell(_order(plan, tool))
        self.last_heard = time.monotonic()

    def poll(self, progress: Callable[[int, int], None]) -> messages.RemuxDone | None:
        """What it has said by now; None if it is not done. Raises RemuxFailed, StorageError."""
        if (done := self._hear(progress)) is not None:
            return done
        if time.monotonic() - self.last_heard > SILENCE_SECONDS:
            raise RemuxFailed(f"No progress for {SILENCE_SECONDS:.0f} s: given up")
        return None

    def wait(self, signals: SignalWatch) -> None:
        """Until it has something to say, a signal comes, or half a second is over."""
        assert self.reports is not None  # noqa: S101  (it was started)
        with selectors.DefaultSelector() as selector:
            selector.register(signals, selectors.EVENT_READ)
            selector.register(self.reports, selectors.EVENT_READ)
            selector.select(_TICK_SECONDS)
        signals.clear()

    def _hear(self, progress: Callable[[int, int], None]) -> messages.RemuxDone | None:
        assert self.reports is not None  # noqa: S101  (it was started)
        try:
            for message in self.reports.receive():
                self.last_heard = time.monotonic()
                match message:
                    case messages.RemuxProgressed(done, total):
                        progress(done, total)
                    case messages.RemuxDone():
                        return message
                    case messages.Crashed():
                        self.crashed(message)
                        raise self._why()
        except ValueError as error:
            raise RemuxFailed(f"The remuxer sent what is no message: {error}") from error
        if self.reports.closed:
            raise self._why()
        return None

    def _why(self) -> HlspipeError:
        if self.failure is not None:
            return self.failure
        self.end()
        said = self.crash.partition("\n")[0] if self.crash else self.ended or "it ended"
        return RemuxFailed(f"The remuxer process died: {said}")


def _order(plan: RemuxPlan, tool: str) -> messages.Remux:
    sources = [
        [
            str(one.path.absolute()), one.kind, one.language, one.name, one.default,
            list(one.breaks),
        ]
        for one in plan.sources
    ]  # fmt: skip
    chapters = [[each.start, each.end, each.title] for each in plan.chapters]
    output = str(plan.output.absolute())
    return messages.Remux(sources, output, plan.container, chapters, plan.may_consume, tool)
