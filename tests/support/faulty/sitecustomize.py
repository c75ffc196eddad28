"""On PYTHONPATH it makes chosen calls of the I/O layer fail, as HLSPIPE_FAULT says.

    HLSPIPE_FAULT=[role/]op:n:errno[:persistent]

The n-th call of kind `op` in processes of `role` (storage, if it is left out) fails with `errno`,
or that one and all after it. `tests.support.tripwire` has the kinds. Every failure is a line in
the file that HLSPIPE_FAULT_LOG names.
"""

import importlib.machinery
import importlib.util
import os
import sys
from pathlib import Path

_HERE = Path(__file__).parent
_ROLES = ("downloader", "storage", "remuxer")


def _role() -> str:
    """What this process is: a child has its role as an argument, or in its short name."""
    if found := next((word for word in sys.orig_argv if word in _ROLES), None):
        return found
    with Path("/proc/self/comm").open() as comm:
        name = comm.read().strip().removeprefix("hlspipe-")
    return next((word for word in _ROLES if name and word.startswith(name)), "supervisor")


def _run_the_one_that_this_one_hides() -> None:
    """A distribution or a coverage tool may have a `sitecustomize` of its own."""
    rest = [entry for entry in sys.path if Path(entry).resolve() != _HERE]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", rest)
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


_run_the_one_that_this_one_hides()
if _spec := os.environ.get("HLSPIPE_FAULT"):
    from tests.support.tripwire import Tripwire

    _wanted, _, _rest = _spec.rpartition("/")
    _tripwire = Tripwire.parse(_rest, os.environ.get("HLSPIPE_FAULT_LOG"))
    _asked: dict[int, bool] = {}

    def _armed() -> bool:
        """Whether this process, a fork or not, is the one that is to meet the fault."""
        if _role() != (_wanted or "storage"):
            return False
        # The successor of a process that has met its fault does not meet it once more.
        if (pid := os.getpid()) not in _asked:
            _asked[pid] = _tripwire.persistent or not _tripwire.met_before()
        return _asked[pid]

    _tripwire.armed = _armed
    _tripwire.install()
