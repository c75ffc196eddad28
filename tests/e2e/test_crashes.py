"""F66: errors that nobody has planned for, in each process. Their text reaches the user."""

import sys

import pytest

from tests.e2e.bench import KB, Bench, message
from tests.support.runs import Run
from tests.support.streams import Aes

pytestmark = pytest.mark.processes

#: The program, with something in it that raises what can be neither pickled nor compared.
PROGRAM = """
import sys
import {module} as module

class Odd(Exception):
    def __init__(self):
        super().__init__("the moon is full")
        self.lock = sys.stderr  # nothing that could be sent anywhere
    def __reduce__(self):
        raise TypeError("not me")

def fail(*_, **__):
    raise Odd

module.{place} = fail
from pipeline.cli import main
main()
"""

#: Where it happens: which exit code follows.
PLACES = {
    "a fetch thread": ("pipeline.processes.pump", "Pump.run", 1),
    "storage": ("pipeline.processes.storage", "Storage._store_record", 8),
    "the supervisor": ("pipeline.processes.outputs", "Outputs.stored", 1),
}


def fetch(bench: Bench, module: str, place: str) -> Run:
    """A download by a program that fails in this place."""
    bench.serve([20 * KB] * 4, aes=Aes())
    program = PROGRAM.format(module=module, place=place)
    bench.workspace.program = (sys.executable, "-c", program)
    return bench.fetch()


@pytest.mark.parametrize(("module", "place", "exit_code"), PLACES.values(), ids=PLACES)
def test_its_text_reaches_the_user(module: str, place: str, exit_code: int, bench: Bench) -> None:
    """One sentence with what was raised, no hang, and nothing left."""
    run = fetch(bench, module, place)

    bench.check_failed(run, exit_code)
    assert "the moon is full" in message(run)


def test_a_downloader_s_main_thread(bench: Bench) -> None:
    """It is followed by another one, which begins afresh; why is told."""
    run = fetch(bench, "pipeline.processes.downloader", "Downloader._hire")

    bench.check_right(run)
    reasons = {event["reason"] for event in run.events if event["event"] == "retried"}
    assert reasons == {"a downloader process ended: Odd: the moon is full"}
