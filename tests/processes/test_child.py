import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.processes.channel import Receiver
from pipeline.processes.messages import Crashed

ROOT = Path(__file__).parents[2]

#: A child whose whole life is the function `run`.
CHILD = """
import threading, time, types
from pipeline.processes import child

def run(setup, reports):
    {life}

child.import_module = lambda name: types.SimpleNamespace(run=run)
child.main()
"""

IN_A_THREAD = "threading.Thread(target=lambda: {fault}).start(); time.sleep(30)"


def live(life):
    """What a child has reported, its exit status, and what it has written to stderr."""
    reading, writing = os.pipe()
    setup = json.dumps({"reports": writing, "parent": os.getpid()})
    done = subprocess.run(
        [sys.executable, "-c", CHILD.format(life=life), "storage", setup],
        pass_fds=[writing],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    os.close(writing)
    receiver = Receiver(reading)
    reports = list(receiver.receive())
    receiver.close()
    return reports, done.returncode, done.stderr


def test_life_that_ends_well():
    """Nothing to tell."""
    assert live("pass") == ([], 0, "")


@pytest.mark.parametrize("where", ["{fault}", IN_A_THREAD], ids=["main thread", "another thread"])
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("1 // 0", "ZeroDivisionError"),
        ("bytes(1 << 62)", "ScarcityError"),
        ("open('/nowhere')", "FileNotFoundError"),
    ],
    ids=["bug", "no memory", "disk"],
)
def test_end_is_told(where, fault, kind):
    """Whichever thread ends, the process does; its words go to the supervisor and not to stderr."""
    reports, status, stderr = live(where.format(fault=fault))

    assert (status, stderr) == (1, "")
    (report,) = reports
    assert isinstance(report, Crashed)
    assert report.error == kind


def test_end_that_cannot_be_told():
    """Without memory even for that, the process ends all the same, and says nothing anywhere."""
    reports, status, stderr = live("child.tell_crash = None; 1 // 0")

    assert (reports, status, stderr) == ([], 1, "")
