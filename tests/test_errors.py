"""The error tree and its way between processes."""

import signal

import pytest

from pipeline import errors
from pipeline.errors import HlspipeError, InternalError, Interrupted, from_wire, to_wire

CODES = {
    "HlspipeError": 1,
    "RemuxFailed": 1,
    "InternalError": 1,
    "UsageError": 2,
    "NetworkError": 3,
    "NotThereError": 3,
    "PlaylistError": 4,
    "UnsupportedError": 4,
    "KeyUnavailableError": 5,
    "KeyUnreachableError": 5,
    "DecryptionError": 5,
    "SegmentsMissingError": 6,
    "StorageError": 7,
    "ScarcityError": 7,
    "ProcessDiedError": 8,
    "OutputExistsError": 9,
    "OutputBusyError": 9,
    "AlreadyRunningError": 9,
    "OutputClosedError": 141,
    "StoppedError": 143,
}


def classes() -> dict[str, type[HlspipeError]]:
    """Every error class by its name."""
    found = {name: getattr(errors, name) for name in dir(errors)}
    return {
        name: kind
        for name, kind in found.items()
        if isinstance(kind, type) and issubclass(kind, HlspipeError)
    }


def test_each_error_has_its_exit_code() -> None:
    """The table of the README; a new class has to be entered here."""
    assert {name: kind.exit_code for name, kind in classes().items()} == CODES


@pytest.mark.parametrize("name", sorted(CODES))
def test_an_error_survives_the_wire(name: str) -> None:
    """Class and message are the same on the other side."""
    error = from_wire(*to_wire(classes()[name]("Segment 3 is missing")))

    assert type(error) is classes()[name]
    assert str(error) == "Segment 3 is missing"


def test_an_unknown_class_is_internal() -> None:
    """What the other side says is not looked up anywhere but in the tree."""
    assert type(from_wire("SystemExit", "x")) is InternalError


@pytest.mark.parametrize(
    ("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_an_interruption_has_the_shells_exit_code(signum: int, code: int) -> None:
    """And is no Exception: a program's `except Exception` does not swallow a Ctrl-C."""
    assert Interrupted(signum).exit_code == code
    assert not isinstance(Interrupted(signum), Exception)
