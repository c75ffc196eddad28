"""Others who clean up the temp directory in the middle of a run: files that vanish or are cut.

A run then ends with an error that names the file, or with the right bytes; never with a signal (a
map that has lost its file), and never with zeros or a hole in the output.
"""

import contextlib
import os
import random
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import pytest

from tests.e2e.bench import KB, Bench, message
from tests.support.behaviours import Held, Late
from tests.support.invariants import check_i4_rerun_succeeds
from tests.support.streams import Aes

pytestmark = pytest.mark.processes

EARLY = ("--memory-threshold", "200KB")
WAYS = {
    "stream": EARLY,
    "end": (*EARLY, "--merge", "end"),
    "end, with a checksum": (*EARLY, "--merge", "end", "--checksum", "sha256"),
    "continue": (*EARLY, "-c"),
}


@pytest.fixture
def served(bench: Bench) -> Bench:
    """5 MB in 50 segments."""
    bench.serve([100 * KB] * 50, aes=Aes())
    return bench


class Cleaner:
    """Removes or cuts segment files, now one and then another, for as long as it is entered."""

    def __init__(self, bench: Bench, seed: int) -> None:
        self._bench = bench
        self._chance = random.Random(seed)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._clean, name="cleaner", daemon=True)
        self.acts = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _clean(self) -> None:
        while not self._done.wait(self._chance.uniform(0.001, 0.02)):
            with contextlib.suppress(OSError):
                self._act(self._chance.choice(self._bench.spilled() or [Path("/nowhere")]))

    def _act(self, path: Path) -> None:
        if self._chance.random() < 0.5:
            path.unlink()
        else:
            os.truncate(path, self._chance.randrange(100 * KB))
        self.acts += 1


def check_a_cleaned_run(served: Bench, way: tuple[str, ...], seed: int) -> None:
    """One run that a cleaner comes between, and one that none does."""
    served.origin.behave("/segment00000.ts", Late(0.3))
    with Cleaner(served, seed) as cleaner:
        run = served.fetch(*way)
    if run.exit_code == 0:
        served.check_right(run)
    else:
        assert cleaner.acts, run.stderr
        assert "m3u8-segments-" in message(run)
        if "-c" not in way:
            served.check_failed(run, 7)
    assert run.exit_code in {0, 7}, run.stderr
    arguments = served.arguments(*way, "--force")
    check_i4_rerun_succeeds(served.workspace, arguments, served.output, served.stream.sha256)
    served.check_nothing_left()


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_cleaner(way: tuple[str, ...], served: Bench) -> None:
    """Right bytes, or an error that names the file; and the next run succeeds."""
    check_a_cleaned_run(served, way, seed=1)


@pytest.mark.stress
@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_many_cleaners(way: tuple[str, ...], seed: int, served: Bench) -> None:
    """The same at any moment."""
    check_a_cleaned_run(served, way, seed)


@pytest.fixture
def gate(served: Bench) -> Iterator[threading.Event]:
    """The first segment is held back until this is set: all others are out of turn."""
    gate = threading.Event()
    served.origin.behave("/segment00000.ts", Held(gate))
    yield gate
    gate.set()


def cut(paths: list[Path]) -> None:
    """Take the last byte of each."""
    for path in paths:
        os.truncate(path, path.stat().st_size - 1)


def remove(paths: list[Path]) -> None:
    """Take the files, and leave the directory."""
    for path in paths:
        path.unlink()


def remove_all(paths: list[Path]) -> None:
    """Take the directory and all that is in it."""
    shutil.rmtree(paths[0].parent)


@pytest.mark.parametrize("checksum", [(), ("--checksum", "sha256")], ids=["map", "buffer"])
@pytest.mark.parametrize("clean", [cut, remove, remove_all])
def test_files_that_are_gone_when_their_turn_comes(
    clean: Callable[[list[Path]], None],
    checksum: tuple[str, ...],
    served: Bench,
    gate: threading.Event,
) -> None:
    """The file is named, whether its bytes were to be mapped or to be read."""
    with served.start(*EARLY, "--merge", "end", *checksum) as running:
        running.wait_until(lambda: len(served.spilled()) == 49, "all other segment files")
        path = served.spilled()[0]
        clean(served.spilled())
        gate.set()
        run = running.wait()

    served.check_failed(run, 7)
    assert str(path.parent) in message(run)


def test_a_lock_that_is_gone(served: Bench, gate: threading.Event) -> None:
    """A directory that has lost its lock file is still that of a living run."""
    with served.start(*EARLY, "--merge", "end") as running:
        running.wait_until(lambda: len(served.spilled()) == 49, "all other segment files")
        (served.spilled()[0].parent / ".lock").unlink()
        served.workspace.run("clean")
        gate.set()
        run = running.wait()

    served.check_right(run)
