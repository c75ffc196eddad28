"""The five promises that hold whatever goes wrong (I1 to I5), one check each.

Every fault test runs the program into its fault and then calls the checks that apply; each fails
with a sentence that says what was found.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tests.support import proc
from tests.support.leaks import NOTHING, Snapshot
from tests.support.origin import Origin
from tests.support.runs import Run, Workspace
from tests.support.streams import Stream, sha256_of

#: Seconds after the main process's end within which everything must be gone.
GRACE = 5.0


def check_i1_output_whole(output: Path, sha256: str) -> None:
    """I1: the output's name exists only when the file is whole."""
    assert not output.exists() or sha256_of(output) == sha256, (
        f"{output} exists and is not whole: {output.stat().st_size} bytes"
    )


def check_i2_exit_matches_bytes(run: Run, output: Path, sha256: str) -> None:
    """I2: exit 0 if and only if the right bytes are there."""
    if run.exit_code == 0:
        assert output.exists(), f"exit 0 without an output: {run.stderr}"
        assert sha256_of(output) == sha256, f"exit 0 with wrong bytes: {run.stderr}"
    else:
        assert not output.exists(), f"exit {run.exit_code} with an output: {run.stderr}"


def leftovers(
    workspace: Workspace,
    *roots: Path,
    before: Snapshot | None = None,
    allowed: Sequence[str] = (),
    timeout: float = GRACE,
) -> list[str]:
    """What a run still leaves after `timeout` seconds; lines that end as `allowed` do not count."""
    start = before or replace(NOTHING, shared_memory=Snapshot.take("", ()).shared_memory)
    found: list[str] = []
    for _ in proc.polled(timeout, 0.05):
        now = Snapshot.take(workspace.marker, [workspace.root, *roots])
        found = [line for line in now.since(start) if not line.endswith(tuple(allowed))]
        if not found:
            break
    return found


def check_i3_nothing_left(
    workspace: Workspace,
    *roots: Path,
    before: Snapshot | None = None,
    allowed: Sequence[str] = (),
    timeout: float = GRACE,
) -> None:
    """I3: soon after the end, no process, temp file or shared memory of the run is left.

    Looks below the workspace and further `roots`. Shared memory is compared with `before`, a
    snapshot from before the run; without one it is not looked at. `allowed` are endings of names
    that may stay (".part" and ".part.journal" after a run with `-c`).
    """
    found = leftovers(workspace, *roots, before=before, allowed=allowed, timeout=timeout)

    assert not found, "left behind:\n" + "\n".join(found)


def check_i4_rerun_succeeds(
    workspace: Workspace, arguments: Sequence[str | Path], output: Path, sha256: str
) -> Run:
    """I4: the same command, run again after the cause is gone, succeeds without help."""
    run = workspace.run(*arguments)

    assert run.exit_code == 0, f"the rerun failed with exit {run.exit_code}: {run.stderr}"
    assert output.exists(), f"the rerun left no output: {run.stderr}"
    assert sha256_of(output) == sha256, f"the rerun left wrong bytes: {run.stderr}"
    return run


def request_bound(stream: Stream, retries: int, deaths: int = 0, connections: int = 8) -> int:
    """The most requests that one run of the stream may make.

    Each of the first tries may be repeated `retries` times; a downloader's death repeats what its
    connections had in hand.
    """
    return stream.requests * (retries + 1) + deaths * connections


def check_i5_requests_bounded(
    origin: Origin, stream: Stream, *, retries: int, deaths: int = 0, runs: int = 1
) -> None:
    """I5: no more requests than the tries that were allowed add up to."""
    bound = runs * request_bound(stream, retries, deaths)
    count = origin.count()

    assert count <= bound, f"{count} requests, {bound} at the most"
