"""Whole downloads, in each of which one call to the system fails: the n-th, for n = 1, 2, 3...

The loop over n ends with the first run that does not meet the fault any more. Whatever fails, the
run ends with the right bytes or with exit 7 and a sentence, leaves nothing behind, and succeeds
when it is run again. `tests.store.test_faults` does the same to the store alone, call by call.
"""

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.bench import KB, Bench
from tests.support.behaviours import Right, Status
from tests.support.exchange import Exchange
from tests.support.faults import Fault, lift, met
from tests.support.invariants import (
    check_i1_output_whole,
    check_i2_exit_matches_bytes,
    check_i3_nothing_left,
    check_i4_rerun_succeeds,
    check_i5_requests_bounded,
)
from tests.support.leaks import TEMP_DIRECTORY
from tests.support.playlists import Entry, Variant, media_playlist, multivariant_playlist
from tests.support.runs import Run
from tests.support.tripwire import SHORT

pytestmark = pytest.mark.processes

SEGMENTS = 8

#: Leaves memory with the second segment.
EARLY = ("--memory-threshold", "100KB")
FEW = ("-N", "4", "--processes", "1", "--retries", "1", "--retry-sleep", "0.01")

#: A run makes fewer calls of any kind than that.
MOST = 100

KEPT = (".part", ".part.journal")


@dataclass(frozen=True)
class Mode:
    """A way of downloading, and the kinds of calls that storage makes in it."""

    arguments: tuple[str, ...]
    ops: tuple[str, ...]
    #: Bytes that an earlier run has left, to be taken up.
    resumed: int = 0

    @property
    def keeps(self) -> bool:
        """Whether a failed run leaves what it has."""
        return "-c" in self.arguments


ALWAYS = ("create", "write", "ftruncate", "close", "rename", "unlink", "flock")
ALWAYS += ("statvfs", "listdir", "mmap", "thread")
SPILLS = ("mkdir", "rmdir", "open")
RESERVES = ("fallocate",)  # where much is written at the end, and not as it comes
MODES = {
    "memory": Mode((), (*ALWAYS, *RESERVES, "memory")),
    "stream": Mode(EARLY, (*ALWAYS, *SPILLS, "memory")),
    "end": Mode((*EARLY, "--merge", "end"), (*ALWAYS, *RESERVES, *SPILLS, "memory")),
    "fsync": Mode(("--fsync", "--checksum", "sha256"), (*ALWAYS, *RESERVES, "fsync", "open")),
    "checksum": Mode((*EARLY, "--checksum", "sha256"), (*ALWAYS, *SPILLS, "read")),
    "continue": Mode(("-c", *EARLY), (*ALWAYS, *SPILLS)),
    "taken up": Mode(("-c", *EARLY), (*ALWAYS, "read"), resumed=3 * 64 * KB),
    "keep": Mode(("--keep-segments",), (*ALWAYS, *RESERVES, "mkdir", "open")),
    "renditions": Mode((*EARLY, "--audio", "all"), ALWAYS),
}

ERRORS = {
    "create": ("ENOSPC", "EACCES"),
    "open": ("EIO", "EMFILE"),
    "write": ("ENOSPC", "EDQUOT", "EIO", SHORT),
    "fallocate": ("ENOSPC", "EOPNOTSUPP"),
    "ftruncate": ("EIO",),
    "fsync": ("EIO", "ENOSPC"),
    "close": ("EIO", "EDQUOT"),
    "rename": ("EACCES",),
    "unlink": ("EACCES", "EIO"),
    "flock": ("ENOLCK",),
    "statvfs": ("EIO",),
    "listdir": ("EIO",),
    "mkdir": ("ENOSPC",),
    "rmdir": ("EIO",),
    "mmap": ("ENOMEM",),
    "memory": ("ENOMEM",),
    "read": ("EIO", SHORT),
    "thread": ("EAGAIN",),
}

#: What the system gives to processes, and not to files: no path goes with its refusal.
REFUSALS = {"mmap", "thread", "pipe", "spawn", "memfd"}

#: What is to go and cannot stays; that is told, and the next run removes it.
REMOVALS = {"unlink", "rmdir", "listdir"}


