"""The command line: commands and their options, what is shown while they run, exit codes.

This file is what runs first and last. Until an engine takes over, a signal ends the process at
once with the exit code of that signal and one short line: before anything heavy is imported, and
again after the run. It imports next to nothing, because until `main` is reached a Ctrl-C still
ends in the interpreter's own traceback. Not covered: signals during a run (the supervisor's).
"""

# The C half of `signal`: the other half takes 3 ms to import.
import _signal  # type: ignore[import-not-found]
import atexit
import gc
import os
import sys

#: Python's own 700 costs 12 ms of 180 while modules are imported, and finds nothing.
_OBJECTS_BETWEEN_COLLECTIONS = 20_000

_STDIN, _STDOUT, _STDERR = range(3)


def main() -> None:
    """The `hlspipe` command, from the first signal handler to the exit code."""
    for signum in (_signal.SIGINT, _signal.SIGTERM, _signal.SIGHUP):
        # What was ignored stays ignored: that is how nohup, and a shell's `&`, protect a job.
        if _signal.getsignal(signum) != _signal.SIG_IGN:
            _signal.signal(signum, _leave_at_once)
    _hold_standard_descriptors()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    from pipeline.cli.app import run  # noqa: PLC0415
    from pipeline.processes import forking  # noqa: PLC0415

    forking.allow()
    exit_code = run(sys.argv[1:])
    # Not sys.exit: taking the interpreter apart costs time, and its way of reporting a signal or
    # a closed pipe in that time is a traceback. What asked to be called at exit is called.
    atexit._run_exitfuncs()  # noqa: SLF001
    os._exit(exit_code)


def _leave_at_once(signum: int, _frame: object) -> None:
    from select import select  # noqa: PLC0415

    try:
        # A full pipe that nobody reads must not hold up the exit.
        if select([], [_STDERR], [], 0)[1]:
            os.write(_STDERR, b"hlspipe: Interrupted\n")
    except OSError:
        pass  # stderr is gone, and there is nobody left to tell
    finally:
        os._exit(128 + signum)


def _hold_standard_descriptors() -> None:
    """Keep 0, 1 and 2 from being given to a file when they were closed at the start.

    Anything printed would end up in that file. Opened the wrong way round on purpose: reading and
    writing keep failing, as they do on what is closed. `sys.stdout` and the others stay None.
    """
    for descriptor in (_STDIN, _STDOUT, _STDERR):
        try:
            os.fstat(descriptor)
        except OSError:
            wrong_way = os.O_WRONLY if descriptor == _STDIN else os.O_RDONLY
            os.set_inheritable(os.open(os.devnull, wrong_way), True)
