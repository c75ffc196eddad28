"""What a downloader has in hand: tasks in order, and how many may be under way at a time."""

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

Task = TypeVar("Task")


class Work(Generic[Task]):
    """Hands tasks to threads. `take` and `done` belong together."""

    def __init__(self, limit: int) -> None:
        """At most `limit` tasks are under way at a time."""
        self._limit = limit
        self._under_way = 0
        self._tasks: deque[Task] = deque()
        self._changed = threading.Condition()

    def put(self, task: Task) -> None:
        """One task more."""
        with self._changed:
            self._tasks.append(task)
            if self._under_way < self._limit:
                self._changed.notify()

    def take(self) -> Task:
        """The next task; waits for one, and for leave to begin it."""
        with self._changed:
            while not self._tasks or self._under_way >= self._limit:
                self._changed.wait()
            self._under_way += 1
            return self._tasks.popleft()

    def take_ahead(self, fits: Callable[[Task], bool]) -> Task | None:
        """The next task, if there is one and it `fits`: for a thread that is about to be done.

        It is begun in the place of the task that the thread has: `done` is called once for both.
        """
        with self._changed:
            fit = bool(self._tasks) and self._under_way <= self._limit and fits(self._tasks[0])
            return self._tasks.popleft() if fit else None

    @property
    def wanted_threads(self) -> int:
        """How many threads have something to do, or are at it."""
        with self._changed:
            return max(self._under_way, min(self._limit, self._under_way + len(self._tasks)))

    def done(self) -> None:
        """A task that was taken has ended."""
        with self._changed:
            self._under_way -= 1
            if self._tasks and self._under_way < self._limit:
                self._changed.notify()

    def recall(self) -> list[Task]:
        """Take back the tasks that nobody has begun."""
        with self._changed:
            tasks = list(self._tasks)
            self._tasks.clear()
            return tasks

    def set_limit(self, limit: int) -> None:
        """Allow so many from now on; those that are under way are not disturbed."""
        with self._changed:
            self._limit = limit
            self._changed.notify_all()
