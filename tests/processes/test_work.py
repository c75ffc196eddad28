"""Tasks in the hands of threads."""

import threading

from pipeline.processes.work import Work


class Crowd:
    """Threads that take tasks, and let go of them when they are told to."""

    def __init__(self, work, threads):
        self.begun = []
        self.go_on = threading.Semaphore(0)
        self.changed = threading.Condition()
        for _ in range(threads):
            threading.Thread(target=self._serve, args=(work,), daemon=True).start()

    def _serve(self, work):
        while (task := work.take()) is not None:
            with self.changed:
                self.begun.append(task)
                self.changed.notify_all()
            self.go_on.acquire()
            work.done()

    def wait_for(self, count):
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.begun) >= count, 10)

    def stays_at(self, count):
        with self.changed:
            return not self.changed.wait_for(lambda: len(self.begun) > count, 0.05)


def test_tasks_go_out_in_order():
    """One after the other, whoever takes them."""
    work = Work(1)
    for task in range(5):
        work.put(task)
    taken = []
    for _ in range(5):
        taken.append(work.take())
        work.done()

    assert taken == [0, 1, 2, 3, 4]


def test_no_more_than_the_limit():
    """Threads that could do more wait for leave."""
    work = Work(2)
    crowd = Crowd(work, 5)
    for task in range(5):
        work.put(task)
    crowd.wait_for(2)

    assert crowd.stays_at(2)
    crowd.go_on.release()
    crowd.wait_for(3)
    assert crowd.stays_at(3)


def test_limit_is_raised_and_lowered():
    """At once where there is work, and with the next one that ends."""
    work = Work(1)
    crowd = Crowd(work, 5)
    for task in range(9):
        work.put(task)
    crowd.wait_for(1)
    work.set_limit(4)
    crowd.wait_for(4)
    work.set_limit(2)
    crowd.go_on.release()
    crowd.go_on.release()

    assert crowd.stays_at(4)
    crowd.go_on.release()
    crowd.wait_for(5)


def test_threads_that_are_wanted():
    """One for each task that may begin, and those that are at one; none for what has to wait."""
    work = Work(2)
    assert work.wanted_threads == 0
    work.put("a")
    assert work.wanted_threads == 1
    work.take()
    assert work.wanted_threads == 1
    work.put("b")
    work.put("c")
    assert work.wanted_threads == 2
    work.set_limit(3)
    assert work.wanted_threads == 3
    work.set_limit(0)
    assert work.wanted_threads == 1
    work.done()
    assert work.wanted_threads == 0


def test_no_work_is_lost_below_a_limit_of_nothing():
    """What is put while nothing may begin is there afterwards."""
    work = Work(0)
    crowd = Crowd(work, 2)
    work.put("task")
    assert crowd.stays_at(0)
    work.set_limit(1)
    crowd.wait_for(1)

    assert crowd.begun == ["task"]


def test_a_thread_that_is_about_to_be_done_takes_the_next_one():
    """In its own place: `done` is called once for both, and nobody else gets it."""
    work = Work(1)
    for task in range(3):
        work.put(task)
    assert work.take() == 0

    assert work.take_ahead(lambda _: True) == 1
    work.done()
    assert work.take() == 2


def test_nothing_is_taken_ahead_that_does_not_fit():
    """It stays the next one for everybody."""
    work = Work(1)
    assert work.take_ahead(lambda _: True) is None
    work.put("elsewhere")
    work.put("here")

    assert work.take_ahead(lambda task: task == "here") is None
    assert work.take() == "elsewhere"


def test_nothing_is_taken_ahead_above_the_limit():
    """A server that wants less is not asked for more."""
    work = Work(2)
    for task in range(3):
        work.put(task)
    assert [work.take(), work.take()] == [0, 1]
    work.set_limit(1)

    assert work.take_ahead(lambda _: True) is None