class Trial:
    """One mode on one bench: the same download again and again, each time into a clean place."""

    def __init__(self, bench: Bench, mode: Mode) -> None:
        self.bench = bench
        self.mode = mode
        self.space = bench.workspace
        self.kept: dict[Path, bytes] = {}
        bench.serve([64 * KB] * SEGMENTS)
        self.outputs = {bench.output: bench.stream.sha256}
        if "--audio" in mode.arguments:
            self._serve_rendition()
        if mode.resumed:
            self.kept = self._left_by_an_earlier_run()
        self.bench.origin.behave("/segment00000.ts", self._after_others)

    def _serve_rendition(self) -> None:
        """The first half of the segments, once more, as sound."""
        stream = self.bench.stream
        names = [path.name for path in stream.segments[: SEGMENTS // 2]]
        sound = b"".join(stream.payload(index) for index in range(len(names)))
        self.outputs[self.space.cwd / "video.en.ts"] = hashlib.sha256(sound).hexdigest()
        self.bench.origin.serve({"/sound.m3u8": media_playlist(map(Entry, names))})
        tag = '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",LANGUAGE="en",NAME="en",URI="sound.m3u8"'
        variant = Variant(stream.playlist_path.name, 1, more='AUDIO="a"')
        self.bench.serve_playlist(multivariant_playlist([variant], [tag]))

    def _left_by_an_earlier_run(self) -> dict[Path, bytes]:
        """A `.part` of some items, and its journal."""
        origin, path = self.bench.origin, f"/segment{self.mode.resumed // (64 * KB):05d}.ts"
        origin.behave(path, Status(404))
        run = self.run(None)
        origin.behave(path, Right())

        assert run.exit_code == 6
        return {path: path.read_bytes() for path in self.space.cwd.iterdir()}

    def _after_others(self, exchange: Exchange) -> None:
        """Segment 0 comes when most others have: they are out of turn, and memory is left."""
        for _ in range(500):
            if self.bench.origin.count("/segment*") >= SEGMENTS - 1:
                break
            exchange.pause(0.005)
        Right()(exchange)

    def run(self, fault: Fault | None) -> Run:
        """The download, with nothing there but what an earlier run has kept."""
        self.clear()
        for path, data in self.kept.items():
            path.write_bytes(data)
        if fault is not None:
            fault.inject(self.space)
        run = self.bench.fetch(*FEW, *self.mode.arguments)
        lift(self.space)
        return run

    def clear(self) -> None:
        """Remove everything that runs have left, and forget what the origin saw of them."""
        self.bench.origin.forget()
        for place in (self.space.cwd, self.space.tmp):
            shutil.rmtree(place)
            place.mkdir()

    def check(self, fault: Fault, run: Run) -> None:
        """I1 to I5 for a run that may have met `fault`."""
        for output, sha256 in self.outputs.items():
            check_i1_output_whole(output, sha256)
            check_i2_exit_matches_bytes(run, output, sha256)
        check_i5_requests_bounded(self.bench.origin, self.bench.stream, retries=1, runs=2)
        self.check_words(fault, run)
        self.check_left(fault, run)

    def check_words(self, fault: Fault, run: Run) -> None:
        """Exit 0, or 7 with one sentence that names the place; nothing else on stderr."""
        assert all(line.startswith("{") for line in run.stderr.splitlines()), run.stderr
        if run.exit_code != 0:
            (sentence,) = Bench.failures(run)
            assert run.exit_code == 7, run.stderr
            assert met(self.space), run.stderr
            assert str(self.space.root) in sentence or fault.op in REFUSALS, sentence

    def check_left(self, fault: Fault, run: Run) -> None:
        """Nothing, but for what is meant to stay and what could not be removed and was told."""
        allowed = list(KEPT) if self.mode.keeps and run.exit_code else []
        if fault.op in REMOVALS:
            allowed += _told(run)
        if "--keep-segments" in self.mode.arguments and run.exit_code == 0:
            for directory in self.space.tmp.glob(TEMP_DIRECTORY):
                shutil.rmtree(directory)
        check_i3_nothing_left(self.space, allowed=allowed)

    def check_rerun(self) -> None:
        """I4, from what the last run has left."""
        check = list(self.outputs.items())
        arguments = self.bench.arguments(*FEW, *self.mode.arguments)
        for output, sha256 in check[:1]:
            check_i4_rerun_succeeds(self.space, arguments, output, sha256)
        for output, sha256 in check[1:]:
            check_i1_output_whole(output, sha256)


def _told(run: Run) -> list[str]:
    """The paths that a run said it cannot remove, or failed with."""
    texts = [event["message"] for event in run.events if event["event"] in {"warned", "failed"}]
    words = " ".join(texts).replace(":", " ").split()
    return [word for word in words if word.startswith("/")]


def sweep(trial: Trial, fault: Fault, step: int, rerun_each: bool) -> int:
    """Runs with `fault` at the first call, and further ones; how many met it.

    The next call to fail is `step` times as far as the last one; 1 leaves none out.
    """
    nth, met_by = 1, 0
    while nth < MOST:
        run = trial.run(fault.at(nth))
        trial.check(fault, run)
        if not met(trial.space):
            return met_by
        met_by += 1
        if run.exit_code and (rerun_each or nth == 1):
            trial.check_rerun()
        nth = max(nth + 1, nth * step)
    raise AssertionError(f"{fault} is met for ever")


def cases(ops: Mapping[str, Sequence[str]]) -> list[tuple[str, str, str, bool]]:
    """(mode, kind of call, error, whether it lasts) for each kind in each mode."""
    return [
        (mode, op, error, lasts)
        for mode, kinds in ops.items()
        for op in kinds
        for error in ERRORS[op]
        for lasts in (False, True)
    ]


#: A kind or two for each mode, where its files are made, filled, renamed and removed.
FEW_OPS = {
    "memory": ("write", "memory"),
    "stream": ("create", "unlink"),
    "end": ("write",),
    "fsync": ("fsync",),
    "checksum": ("read",),
    "continue": ("write",),
    "taken up": ("create",),
    "keep": ("mkdir",),
    "renditions": ("rename", "close"),
}
#: Each of them with the next error of its list, every other one for ever.
FEW_CASES = [
    (mode, op, ERRORS[op][number % len(ERRORS[op])], number % 2 == 1)
    for number, (mode, op) in enumerate((mode, op) for mode in FEW_OPS for op in FEW_OPS[mode])
]
ALL_CASES = cases({name: mode.ops for name, mode in MODES.items()})
PARAMETERS = ("mode", "op", "error", "persistent")


def _id(value: object) -> str:
    return {"True": "for ever", "False": "once"}.get(str(value), str(value))


@pytest.mark.parametrize(PARAMETERS, FEW_CASES, ids=_id)
def test_some_calls(bench: Bench, mode: str, op: str, error: str, persistent: bool) -> None:
    """The first, the fourth and the sixteenth call of a kind in a mode that it matters to."""
    fault = Fault(op, 1, error, persistent)

    assert sweep(Trial(bench, MODES[mode]), fault, step=4, rerun_each=False)


@pytest.mark.stress
@pytest.mark.parametrize(PARAMETERS, ALL_CASES, ids=_id)
def test_every_call(bench: Bench, mode: str, op: str, error: str, persistent: bool) -> None:
    """Each call of each kind in each mode, failing once and for ever."""
    fault = Fault(op, 1, error, persistent)

    assert sweep(Trial(bench, MODES[mode]), fault, step=1, rerun_each=True)


@pytest.mark.parametrize(
    ("role", "op", "error"),
    [
        ("supervisor", "pipe", "EMFILE"),
        ("supervisor", "spawn", "EAGAIN"),
        ("supervisor", "memfd", "ENOMEM"),
        ("supervisor", "thread", "EAGAIN"),
        ("downloader", "mmap", "ENOMEM"),
        ("downloader", "thread", "EAGAIN"),
        ("storage", "thread", "EAGAIN"),
    ],
)
def test_what_processes_need(bench: Bench, role: str, op: str, error: str) -> None:
    """Without descriptors, processes, memory or threads a run ends at once, and says which."""
    fault = Fault(op, 1, error, persistent=True, role=role)

    assert sweep(Trial(bench, MODES["memory"]), fault, step=2, rerun_each=False)


def test_a_kernel_without_nameless_memory(bench: Bench) -> None:
    """Where memfd_create is not known, a file without a name does the same."""
    trial = Trial(bench, MODES["stream"])
    fault = Fault("memfd", 1, "ENOSYS", role="supervisor")
    run = trial.run(fault)

    assert met(trial.space)
    trial.check(fault, run)
    assert run.exit_code == 0, run.stderr


def test_a_file_system_without_locks(bench: Bench) -> None:
    """The first look at a `.part` that is there does not fail; taking it does, in words."""
    trial = Trial(bench, MODES["taken up"])
    look = Fault("flock", 1, "ENOLCK", role="supervisor")
    run = trial.run(look)

    assert met(trial.space)
    trial.check(look, run)
    assert run.exit_code == 0, run.stderr


def test_no_memory_for_segments(bench: Bench) -> None:
    """Storage then leaves memory early, and says so: the run goes on, on disk."""
    trial = Trial(bench, MODES["memory"])
    run = trial.run(Fault("memory", 1, "ENOMEM", persistent=True))

    assert met(trial.space)
    assert run.exit_code == 0, run.stderr
    (event,) = (event for event in run.events if event["event"] == "switched_to_disk")
    assert event["starved"]
    assert event["stored_bytes"] < event["threshold_bytes"]


@pytest.mark.parametrize(("op", "nth"), [("ftruncate", 4), ("rename", 2)])
def test_renditions_appear_together(bench: Bench, op: str, nth: int) -> None:
    """When the second of two outputs cannot be completed, or named, the first has no name."""
    trial = Trial(bench, MODES["renditions"])
    fault = Fault(op, nth, "EACCES")
    run = trial.run(fault)

    assert [line.rpartition("/")[2] for line in met(trial.space)] == ["video.en.ts.part"]
    assert run.exit_code == 7
    assert [output.exists() for output in trial.outputs] == [False, False]
    trial.check(fault, run)
