"""A story under way: its generator, and the wishes that it waits for."""

from collections.abc import Callable
from typing import Any

from pipeline.errors import HlspipeError
from pipeline.processes.wishes import Job, Wish


class Flow:
    """Runs one job: hands out its wishes, collects the answers, and has its result in the end."""

    def __init__(self, context: int, job: Job, when_done: "Callable[[Flow], None]") -> None:
        """Requests for the job are made in `context`; `when_done` hears of its end."""
        self.context = context
        self.when_done = when_done
        self.done = False
        self.result: Any = None
        self.error: HlspipeError | None = None
        self._job = job
        self._single = True
        self._answers: list[Any] = []
        self._missing = 0

    def start(self) -> list[Wish]:
        """The job's first wishes."""
        return self._step(lambda: next(self._job))

    def answer(self, wish: int, value: Any) -> list[Wish]:
        """Wish number `wish` is granted; returns the next wishes once all are."""
        self._answers[wish] = value
        self._missing -= 1
        if self._missing:
            return []
        answers = self._answers[0] if self._single else tuple(self._answers)
        return self._step(lambda: self._job.send(answers))

    def fail(self, error: HlspipeError) -> list[Wish]:
        """A wish cannot be granted: the job may catch that and wish on, or ends with it."""
        return self._step(lambda: self._job.throw(error))

    def _step(self, advance: Any) -> list[Wish]:
        try:
            wishes = advance()
        except StopIteration as end:
            self.done, self.result = True, end.value
            return []
        except HlspipeError as error:
            self.done, self.error = True, error
            return []
        self._single = not isinstance(wishes, tuple)
        found = list(wishes) if isinstance(wishes, tuple) else [wishes]
        self._answers = [None] * len(found)
        self._missing = len(found)
        return found
