"""Faults of the I/O layer: who meets them, how often, and what else is on PYTHONPATH."""

import fcntl
import mmap
import os
import sys
import threading
from pathlib import Path

import pytest

from tests.support.faults import Fault, lift, met
from tests.support.runs import Workspace
from tests.support.tripwire import OPS, SHORT, Tripwire

WRITES = """
import os, sys
descriptor = os.open("file", os.O_WRONLY | os.O_CREAT)
for _ in range(4):
    try:
        print(os.write(descriptor, b"1234"))
    except OSError as error:
        print(error.strerror)
"""


def program(workspace: Workspace, code: str, *arguments: str) -> Workspace:
    """The workspace, with another program in it."""
    workspace.program = (sys.executable, "-c", code, *arguments)
    return workspace


@pytest.mark.parametrize(
    ("fault", "lines"),
    [
        (Fault("write", 2, "ENOSPC"), ["4", "No space left on device", "4", "4"]),
        (Fault("write", 3, "EIO", persistent=True), ["4", "4", *["Input/output error"] * 2]),
        (Fault("write", 1, SHORT), ["2", "4", "4", "4"]),
        (Fault("fsync", 1, "EIO"), ["4", "4", "4", "4"]),
    ],
    ids=["once", "for ever", "short", "another call"],
)
def test_the_nth_call_fails(fault: Fault, lines: list[str], workspace: Workspace) -> None:
    """That one or all from there on, and each failure is on record."""
    fault.inject(program(workspace, WRITES, "storage"))
    run = workspace.run()

    assert run.stdout.split("\n")[:-1] == lines
    assert len(met(workspace)) == sum(line != "4" for line in lines)
    assert all(line == f"write {workspace.cwd / 'file'}" for line in met(workspace))


def test_others_do_not_meet_it(workspace: Workspace) -> None:
    """A process of another role, and a run without the fault, write as ever."""
    fault = Fault("write", 1, "EIO")
    fault.inject(program(workspace, WRITES, "downloader"))
    other = workspace.run()
    lift(program(workspace, WRITES, "storage"))
    later = workspace.run()

    assert other.stdout == later.stdout == "4\n" * 4


@pytest.mark.parametrize("persistent", [False, True], ids=["once", "for ever"])
def test_a_successor(persistent: bool, workspace: Workspace) -> None:
    """What is met once is not met again by the process that takes over."""
    fault = Fault("write", 1, "EIO", persistent=persistent)
    fault.inject(program(workspace, WRITES, "storage"))
    runs = [workspace.run(), workspace.run()]

    assert ["Input" in run.stdout for run in runs] == [True, persistent]


def test_pipes_and_standard_streams_are_left_alone(workspace: Workspace) -> None:
    """The fault is one of files: messages between processes and words for the user get through."""
    code = "import os; r, w = os.pipe(); os.write(w, b'x'); os.write(1, os.read(r, 1))"
    Fault("write", 1, "EIO", persistent=True).inject(program(workspace, code, "storage"))

    assert workspace.run().stdout == "x"


def test_a_sitecustomize_that_is_there_already(workspace: Workspace, tmp_path: Path) -> None:
    """The one that ours hides is run as well."""
    (tmp_path / "sitecustomize.py").write_text("print('the other one')")
    Fault("write", 1, "EIO").inject(program(workspace, WRITES, "storage"))
    workspace.env["PYTHONPATH"] += f":{tmp_path}"
    run = workspace.run()

    assert run.stdout.split("\n")[:2] == ["the other one", "Input/output error"]


@pytest.mark.parametrize("spec", ["write:1:EWHAT", "paint:1:EIO", "write:x:EIO", "write"])
def test_a_fault_that_there_is_not(spec: str) -> None:
    """A typing mistake is an error, and no test that passes for want of a fault."""
    with pytest.raises(ValueError, match=r"no such fault|invalid literal|not enough values"):
        Tripwire.parse(spec)


def test_everything_is_put_back() -> None:
    """After a fault in this process its calls are the real ones again."""
    owners = (os, fcntl, mmap, threading.Thread)
    before = [dict(vars(owner)) for owner in owners]
    for op in OPS:
        with Tripwire(op, 1, "EIO").set_up():
            pass

    assert [dict(vars(owner)) for owner in owners] == before
