"""The table of exit codes, at the command line; what leads to each is tested where it happens."""

import re
from pathlib import Path

import pytest

from pipeline import errors
from pipeline.errors import HlspipeError, Interrupted
from tests.cli.conftest import Cli, Engine, Result

EXIT_CODES: dict[int, list[BaseException]] = {
    1: [
        errors.RemuxFailed("No stream can be read"),
        errors.InternalError("A promise was broken"),
        ZeroDivisionError("oh"),
    ],
    2: [errors.UsageError("ftp: is no http or https URL")],
    3: [errors.NetworkError("The server cannot be reached"), errors.NotThereError("HTTP 404")],
    4: [errors.PlaylistError("No playlist"), errors.UnsupportedError("DRM")],
    5: [
        errors.KeyUnavailableError("No key"),
        errors.KeyUnreachableError("No key now"),
        errors.DecryptionError("Padding"),
    ],
    6: [errors.SegmentsMissingError("Segment 17 is missing")],
    7: [errors.StorageError("No space left on device"), errors.ScarcityError("No memory")],
    8: [errors.ProcessDiedError("The storage process died")],
    9: [
        errors.OutputExistsError("It is there"),
        errors.OutputBusyError("It is in use"),
        errors.AlreadyRunningError("A daemon has it"),
    ],
    129: [Interrupted(1)],
    130: [Interrupted(2), KeyboardInterrupt()],
    141: [errors.OutputClosedError("Standard output was closed")],
    143: [Interrupted(15), errors.StoppedError("Somebody wanted it so")],
}
CASES = [(code, error) for code, causes in EXIT_CODES.items() for error in causes]
README = Path(__file__).parents[2] / "README.md"


@pytest.mark.parametrize(
    ("code", "error"), CASES, ids=[f"{code}-{type(error).__name__}" for code, error in CASES]
)
def test_each_error_has_its_exit_code(
    fetch: Cli, engine: Engine, code: int, error: BaseException
) -> None:
    """An error is one line on stderr and its code."""
    engine.outcome = error
    result = fetch("-q")

    assert result.exit_code == code
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("hlspipe: ")
    assert str(error) in result.stderr


def test_a_complete_download_is_exit_0(fetch: Cli) -> None:
    """Success is silent, but for what progress says."""
    assert fetch("-q") == Result(0, "", "")


def test_no_error_is_without_a_test() -> None:
    """Each class of `pipeline.errors` stands in the table above; rooms may refine them."""

    def tree(kind: type[HlspipeError]) -> set[type[BaseException]]:
        return {kind}.union(*map(tree, kind.__subclasses__()))

    tested = {type(error) for _, error in CASES}

    general = {kind for kind in tree(HlspipeError) if kind.__module__ == errors.__name__}

    assert general - {HlspipeError} <= tested


def test_the_manual_lists_every_exit_code() -> None:
    """The README's table and the program agree."""
    listed = re.findall(r"^\| (\d+) \|", README.read_text(encoding="utf-8"), re.MULTILINE)

    assert [int(code) for code in listed] == [0, *EXIT_CODES]
