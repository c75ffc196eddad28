"""`pipeline.fetch` and `pipeline.batch` in programs that do other things as well."""

import sys

import pytest

from tests.e2e.bench import KB, Bench
from tests.support.streams import Aes, sha256_of

pytestmark = pytest.mark.processes

THREADS = """
import sys, threading
from pipeline import fetch

stop = threading.Event()
lock = threading.Lock()

def busy():
    while not stop.wait(0.0005):
        with lock:
            sum(range(1000))

threads = [threading.Thread(target=busy) for _ in range(8)]
for thread in threads:
    thread.start()
receipts = []
worker = threading.Thread(target=lambda: receipts.append(fetch(sys.argv[1], "video.ts")))
worker.start()
worker.join(60)
stop.set()
print(receipts[0].status.value)
"""

BATCH = """
import sys
from pipeline import BatchOptions, Entry, batch

ended = []
entries = [Entry(number, f"{sys.argv[1]}?{number}", f"{number}.ts") for number in range(3)]
result = batch(entries, batch_options=BatchOptions(jobs=2), on_event=ended.append)
print(len(result.receipts), len(result.failed), result.receipts[0].status.value)
"""

DEAF = """
import sys
from pipeline import fetch

def hear(event):
    if type(event).__name__ == "Progress":
        raise ValueError("a listener's own")

try:
    fetch(sys.argv[1], "video.ts", on_event=hear)
except ValueError as error:
    print(error)
"""


def program(bench: Bench, text: str) -> str:
    """What a program that uses the library prints."""
    bench.workspace.program = (sys.executable, "-c", text)
    run = bench.workspace.run(bench.url)
    assert run.exit_code == 0, run.stderr
    return run.stdout.strip()


def test_program_with_threads(bench: Bench) -> None:
    """Called in a thread among others that hold locks: children are no copies of those."""
    bench.serve([100 * KB] * 10, aes=Aes())

    assert program(bench, THREADS) == "complete"
    assert sha256_of(bench.output) == bench.stream.sha256
    bench.check_nothing_left()


def test_batch_from_a_program(bench: Bench) -> None:
    """A list of entries, and what became of each."""
    bench.serve([100 * KB] * 4, aes=Aes())

    assert program(bench, BATCH) == "3 0 complete"
    files = sorted(bench.workspace.cwd.glob("*.ts"))
    assert [sha256_of(file) for file in files] == [bench.stream.sha256] * 3


def test_a_listener_that_fails(bench: Bench) -> None:
    """Its error is the caller's, and no child's death; nothing is left."""
    bench.serve([100 * KB] * 4)

    assert program(bench, DEAF) == "a listener's own"
    assert not bench.output.exists()
    bench.check_nothing_left()
