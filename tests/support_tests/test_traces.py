import sys
from pathlib import Path

from tests.support.runs import Workspace
from tests.support.traces import Trace

CODE = """
import os, subprocess, sys
open("read.txt").close()
os.mkdir("made")
child = "import os; f = open('b.part', 'w'); f.write('x'); f.flush(); os.fsync(f.fileno())"
subprocess.run([sys.executable, "-c", child])
os.rename("b.part", "b")
open("/dev/null", "w").close()
try:
    open("absent.key")
except OSError:
    pass
"""


def test_files_of_the_whole_tree_are_seen(workspace: Workspace, tmp_path: Path) -> None:
    """What is read, written, made, synced and looked for is told apart, children included."""
    workspace.program = (sys.executable, "-c", CODE)
    (workspace.cwd / "read.txt").touch()
    trace = Trace(tmp_path / "trace")

    run = workspace.run(prefix=trace.prefix)

    assert run.exit_code == 0
    # What Python itself writes is not meant: bytecode, where its cache may be written.
    assert {path for path in trace.written() if "__pycache__" not in path.parts} == {
        workspace.cwd / "b.part"
    }
    assert workspace.cwd / "read.txt" in trace.opened()
    assert trace.directories() == ["made"]
    assert [call.failed for call in trace.mentions("absent.key")] == [True]
    assert [call.name for call in trace.calls("fsync", "rename")] == ["fsync", "rename"]
    assert str(workspace.cwd / "b.part") in trace.calls("fsync")[0].arguments
