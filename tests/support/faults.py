"""Faults in the I/O layer of whole runs: which call fails and how, and whether it was met.

    fault = Fault("write", 3, "ENOSPC", persistent=True)
    fault.inject(workspace)
    run = workspace.run(...)
    assert met(workspace)
    lift(workspace)

The program has no hook for this: `faulty/sitecustomize.py` on PYTHONPATH, which children inherit,
replaces the calls of the processes of one role (`tripwire`).
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from tests.support.runs import Workspace

_HERE = Path(__file__).parent
_ROOT = _HERE.parents[1]
_VARIABLES = ("PYTHONPATH", "HLSPIPE_FAULT", "HLSPIPE_FAULT_LOG")


@dataclass(frozen=True)
class Fault:
    """The n-th call of a kind fails, once or with all that follow."""

    op: str  # `tripwire.OPS`
    nth: int
    error: str  # the name of an errno, or `tripwire.SHORT`
    persistent: bool = False
    role: str = "storage"

    def __str__(self) -> str:
        lasting = ":persistent" if self.persistent else ""
        return f"{self.role}/{self.op}:{self.nth}:{self.error}{lasting}"

    def inject(self, workspace: Workspace) -> None:
        """Have it in the workspace's next run."""
        _log(workspace).unlink(missing_ok=True)
        values = (f"{_HERE / 'faulty'}:{_ROOT}", str(self), str(_log(workspace)))
        workspace.env |= dict(zip(_VARIABLES, values, strict=True))

    def at(self, nth: int) -> Self:
        """The same, at another call."""
        return replace(self, nth=nth)


def lift(workspace: Workspace) -> None:
    """No fault in the workspace's next run."""
    for name in _VARIABLES:
        workspace.env.pop(name, None)


def met(workspace: Workspace) -> list[str]:
    """The calls of the last run that failed: kind and file."""
    log = _log(workspace)
    return log.read_text().splitlines() if log.exists() else []


def _log(workspace: Workspace) -> Path:
    return workspace.root / "faults"
