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
_ROLES = ("downloader", "storage")


def _role() -> str:
    """What this process is: a child carries its role as an argument of its own."""
    return next((word for word in sys.orig_argv if word in _ROLES), "supervisor")


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
    # The successor of a process that has met its fault does not meet it once more.
    if (_wanted or "storage") == _role() and (_tripwire.persistent or not _tripwire.met_before()):
        _tripwire.install()
