"""S18, S19, S21: no other program but an ffmpeg is started, and no bytes become objects."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "pipeline"

#: Modules that run programs, or that run what is in the bytes they read.
_MODULES = {"subprocess", "pty", "pickle", "marshal", "shelve", "dill", "multiprocessing"}

#: Names that do, wherever they come from; a child of ours is started in one place.
_NAMES = {"system", "popen", "eval", "exec", "fork", "forkpty", "startfile"}
_STARTS = ("posix_spawn", "spawn", "exec")
_STARTER = ROOT / "processes" / "launch.py"
_FORKER = ROOT / "processes" / "forking.py"
_REMUXER = ROOT / "processes" / "remuxer.py"


def found_in(path: Path) -> Iterator[str]:
    """What a module uses of all that."""
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Import(names):
                yield from (name.name for name in names if name.name.split(".")[0] in _MODULES)
            case ast.ImportFrom(module=str(module)) if module.split(".")[0] in _MODULES:
                yield module
            case ast.Call(func=ast.Name(id=name)) if name in _NAMES:
                yield name
            case ast.Attribute(value=ast.Name(id="os"), attr=name):
                if name in _NAMES or name.startswith(_STARTS):
                    yield f"os.{name}"


def test_modules() -> None:
    """Children are started by one module, or forked by another; an ffmpeg by a third."""
    found = {path: set(found_in(path)) for path in ROOT.rglob("*.py")}

    assert {path: names for path, names in found.items() if names} == {
        _STARTER: {"os.posix_spawn"},
        _FORKER: {"os.fork"},
        _REMUXER: {"subprocess"},
    }


@pytest.mark.parametrize(
    "text",
    ["import subprocess", "from pickle import loads", "import os; os.system(x)", "eval(x)",
     "import multiprocessing.managers", "os.execv(x, y)", "os.posix_spawnp(x, y, z)"],
)  # fmt: skip
def test_they_would_be_found(text: str, tmp_path: Path) -> None:
    """What the test above looks for."""
    path = tmp_path / "module.py"
    path.write_text(text)

    assert list(found_in(path))
